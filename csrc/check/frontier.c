/* The frontier of a search: which acts may be placed next, kept up to date as acts are placed and taken
 * back.
 *
 * In real time the next act must have been called before the first answer that is not yet placed (that of
 * act `prefix`); such acts are all open at that moment, so each gets a slot no other of them has, and what
 * is placed beyond the prefix is a mask over as many bits as clients were ever busy at once. In program
 * order the next act is the first one left of some process; what is placed is one position per process. */
#include <string.h>

#include "check/search.h"

enum { BITS = 64 };

static void set_bit(uint64_t *mask, uint32_t k) { mask[k / BITS] |= UINT64_C(1) << (k % BITS); }
static void clear_bit(uint64_t *mask, uint32_t k) { mask[k / BITS] &= ~(UINT64_C(1) << (k % BITS)); }

/* An act takes its slot, placed or not. */
static void occupy(dlab_search *s, uint32_t act)
{
    const uint32_t slot = s->slot_of[act];
    s->current[slot] = act;
    set_bit(s->placed[act] ? s->taken : s->open, slot);
    if (s->problem->acts[act].reads) set_bit(s->reads, slot);
    else clear_bit(s->reads, slot);
}

static void vacate(dlab_search *s, uint32_t act)
{
    const uint32_t slot = s->slot_of[act];
    clear_bit(s->open, slot);
    clear_bit(s->taken, slot);
}

/* Admit what is called before the answer of act `prefix`. */
static void admit(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const uint32_t until = s->prefix < p->mandatory ? p->acts[s->prefix].returned : DLAB_NONE;
    while (s->admitted < p->mandatory && p->acts[p->by_call[s->admitted]].called < until)
        occupy(s, p->by_call[s->admitted++]);
    while (s->optional_open < p->optional && p->acts[p->mandatory + s->optional_open].called < until)
        s->optional_open++;
}

static void advance(dlab_search *s)
{
    while (s->prefix < s->problem->mandatory && s->placed[s->prefix]) {
        vacate(s, s->prefix++);
        admit(s);
    }
}

/* Slots by a sweep over the history: an act gives its slot back when the prefix passes it. */
static int assign_slots(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    uint32_t *spare = dlab_arena_alloc(s->arena, (size_t)p->mandatory + 1, sizeof *spare, s->err), count = 0;
    if (spare == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0, called = 0; k < p->mandatory; k++) {
        for (; called < p->mandatory && p->acts[p->by_call[called]].called < p->acts[k].returned; called++)
            s->slot_of[p->by_call[called]] = count > 0 ? spare[--count] : s->slots++;
        spare[count++] = s->slot_of[k];
    }
    return DLAB_OK;
}

/* Program order: chains of the mandatory acts of each process, and where optional ones hang. */
static int chain(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const uint32_t processes = p->plan->processes;
    uint32_t *last = dlab_arena_alloc(s->arena, (size_t)processes + 1, sizeof *last, s->err);
    s->next = dlab_arena_alloc(s->arena, (size_t)p->mandatory + 1, sizeof *s->next, s->err);
    s->after = dlab_arena_alloc(s->arena, (size_t)p->optional + 1, sizeof *s->after, s->err);
    if (last == NULL || s->next == NULL || s->after == NULL) return DLAB_ENOMEM;
    s->slots = processes;
    memset(last, 0xff, ((size_t)processes + 1) * sizeof *last);
    for (uint32_t c = 0, o = 0; c < p->mandatory || o < p->optional;) {
        const dlab_act *optional = &p->acts[p->mandatory + o];
        const bool is_optional =
            o < p->optional && (c == p->mandatory || optional->called < p->acts[p->by_call[c]].called);
        if (is_optional) {
            s->after[o++] = last[optional->process];
            continue;
        }
        const uint32_t act = p->by_call[c++], process = p->acts[act].process;
        s->slot_of[act] = process;
        s->next[act] = DLAB_NONE;
        if (last[process] != DLAB_NONE) s->next[last[process]] = act;
        else s->current[process] = act;
        last[process] = act;
    }
    for (uint32_t k = 0; k < processes; k++)
        if (s->current[k] != DLAB_NONE) occupy(s, s->current[k]);
    return DLAB_OK;
}

