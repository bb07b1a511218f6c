/* What is made of a no. First the window: linearizability is prefix-closed, so the shortest beginning of
 * the history that fails ends with some answer, found by bisection; what was called but not answered by
 * then has an unknown outcome. (Sequential consistency is not prefix-closed: there the window is
 * everything.)
 *
 * Then deletion, while it stays no. A deletion must not make a good history bad, so only these are tried:
 * operations that only read; all operations on one value of a register, queue, stack or set (the rest
 * never sees that value); appends and puts no remaining read has in it. Larger pieces first, then halves
 * of them. */
#include <string.h>

#include "check/judge.h"

/* Work counts a state explored as one, and an act looked at by a trial as a sixteenth. */
enum { ROUNDS = 3, SHRINK_WORK = 4000000, TRIAL_STATES = 50000, ACTS_A_UNIT = 16 };

typedef struct shrinker {
    dlab_judge *judge;
    uint32_t object, until;
    unsigned char *keep;
    uint32_t *acts, count; /* of the window */
    uint32_t *unit;        /* of each act: which it goes with, NONE: it stays */
    uint32_t units;
    uint64_t work;
} shrinker;

static bool fails(shrinker *k)
{
    dlab_judge *j = k->judge;
    const uint64_t limit = j->states_max;
    dlab_question q = { .object = k->object, .until = k->until, .keep = k->keep };
    j->states_max = j->result->states + TRIAL_STATES;
    const uint64_t before = j->result->states;
    const int32_t verdict = dlab_judge_ask(j, &q);
    const uint64_t work = j->result->states - before + k->count / ACTS_A_UNIT;
    k->work += work;
    if (j->options->poll != NULL && j->options->poll(j->options->poll_arg, work)) k->work = SHRINK_WORK;
    j->states_max = limit;
    return verdict == DLAB_VERDICT_NO;
}

static bool in_window(const shrinker *k, uint32_t act)
{
    const dlab_act *a = &k->judge->plan.acts[act];
    return (k->object == DLAB_NONE || a->object == k->object) && a->called <= k->until;
}

/* Delete units first .. first + count - 1 for good if the rest still fails. */
static bool try_without(shrinker *k, uint32_t first, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; i < k->count; i++) {
        const uint32_t act = k->acts[i];
        if (!k->keep[act] || k->unit[act] == DLAB_NONE || k->unit[act] - first >= count) continue;
        k->keep[act] = 0;
        any = true;
    }
    const bool gone = any && fails(k);
    for (uint32_t i = 0; i < k->count && any; i++) {
        const uint32_t act = k->acts[i];
        if (k->keep[act] || k->unit[act] == DLAB_NONE || k->unit[act] - first >= count) continue;
        if (gone) k->unit[act] = DLAB_NONE;
        else k->keep[act] = 1;
    }
    return gone;
}

static bool shrink_units(shrinker *k)
{
    bool any = false;
    uint32_t piece = 1;
    while (piece < k->units) piece *= 2;
    for (; piece > 0; piece /= 2)
        for (uint32_t first = 0; first < k->units; first += piece) {
            if (k->judge->err->code != DLAB_OK || k->work >= SHRINK_WORK) return any;
            any |= try_without(k, first, piece);
        }
    return any;
}

/* Every operation that only reads is a unit. */
static void units_of_reads(shrinker *k)
{
    const dlab_plan *p = &k->judge->plan;
    k->units = 0;
    for (uint32_t w = 0; w < k->count; w++) {
        const uint32_t i = k->acts[w];
        k->unit[i] = k->keep[i] && p->acts[i].reads ? k->units++ : DLAB_NONE;
    }
}

/* The representative of a value in a forest of linked values. */
static uint32_t root(uint32_t *parent, uint32_t value)
{
    while (parent[value] != value) value = parent[value] = parent[parent[value]];
    return value;
}

static bool on_one_value(const dlab_act *a)
{
    switch (a->kind) {
    case DLAB_ACT_EMPTY:
    case DLAB_ACT_TAKE_ANY: return false;
    default: return true;
    }
}

/* All operations on one value are a unit; values linked by a compare-and-set are one. Nothing may remain
 * that sees "anything but" a value, or a whole set with it: such values stay. */
