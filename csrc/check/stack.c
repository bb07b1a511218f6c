/* A stack onto which every value is pushed once needs no search.
 *
 * Operations on a value whose push and pop overlap fit at any instant they share: such values are set
 * aside. Of each other value a span is certain, from the answer of its push to the call of its pop. Spans
 * that lie together without a gap make a group: all through it something is on the stack, so all through
 * it the same value is at the bottom, and that value's push is called before the first answer in the group
 * and its pop answered after the last call. Where no value is so, the history has no order. Where one is,
 * its push and pop go around everything else, so it is taken out and the rest, which may fall into several
 * groups now, is judged alike. Between groups there is an instant without any span: each value can be
 * wholly before or wholly after it, so groups do not concern each other. Nothing is chosen, so nothing is
 * tried twice. (Compare the removal of an outermost push and pop in Bouajjani, Emmi, Enea and Hamza, ICALP
 * 2015.)
 *
 * Spans are counted per gap between their ends in a tree that adds to a range and finds the first zero; it
 * also finds pushes called early enough: O(n log n) for a number of clients.
 *
 * A pop of unknown outcome may have taken any value that is left. A group that lasts to the end and has no
 * bottom needs some popped: they are taken out and put back in the end (lost.c). An order found so is an
 * order. If none is, the history is refused when there is none even where each value left may be popped
 * from the first such pop on; otherwise it stays open. */
#include "check/line.h"

enum { ZERO_NEVER = INT32_MAX / 2 };

/* A range of gaps still to be judged; when no group is left in it, items from .. to come off again. */
typedef struct job {
    uint32_t left, right, from, to;
} job;

typedef struct node {
    int32_t least, more; /* spans over any gap below, without what is above; added to all below */
    uint32_t call;       /* earliest call of a push whose span begins below */
} node;

typedef struct spans {
    dlab_line *l;
    uint32_t *place, *item; /* of each end: where; the item whose span begins there, else NONE */
    uint32_t count, leaves;
    uint32_t *begin, *end; /* of each item: its ends; count: it lasts */
    node *tree;
    job *jobs;
    uint32_t job_count;
    uint32_t *gone, gone_count;   /* items taken out, in order */
    uint32_t *sequence, written;  /* acts */
    uint32_t *aside, aside_count; /* items set aside, by the later of their calls */
    uint32_t empty;               /* next of those who found nothing */
    uint32_t lost_count;
    bool loosely; /* whatever is left may be popped from the first pop of unknown outcome on */
} spans;

static uint32_t *numbers(spans *s, size_t count)
{
    return dlab_arena_alloc(s->l->arena, count + 1, sizeof(uint32_t), s->l->err);
}

static uint32_t later(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t both_called(const dlab_item *i) { return later(i->put_called, i->take_called); }
static bool overlaps(const dlab_item *i) { return i->put_returned > i->take_called; }

/* Has this item no span here? */
static bool has_none(const spans *s, const dlab_item *i)
{
    if (s->loosely && i->take == DLAB_NONE) return i->put_returned > s->l->p->acts[s->l->spares[0]].called;
    return i->lost || overlaps(i);
}

/* The ends of all spans in their order. */
static void find_ends(spans *s)
{
    dlab_line *l = s->l;
    dlab_walk walk = { .p = l->p };
    uint32_t last = 0;
    while (dlab_walk_next(&walk)) {
        const uint32_t i = l->of[walk.act];
        s->item[s->count] = DLAB_NONE;
        s->place[s->count] = walk.place;
        if (s->loosely && walk.act == l->spares[0]) last = s->count++;
        if (i == DLAB_NONE) continue;
        const dlab_item *item = &l->items[i];
        if (has_none(s, item)) {
            if (overlaps(item) && walk.calls && walk.place == both_called(item))
                s->aside[s->aside_count++] = i;
        } else if (walk.act == item->put && !walk.calls) {
            s->item[s->count] = i;
            s->begin[i] = s->count++;
        } else if (walk.act == item->take && walk.calls) {
            s->end[i] = s->count++;
        }
    }
    s->place[s->count] = DLAB_LINE_OPEN;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i].take == DLAB_NONE) s->end[i] = s->loosely ? last : s->count;
}

static void gather_up(spans *s, uint32_t at)
{
    const node *x = &s->tree[2 * at], *y = x + 1;
    s->tree[at].least = s->tree[at].more + (x->least < y->least ? x->least : y->least);
    s->tree[at].call = x->call < y->call ? x->call : y->call;
}