/* Equal optional acts, each pointing to the one before. */
static int pair_equals(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    dlab_words contents;
    uint32_t *last = dlab_arena_alloc(s->arena, (size_t)p->optional + 1, sizeof *last, s->err);
    s->equal = dlab_arena_alloc(s->arena, (size_t)p->optional + 1, sizeof *s->equal, s->err);
    if (last == NULL || s->equal == NULL) return DLAB_ENOMEM;
    dlab_words_open(&contents, s->memory);
    int code = DLAB_OK;
    for (uint32_t k = 0; k < p->optional && code == DLAB_OK; k++) {
        const dlab_act *a = &p->acts[p->mandatory + k];
        const uint32_t content[] = { a->kind, a->a, a->kind == DLAB_ACT_USER ? 0 : a->b, a->object };
        const size_t known = contents.spans.count;
        const uint32_t id = dlab_words_intern(&contents, content, 4, s->err);
        if (id == UINT32_MAX) {
            code = DLAB_ENOMEM;
            break;
        }
        s->equal[k] = id == known ? DLAB_NONE : last[id];
        last[id] = k;
    }
    dlab_words_close(&contents);
    return code;
}

int dlab_frontier_open(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const uint32_t n = p->mandatory + p->optional;
    s->slot_of = dlab_arena_alloc(s->arena, (size_t)p->mandatory + 1, sizeof *s->slot_of, s->err);
    s->placed = dlab_arena_alloc(s->arena, (size_t)n + 1, 1, s->err);
    s->order = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *s->order, s->err);
    if (s->slot_of == NULL || s->placed == NULL || s->order == NULL) return DLAB_ENOMEM;
    if (!p->sequential && assign_slots(s)) return DLAB_ENOMEM;
    const uint32_t slots = p->sequential ? p->plan->processes : s->slots;
    s->words = slots / BITS + 1;
    s->used_words = (p->optional + BITS - 1) / BITS;
    const size_t masks = 3 * (size_t)s->words + s->used_words + 1;
    const size_t key = 2 * (size_t)(s->words + s->used_words) + n / 32 + p->plan->processes + 4;
    s->open = dlab_arena_alloc(s->arena, masks, sizeof *s->open, s->err);
    s->current = dlab_arena_alloc(s->arena, (size_t)slots + 1, sizeof *s->current, s->err);
    s->key_words = dlab_arena_alloc(s->arena, key, sizeof *s->key_words, s->err);
    if (s->open == NULL || s->current == NULL || s->key_words == NULL) return DLAB_ENOMEM;
    s->taken = s->open + s->words;
    s->reads = s->taken + s->words;
    s->used = s->reads + s->words;
    memset(s->current, 0xff, ((size_t)slots + 1) * sizeof *s->current);
    dlab_words_open(&s->wide_windows, s->memory);
    dlab_words_open(&s->wide_used, s->memory);
    if (pair_equals(s)) return DLAB_ENOMEM;
    if (p->sequential) return chain(s);
    admit(s);
    return DLAB_OK;
}

void dlab_frontier_place(dlab_search *s, uint32_t act)
{
    s->placed[act] = 1;
    s->order[s->placed_count++] = act;
    if (s->spec->count != NULL) s->spec->count(s, act, 1);
    if (act >= s->problem->mandatory) {
        set_bit(s->used, act - s->problem->mandatory);
        return;
    }
    s->placed_mandatory++;
    vacate(s, act);
    if (!s->problem->sequential) set_bit(s->taken, s->slot_of[act]);
    else if (s->next[act] != DLAB_NONE) occupy(s, s->next[act]);
    else s->current[s->slot_of[act]] = DLAB_NONE;
}

static void take_back(dlab_search *s, uint32_t act)
{
    s->placed[act] = 0;
    if (s->spec->count != NULL) s->spec->count(s, act, -1);
    if (act >= s->problem->mandatory) {
        clear_bit(s->used, act - s->problem->mandatory);
        return;
    }
    s->placed_mandatory--;
    if (s->problem->sequential || act >= s->prefix) {
        vacate(s, act);
        occupy(s, act);
    }
}