static bool units_of_values(shrinker *k, uint32_t *parent)
{
    const dlab_plan *p = &k->judge->plan;
    const uint32_t values = (uint32_t)p->values.values.count;
    const bool set = p->family == DLAB_FAMILY_SET,
               line = p->family == DLAB_FAMILY_QUEUE || p->family == DLAB_FAMILY_STACK;
    if (p->family != DLAB_FAMILY_REGISTER && !set && !line) return false;
    for (uint32_t v = 0; v < values; v++) parent[v] = v;
    uint32_t *number = parent + values;
    memset(number, 0xff, values * sizeof *number);
    for (uint32_t w = 0; w < k->count; w++) {
        const dlab_act *a = &p->acts[k->acts[w]];
        if (!k->keep[k->acts[w]]) continue;
        if (a->kind == DLAB_ACT_NOT) return false;
        if (a->kind == DLAB_ACT_CAS) parent[root(parent, a->a)] = root(parent, a->b);
        if (!set || a->kind != DLAB_ACT_READ) continue;
        const dlab_value list = dlab_value_of(&p->values, a->a);
        for (uint32_t e = 0; e < list.count; e++) {
            dlab_value_ids *ids = &k->judge->plan.values;
            const uint32_t id = dlab_value_id(ids, dlab_history_elements(p->history, list)[e], k->judge->err);
            if (id < values) number[id] = DLAB_NONE - 1;
        }
    }
    k->units = 0;
    for (uint32_t w = 0; w < k->count; w++) {
        const uint32_t i = k->acts[w];
        const dlab_act *a = &p->acts[i];
        k->unit[i] = DLAB_NONE;
        if (!k->keep[i] || !on_one_value(a) || (set && a->kind == DLAB_ACT_READ)) continue;
        const uint32_t v = root(parent, a->a);
        if (number[v] == DLAB_NONE) number[v] = k->units++;
        if (number[v] != DLAB_NONE - 1) k->unit[i] = number[v];
    }
    return true;
}

/* Does a read's value have the elements of another in it, anywhere? */
static bool has_in_it(const dlab_plan *p, dlab_value read, dlab_value part, bool one)
{
    if (p->family == DLAB_FAMILY_TEXT) {
        size_t n = 0, m = 0;
        const char *x =
            read.kind == DLAB_VALUE_TEXT ? dlab_history_text(p->history, (uint32_t)read.number, &n) : "";
        const char *y =
            part.kind == DLAB_VALUE_TEXT ? dlab_history_text(p->history, (uint32_t)part.number, &m) : "";
        for (size_t at = 0; at + m <= n; at++)
            if (memcmp(x + at, y, m) == 0) return true;
        return false;
    }
    if (!one && part.count == 0) return true;
    const dlab_value first = one ? part : dlab_history_elements(p->history, part)[0];
    for (uint32_t e = 0; e < read.count; e++)
        if (dlab_value_equal(p->history, dlab_history_elements(p->history, read)[e], first)) return true;
    return false;
}

/* Does some remaining read have these elements in what it saw? */
static bool is_seen(const shrinker *k, const dlab_act *act)
{
    const dlab_plan *p = &k->judge->plan;
    for (uint32_t w = 0; w < k->count; w++) {
        const dlab_act *r = &p->acts[k->acts[w]];
        if (!k->keep[k->acts[w]] || r->kind != DLAB_ACT_READ || r->object != act->object) continue;
        if (has_in_it(p, dlab_history_at(p->history, r->source)->result, dlab_value_of(&p->values, act->a),
                      act->kind == DLAB_ACT_APPEND))
            return true;
    }
    return false;
}

/* Appends and puts nobody has seen. */
static bool units_of_unseen(shrinker *k)
{
    const dlab_plan *p = &k->judge->plan;
    if (p->family != DLAB_FAMILY_TEXT && p->family != DLAB_FAMILY_LIST) return false;
    k->units = 0;
    for (uint32_t w = 0; w < k->count; w++) {
        const uint32_t i = k->acts[w];
        const bool stays = !k->keep[i] || p->acts[i].kind == DLAB_ACT_READ || is_seen(k, &p->acts[i]);
        k->unit[i] = stays ? DLAB_NONE : k->units++;
    }
    return true;
}