static bool plant(spans *s)
{
    for (s->leaves = 1; s->leaves < s->count; s->leaves *= 2) {}
    s->tree = dlab_arena_alloc(s->l->arena, 2 * (size_t)s->leaves, sizeof *s->tree, s->l->err);
    if (s->tree == NULL) return false;
    node *leaf = s->tree + s->leaves;
    for (uint32_t i = 0; i < s->l->count; i++) {
        const dlab_item *item = &s->l->items[i];
        if (has_none(s, item)) continue;
        leaf[s->begin[i]].least++;
        if (s->end[i] < s->count) leaf[s->end[i]].least--;
    }
    for (uint32_t k = 1; k < s->count; k++) leaf[k].least += leaf[k - 1].least;
    for (uint32_t k = 0; k < s->leaves; k++) {
        if (k >= s->count) leaf[k].least = ZERO_NEVER;
        leaf[k].call =
            k < s->count && s->item[k] != DLAB_NONE ? s->l->items[s->item[k]].put_called : DLAB_NONE;
    }
    for (uint32_t at = s->leaves; at-- > 1;) gather_up(s, at);
    return true;
}

/* A part of the tree: node `at` covers gaps low .. low + size - 1. */
static void add(spans *s, uint32_t at, uint32_t low, uint32_t size, uint32_t left, uint32_t right, int32_t by)
{
    if (right <= low || left >= low + size) return;
    if (left <= low && low + size <= right) {
        s->tree[at].least += by;
        s->tree[at].more += by;
        return;
    }
    add(s, 2 * at, low, size / 2, left, right, by);
    add(s, 2 * at + 1, low + size / 2, size / 2, left, right, by);
    gather_up(s, at);
}

/* The first gap of left .. right - 1 without a span; right: there is none. */
static uint32_t first_zero(const spans *s, uint32_t at, uint32_t low, uint32_t size, uint32_t left,
                           uint32_t right, int32_t above)
{
    if (right <= low || left >= low + size || s->tree[at].least + above > 0) return right;
    if (size == 1) return low;
    above += s->tree[at].more;
    const uint32_t found = first_zero(s, 2 * at, low, size / 2, left, right, above);
    return found < right ? found : first_zero(s, 2 * at + 1, low + size / 2, size / 2, left, right, above);
}

/* The first of left .. right - 1 where a span begins whose push is called before a place; right: none. */
static uint32_t first_call(const spans *s, uint32_t at, uint32_t low, uint32_t size, uint32_t left,
                           uint32_t right, uint32_t before)
{
    if (right <= low || left >= low + size || s->tree[at].call >= before) return right;
    if (size == 1) return low;
    const uint32_t found = first_call(s, 2 * at, low, size / 2, left, right, before);
    return found < right ? found : first_call(s, 2 * at + 1, low + size / 2, size / 2, left, right, before);
}

static void take_out(spans *s, uint32_t item)
{
    const uint32_t leaf = s->leaves + s->begin[item];
    s->tree[leaf].call = DLAB_NONE;
    for (uint32_t at = leaf / 2; at > 0; at /= 2) gather_up(s, at);
    add(s, 1, 0, s->leaves, s->begin[item], s->end[item], -1);
}

/* The groups of a range become jobs, the first one on top. */
static void split(spans *s, uint32_t left, uint32_t right)
{
    const uint32_t first = s->job_count;
    while (left < right) {
        const uint32_t zero = first_zero(s, 1, 0, s->leaves, left, right, 0);
        if (zero > left) s->jobs[s->job_count++] = (job){ .left = left, .right = zero };
        left = zero + 1;
    }
    for (uint32_t a = first, b = s->job_count; a + 1 < b; a++) {
        const job swap = s->jobs[a];
        s->jobs[a] = s->jobs[--b];
        s->jobs[b] = swap;
    }
}

/* A group that lasts has no bottom: what was pushed within it while its likely bottom had to stay must
 * have been popped by somebody; where there is no such thing, what was pushed next. */