void dlab_frontier_rewind(dlab_search *s, uint32_t placed, uint32_t prefix)
{
    const dlab_problem *p = s->problem;
    while (s->placed_count > placed) take_back(s, s->order[--s->placed_count]);
    while (s->prefix > prefix) {
        const uint32_t until = p->acts[--s->prefix].returned;
        while (s->admitted > 0 && p->acts[p->by_call[s->admitted - 1]].called > until)
            vacate(s, p->by_call[--s->admitted]);
        while (s->optional_open > 0 && p->acts[p->mandatory + s->optional_open - 1].called > until)
            s->optional_open--;
        occupy(s, s->prefix);
    }
}

void dlab_frontier_settle(dlab_search *s, uint32_t state)
{
    const bool at_once = (s->prunings & DLAB_PRUNE_READS) != 0;
    const bool any = s->bug == DLAB_CHECK_BUG_WRITE_TAKEN_AS_READ;
    for (;;) {
        const uint32_t before = s->placed_count, admitted = s->admitted;
        for (uint32_t w = 0; w < s->words && at_once; w++) {
            uint64_t left = any ? s->open[w] : s->open[w] & s->reads[w];
            for (; left != 0; left &= left - 1) {
                const uint32_t act = s->current[w * BITS + (uint32_t)__builtin_ctzll(left)];
                if (s->spec->step(s, state, act) == state) dlab_frontier_place(s, act);
            }
        }
        if (!s->problem->sequential) {
            advance(s);
            if (s->admitted == admitted) return;
        } else if (s->placed_count == before) {
            return;
        }
    }
}

/* Two acts that ask and answer the same are interchangeable where both may come next: the one that is
 * answered first goes first, one without an answer last. (In program order their successors differ.) */
bool dlab_frontier_equal_ahead(const dlab_search *s, uint32_t act)
{
    const dlab_act *acts = s->problem->acts, *mine = &acts[act];
    if (!(s->prunings & DLAB_PRUNE_EQUAL) || s->problem->sequential) return false;
    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->open[w]; left != 0; left &= left - 1) {
            const uint32_t k = s->current[w * BITS + (uint32_t)__builtin_ctzll(left)];
            const dlab_act *other = &acts[k];
            if (k < act && other->kind == mine->kind && other->a == mine->a && other->b == mine->b &&
                other->object == mine->object)
                return true;
        }
    return false;
}

/* Is an optional act on offer? */
static bool offered(dlab_search *s, uint32_t k)
{
    const uint32_t act = s->problem->mandatory + k;
    if (s->placed[act]) return false;
    if (s->problem->sequential && s->after[k] != DLAB_NONE && !s->placed[s->after[k]]) return false;
    if (s->prunings & DLAB_PRUNE_EQUAL) { /* of equal ones the earliest on offer */
        const uint32_t first = s->problem->mandatory;
        for (uint32_t e = s->equal[k]; e != DLAB_NONE; e = s->equal[e]) {
            if (!s->problem->sequential) {
                if (!s->placed[first + e]) return false;
                break; /* those before it are placed too */
            }
            if (!s->placed[first + e] && (s->after[e] == DLAB_NONE || s->placed[s->after[e]])) return false;
        }
    }
    if (dlab_frontier_equal_ahead(s, act)) return false;
    return !(s->prunings & DLAB_PRUNE_OUTLOOK) || s->spec->useful == NULL || s->spec->useful(s, act);
}

/* In this round? */
static bool of_round(dlab_search *s, const dlab_frame *f, uint32_t act)
{
    return s->spec->answers == NULL || s->spec->answers(s, f->state, act) == (f->round == 0);
}

static uint32_t mandatory_after(dlab_search *s, const dlab_frame *f)
{
    uint32_t best = DLAB_NONE;
    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->open[w]; left != 0; left &= left - 1) {
            const uint32_t act = s->current[w * BITS + (uint32_t)__builtin_ctzll(left)];
            if ((f->tried == DLAB_NONE || act > f->tried) && act < best && of_round(s, f, act)) best = act;
        }
    return best;
}