static void shrink(shrinker *k, uint32_t *parent)
{
    bool any = true;
    for (int round = 0; round < ROUNDS && any; round++) {
        any = false;
        if (units_of_values(k, parent)) any |= shrink_units(k);
        units_of_reads(k);
        any |= shrink_units(k);
        if (units_of_unseen(k)) any |= shrink_units(k);
    }
}

/* Operations kept, as indices of the history. */
static int collect(const shrinker *k, uint32_t **out, size_t *count)
{
    size_t n = 0;
    for (uint32_t i = 0; i < k->count; i++) n += k->keep[k->acts[i]];
    *out = dlab_memory_realloc(k->judge->memory, NULL, 0, n * sizeof **out, k->judge->err);
    if (*out == NULL) return DLAB_ENOMEM;
    for (uint32_t i = 0; i < k->count; i++)
        if (k->keep[k->acts[i]]) (*out)[(*count)++] = k->judge->plan.acts[k->acts[i]].source;
    return DLAB_OK;
}

/* The least number of answers of the object after which it fails, knowing that it fails after `until`. */
static void bisect(shrinker *k)
{
    dlab_judge *j = k->judge;
    const dlab_plan *p = &j->plan;
    const bool all = k->object == DLAB_NONE;
    const uint32_t *returns = all ? p->all_returns : p->by_return + p->return_start[k->object];
    uint32_t low = 0, high = all ? p->answered : p->return_start[k->object + 1] - p->return_start[k->object];
    while (high > 1 && p->acts[returns[high - 2]].returned >= k->until) high--;
    while (high - low > 1 && j->err->code == DLAB_OK) {
        const uint32_t middle = low + (high - low) / 2;
        k->until = p->acts[returns[middle - 1]].returned;
        if (fails(k)) high = middle;
        else low = middle;
    }
    k->until = p->acts[returns[high - 1]].returned;
    j->result->stuck = p->acts[returns[high - 1]].source;
}

/* Objects behind the first that fails may fail earlier in time. */
static void find_earliest(shrinker *k)
{
    const uint32_t objects = k->object == DLAB_NONE ? 0 : k->judge->plan.objects;
    bisect(k);
    for (uint32_t o = k->object + 1; o < objects && k->judge->err->code == DLAB_OK; o++) {
        const uint32_t object = k->object, until = k->until;
        k->object = o;
        k->until = until - 1;
        if (fails(k)) {
            bisect(k);
        } else {
            k->object = object;
            k->until = until;
        }
    }
}

int dlab_judge_explain(dlab_judge *judge, uint32_t object)
{
    dlab_plan *p = &judge->plan;
    dlab_check_result *r = judge->result;
    shrinker k = { .judge = judge, .object = object, .until = DLAB_NONE };
    k.keep = dlab_arena_alloc(&p->arena, p->act_count, 1, judge->err);
    k.acts = dlab_arena_alloc(&p->arena, p->act_count, sizeof *k.acts, judge->err);
    k.unit = dlab_arena_alloc(&p->arena, p->act_count, sizeof *k.unit, judge->err);
    uint32_t *parent = dlab_arena_alloc(&p->arena, 2 * p->values.values.count, sizeof *parent, judge->err);
    if (k.keep == NULL || k.acts == NULL || k.unit == NULL || parent == NULL) return judge->err->code;
    memset(k.keep, 1, p->act_count);
    if (!judge->sequential && judge->options->bug == DLAB_CHECK_BUG_NONE) find_earliest(&k);
    for (uint32_t i = 0; i < p->act_count; i++)
        if (in_window(&k, i)) k.acts[k.count++] = i;
    if (judge->err->code == DLAB_OK && collect(&k, &r->window_operations, &r->window_count) == DLAB_OK &&
        judge->options->shrink) {
        shrink(&k, parent);
        if (judge->err->code == DLAB_OK) (void)collect(&k, &r->shrunk, &r->shrunk_count);
    }
    dlab_question q = { .object = k.object, .until = k.until, .keep = k.keep, .explain = true };
    if (judge->err->code == DLAB_OK) (void)dlab_judge_ask(judge, &q);
    r->verdict = DLAB_VERDICT_NO;
    return judge->err->code;
}
