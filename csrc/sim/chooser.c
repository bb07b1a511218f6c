/* See chooser.h. Drawing, replaying and enumerating; a person is a pick function of the binding.
 *
 * Two rules make one list good for every driver. What is quiet is never written down, so a list names only
 * what is worth reading, and an entry that is missing means "nothing unusual". And an entry is only looked
 * for, never forced: a list from elsewhere, or one with entries deleted, still is a run. */
#include <distlab/chooser.h>

#include <string.h>

void dlab_choices_note(dlab_choices *choices, dlab_choice choice)
{
    const size_t most = choices->most != 0 ? choices->most : DLAB_CHOICES_DEFAULT;
    if (choices->incomplete) return;
    choices->list.row_size = sizeof(dlab_choice);
    /* A list without room is a result the run can live with: no error, but whoever reads it is told. */
    if (choices->list.count >= most ||
        dlab_buffer_push(&choices->list, choices->memory, &choice, 1, NULL) != DLAB_OK)
        choices->incomplete = true;
}

void dlab_choices_free(dlab_choices *choices)
{
    dlab_buffer_free(&choices->list, choices->memory);
    choices->incomplete = false;
}

/* Ask for one of n options; -1: the run ends. */
static int ask(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    if (c->ended) return -1;
    const int k = c->pick(c, options, odds, n);
    if (k >= 0 && (uint32_t)k < n) return k;
    c->ended = true;
    return -1;
}

bool dlab_coin_slow(dlab_chooser *c, dlab_rng *rng, dlab_choice name, double p)
{
    bool loud = rng != NULL && dlab_rng_unit(rng) < p;
    if (c == NULL) return loud;
    if (c->pick != NULL) {
        const dlab_choice sides[] = { name, name | 1 };
        const double odds[] = { 1 - p, p };
        loud = ask(c, sides, odds, 2) == 1;
    }
    if (loud) dlab_note(c, name | 1);
    return loud;
}

int dlab_choose(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    const int k = c == NULL || c->pick == NULL ? 0 : ask(c, options, odds, n);
    if (k >= 0) dlab_note(c, options[k]);
    return k;
}

static int index_of(dlab_choice wanted, const dlab_choice *options, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (options[i] == wanted) return (int)i;
    return -1;
}

static int replay(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    dlab_replay *r = (dlab_replay *)(void *)c;
    const bool coin = dlab_choice_kind(options[0]) == DLAB_CHOICE_COIN;
    const size_t end = coin && r->next < r->count ? r->next + 1 : r->count;
    (void)odds;
    for (size_t k = r->next; k < end; k++) {
        const int i = index_of(r->list[k], options, n);
        if (i < 0) continue;
        r->skipped += k - r->next;
        r->next = k + 1;
        return i;
    }
    return 0;
}

void dlab_replay_open(dlab_replay *r, const dlab_choice *list, size_t count)
{
    *r = (dlab_replay){ .base = { .pick = replay, .names_events = true }, .list = list, .count = count };
}

/* The digits up to `depth` are decided; what is asked beyond them begins at 0. */
static int enumerate(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    dlab_enumerator *e = (dlab_enumerator *)(void *)c;
    uint32_t k = 0;
    if (n > 1 && (c->names_events || dlab_choice_kind(options[0]) == DLAB_CHOICE_COIN)) {
        const uint32_t at = e->position;
        if (at == DLAB_COINS_MAX) {
            e->too_deep = true;
        } else {
            if (at == e->depth) {
                e->digit[at] = 0;
                e->limit[at] = n;
                e->depth++;
            }
            if (e->limit[at] != n) e->unlike = true;
            else k = e->digit[at];
            e->position++;
        }
    }
    if (odds != NULL) e->weight *= odds[k];
    return (int)k;
}

void dlab_enumerator_open(dlab_enumerator *e)
{
    memset(e, 0, sizeof *e);
    e->base.pick = enumerate;
}

bool dlab_enumerator_next(dlab_enumerator *e)
{
    if (e->started) {
        if (e->position < e->depth) e->unlike = true;
        while (e->depth > 0 && ++e->digit[e->depth - 1] >= e->limit[e->depth - 1]) e->depth--;
        if (e->depth == 0) return false;
    }
    e->started = true;
    e->position = 0;
    e->weight = 1;
    e->base.ended = false;
    return true;
}

/* Eight bytes, the lowest first on every machine. */
static uint64_t word_at(const unsigned char *at, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) word |= (uint64_t)at[i] << 8 * i;
    return word;
}

/* The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection, so bytes that differ in one
 * word never meet before the end. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t dlab_fingerprint56(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = mix(seed + UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)size + 1));
    size_t left = size;
    for (; left >= 8; at += 8, left -= 8) hash = mix((hash ^ word_at(at, 8)) + UINT64_C(0x9e3779b97f4a7c15));
    if (left > 0) hash = mix((hash ^ word_at(at, left)) + UINT64_C(0x9e3779b97f4a7c15));
    return hash & DLAB_CHOICE_WHAT_MASK;
}