static uint32_t mandatory_before(const dlab_search *s, uint32_t tried)
{
    uint32_t best = DLAB_NONE;
    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->open[w]; left != 0; left &= left - 1) {
            const uint32_t act = s->current[w * BITS + (uint32_t)__builtin_ctzll(left)];
            if (act < tried && (best == DLAB_NONE || act > best)) best = act;
        }
    return best;
}

static uint32_t earliest_first(dlab_search *s, const dlab_frame *f, uint32_t count)
{
    const uint32_t first = s->problem->mandatory;
    const bool at_optional = f->tried != DLAB_NONE && f->tried >= first;
    const uint32_t act = at_optional ? DLAB_NONE : mandatory_after(s, f);
    if (act != DLAB_NONE) return act;
    for (uint32_t k = at_optional ? f->tried - first + 1 : 0; k < count; k++)
        if (!s->placed[first + k] && of_round(s, f, first + k) && offered(s, k)) return first + k;
    return DLAB_NONE;
}

static uint32_t latest_first(dlab_search *s, uint32_t tried, uint32_t count)
{
    const uint32_t first = s->problem->mandatory;
    if (tried == DLAB_NONE || tried >= first)
        for (uint32_t k = tried == DLAB_NONE ? count : tried - first; k-- > 0;)
            if (offered(s, k)) return first + k;
    return mandatory_before(s, tried == DLAB_NONE || tried >= first ? first : tried);
}

uint32_t dlab_frontier_next(dlab_search *s, dlab_frame *frame)
{
    const uint32_t count = s->problem->sequential ? s->problem->optional : s->optional_open;
    if (!(s->prunings & DLAB_PRUNE_EARLIEST)) return frame->tried = latest_first(s, frame->tried, count);
    const uint32_t rounds = s->spec->answers == NULL ? 1 : 2;
    for (; frame->round < rounds; frame->round++) {
        frame->tried = earliest_first(s, frame, count);
        if (frame->tried != DLAB_NONE) return frame->tried;
    }
    return DLAB_NONE;
}

void dlab_frontier_hide(dlab_search *s, uint32_t act)
{
    if (!(s->prunings & DLAB_PRUNE_OUTLOOK) || s->spec->hidden == NULL || !s->spec->overwrites(s, act))
        return;
    for (uint32_t w = 0; w < s->words; w++)
        for (uint64_t left = s->open[w]; left != 0; left &= left - 1) {
            const uint32_t other = s->current[w * BITS + (uint32_t)__builtin_ctzll(left)];
            if (other != act && s->spec->hidden(s, other)) dlab_frontier_place(s, other);
        }
}

static uint32_t *copy_mask(uint32_t *to, const uint64_t *mask, uint32_t words)
{
    memcpy(to, mask, words * sizeof *mask);
    return to + 2 * words;
}

int dlab_frontier_key(dlab_search *s, uint32_t state, dlab_dead *key)
{
    const dlab_problem *p = s->problem;
    uint32_t *end = s->key_words;
    *key = (dlab_dead){ .state = state, .prefix = s->prefix };
    if (!(s->prunings & DLAB_PRUNE_WINDOW)) { /* the set of everything placed, bit by bit */
        const uint32_t n = p->mandatory + p->optional;
        memset(end, 0, (n / 32 + 1) * sizeof *end);
        for (uint32_t k = 0; k < n; k++) end[k / 32] |= (uint32_t)s->placed[k] << (k % 32);
        key->window = dlab_words_intern(&s->wide_windows, end, n / 32 + 1, s->err);
        key->prefix = 0;
        return s->err->code;
    }
    if (p->sequential) {
        memcpy(end, s->current, s->slots * sizeof *end);
        key->window = dlab_words_intern(&s->wide_windows, end, s->slots, s->err);
    } else if (s->words == 1) {
        key->window = s->taken[0];
    } else {
        end = copy_mask(end, s->taken, s->words);
        key->window =
            dlab_words_intern(&s->wide_windows, s->key_words, (uint32_t)(end - s->key_words), s->err);
    }
    if (s->used_words <= 1) {
        key->used = s->used[0];
    } else {
        end = copy_mask(s->key_words, s->used, s->used_words);
        key->used = dlab_words_intern(&s->wide_used, s->key_words, (uint32_t)(end - s->key_words), s->err);
    }
    return s->err->code;
}