static bool repair(spans *s, const job *j)
{
    dlab_line *l = s->l;
    uint32_t bottom = DLAB_NONE;
    bool any = false;
    if (j->right < s->count || l->unknown_takes == 0 || s->loosely) return false;
    for (uint32_t k = j->left;; k++) {
        k = first_call(s, 1, 0, s->leaves, k, j->right, s->place[j->left]);
        if (k == j->right) break;
        const uint32_t i = s->item[k];
        if (bottom == DLAB_NONE || l->items[i].take_returned > l->items[bottom].take_returned) bottom = i;
    }
    for (uint32_t k = j->left; k < j->right && (!any || k < s->end[bottom]); k++) {
        const uint32_t i = s->item[k];
        if (i == DLAB_NONE || l->items[i].take != DLAB_NONE || s->tree[s->leaves + k].call == DLAB_NONE)
            continue;
        if (s->lost_count++ == l->unknown_takes) return false;
        l->items[i].lost = any = true;
        take_out(s, i);
    }
    return any;
}

static void write_empties(spans *s, uint32_t until)
{
    const dlab_line *l = s->l;
    while (s->empty < l->empty_count && l->moments[s->empty] < until)
        s->sequence[s->written++] = l->empties[s->empty++];
}

/* A group: everything that can be its bottom goes around the rest. */
static bool judge_group(spans *s, const job *j)
{
    const uint32_t first = s->place[j->left], last = s->place[j->right], from = s->gone_count;
    for (uint32_t k = j->left;; k++) {
        k = first_call(s, 1, 0, s->leaves, k, j->right, first);
        if (k == j->right) break;
        const uint32_t i = s->item[k];
        if (s->l->items[i].take_returned <= last) continue;
        take_out(s, i);
        s->gone[s->gone_count++] = i;
        s->sequence[s->written++] = s->l->items[i].put;
    }
    if (s->gone_count > from) s->jobs[s->job_count++] = (job){ .from = from, .to = s->gone_count };
    else if (!repair(s, j)) return false;
    split(s, j->left, j->right);
    return true;
}

static bool judge_all(spans *s)
{
    uint32_t inside = 0; /* groups around the one at hand */
    split(s, 0, s->count);
    while (s->job_count > 0) {
        const job j = s->jobs[--s->job_count];
        if (j.to > j.from) {
            inside--;
            for (uint32_t k = j.to; k-- > j.from;) {
                const dlab_item *item = &s->l->items[s->gone[k]];
                if (item->take != DLAB_NONE) s->sequence[s->written++] = item->take;
            }
            continue;
        }
        if (inside == 0) write_empties(s, s->place[j.left]);
        const uint32_t gone = s->gone_count;
        if (!judge_group(s, &j)) return false;
        inside += s->gone_count > gone;
    }
    write_empties(s, DLAB_NONE);
    return true;
}

/* The sequence, each act as early as its call and those before it allow, with what was set aside at the
 * instant its two operations are both called. */
static uint32_t merge(const spans *s, uint32_t *order)
{
    const dlab_line *l = s->l;
    uint32_t at = 0, written = 0, place = 0;
    for (uint32_t k = 0; k <= s->written; k++) {
        const uint32_t act = k < s->written ? s->sequence[k] : DLAB_NONE;
        place = later(place, act == DLAB_NONE ? DLAB_NONE : l->p->acts[act].called);
        for (; at < s->aside_count && both_called(&l->items[s->aside[at]]) < place; at++) {
            order[written++] = l->items[s->aside[at]].put;
            order[written++] = l->items[s->aside[at]].take;
        }
        if (act != DLAB_NONE) order[written++] = act;
    }
    return written;
}

static bool judge(spans *s)
{
    const size_t items = s->l->count, ends = 2 * items + 1;
    s->place = numbers(s, ends);
    s->item = numbers(s, ends);
    s->begin = numbers(s, items);
    s->end = numbers(s, items);
    s->jobs = dlab_arena_alloc(s->l->arena, ends + items + 1, sizeof *s->jobs, s->l->err);
    s->gone = numbers(s, items);
    s->aside = numbers(s, items);
    s->sequence = numbers(s, 2 * items + s->l->empty_count);
    if (s->l->err->code != DLAB_OK) return false;
    find_ends(s);
    return plant(s) && judge_all(s);
}

int32_t dlab_stack_decide(dlab_line *line, uint32_t *order, uint32_t *order_count)
{
    spans s = { .l = line };
    if (judge(&s) && dlab_line_find_lost(line, &s.sequence, &s.written)) {
        if (order != NULL) *order_count = merge(&s, order);
        return DLAB_VERDICT_YES;
    }
    if (line->unknown_takes == 0) return DLAB_VERDICT_NO;
    s = (spans){ .l = line, .loosely = true };
    return judge(&s) ? DLAB_VERDICT_UNKNOWN : DLAB_VERDICT_NO;
}
