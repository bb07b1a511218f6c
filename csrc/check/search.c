/* Depth first over configurations. What only reads is placed at once, so a configuration branches on acts
 * that change the state; one that has been left without success is remembered and never entered again.
 * Nothing is remembered on the way down: a history that is fine costs no cache, only its own length. */
#include <string.h>

#include "check/search.h"

enum { POLL_EVERY = 4096, FRAMES_FIRST = 256 };

const dlab_spec *dlab_spec_of(dlab_family family)
{
    switch (family) {
    case DLAB_FAMILY_REGISTER: return &dlab_spec_register;
    case DLAB_FAMILY_TEXT:
    case DLAB_FAMILY_LIST: return &dlab_spec_sequence;
    case DLAB_FAMILY_USER: return &dlab_spec_user;
    default: return &dlab_spec_store;
    }
}

int dlab_search_open(dlab_search *s)
{
    s->spec = s->problem->objects == 1 ? dlab_spec_of(s->problem->plan->family) : &dlab_spec_product;
    s->cache = (dlab_cache){ .memory = s->memory, .fewer = (s->prunings & DLAB_PRUNE_FEWER) != 0 };
    if (dlab_frontier_open(s) == DLAB_OK) (void)s->spec->open(s);
    if (s->used_words > 1) s->cache.masks = &s->wide_used;
    return s->err->code;
}

void dlab_search_close(dlab_search *s)
{
    if (s->spec != NULL && s->spec->close != NULL) s->spec->close(s);
    dlab_cache_close(&s->cache);
    dlab_words_close(&s->wide_windows);
    dlab_words_close(&s->wide_used);
    dlab_memory_free(s->memory, s->frames, s->frame_capacity * sizeof *s->frames);
    s->frames = NULL;
    s->frame_capacity = 0;
}

static int push(dlab_search *s, uint32_t state)
{
    if (s->frame_count == s->frame_capacity) {
        const size_t more = s->frame_capacity == 0 ? FRAMES_FIRST : 2 * s->frame_capacity;
        dlab_frame *bigger = dlab_memory_realloc(s->memory, s->frames, s->frame_capacity * sizeof *bigger,
                                                 more * sizeof *bigger, s->err);
        if (bigger == NULL) return DLAB_ENOMEM;
        s->frames = bigger;
        s->frame_capacity = more;
    }
    s->frames[s->frame_count++] =
        (dlab_frame){ .state = state, .prefix = s->prefix, .placed = s->placed_count, .tried = DLAB_NONE };
    return DLAB_OK;
}

/* A configuration leads no further: is it the deepest so far? */
static void note_dead_end(dlab_search *s, uint32_t state)
{
    const uint32_t depth = s->problem->sequential ? s->placed_mandatory : s->prefix;
    if (!s->explain || depth < s->deepest || (depth == s->deepest && s->pending_count == DLAB_PENDING_MAX))
        return;
    if (depth > s->deepest || s->pending_count == 0) {
        s->deepest = depth;
        s->deepest_count = s->placed_count;
        s->pending_count = 0;
        memcpy(s->deepest_order, s->order, s->placed_count * sizeof *s->order);
    }
    for (uint32_t k = 0; k < s->pending_count; k++)
        if (s->pending[k] == state) return;
    s->pending[s->pending_count++] = state;
}

static bool out_of_budget(dlab_search *s)
{
    s->states++;
    if (s->states_max != 0 && s->states > s->states_max) {
        s->reason = "budget of states";
        return true;
    }
    if (s->states - s->polled < POLL_EVERY || s->options->poll == NULL) return false;
    const uint64_t since = s->states - s->polled;
    s->polled = s->states;
    if (!s->options->poll(s->options->poll_arg, since)) return false;
    s->reason = "stopped by the caller";
    return true;
}

/* Is there anything behind this configuration that was not tried before? */
static bool leads_on(dlab_search *s, uint32_t state)
{
    if ((s->prunings & DLAB_PRUNE_OUTLOOK) && s->spec->hopeless != NULL && s->spec->hopeless(s, state))
        return false;
    dlab_dead key;
    if (s->cache.count == 0) return true;
    return dlab_frontier_key(s, state, &key) != DLAB_OK || !dlab_cache_has(&s->cache, &key);
}

/* An act of unknown outcome nobody saw, right before one that hides what it did: it may as well not have
 * happened, which is tried elsewhere. */
static bool hides_unknown(dlab_search *s, const dlab_frame *top, uint32_t act)
{
    if (!(s->prunings & DLAB_PRUNE_OUTLOOK) || s->spec->overwrites == NULL || top->placed == 0) return false;
    return s->order[top->placed - 1] >= s->problem->mandatory && s->spec->overwrites(s, act);
}

/* The next act of the configuration on top, placed; the state after it. DLAB_NONE: all were tried. */
static uint32_t branch(dlab_search *s)
{
    dlab_frame *top = &s->frames[s->frame_count - 1];
    for (;;) {
        const uint32_t act = dlab_frontier_next(s, top);
        if (act == DLAB_NONE) return DLAB_NONE;
        if (act < s->problem->mandatory && dlab_frontier_equal_ahead(s, act)) continue;
        if (hides_unknown(s, top, act)) continue;
        const uint32_t state = s->spec->step(s, top->state, act);
        if (s->err->code != DLAB_OK) return DLAB_NONE;
        if (state == DLAB_NONE) continue;
        /* Of unknown outcome and without effect: it may as well not have happened. */
        const bool idle = state == top->state && act >= s->problem->mandatory;
        if (idle && (s->prunings & DLAB_PRUNE_FEWER)) continue;
        dlab_frontier_hide(s, act);
        dlab_frontier_place(s, act);
        return state;
    }
}

int32_t dlab_search_run(dlab_search *s)
{
    uint32_t state = s->initial;
    dlab_frontier_settle(s, state);
    while (s->err->code == DLAB_OK) {
        if (dlab_frontier_done(s)) return DLAB_VERDICT_YES;
        if (out_of_budget(s)) return DLAB_VERDICT_UNKNOWN;
        if (leads_on(s, state)) {
            if (s->err->code != DLAB_OK || push(s, state)) break;
        } else {
            note_dead_end(s, state);
        }
        for (;;) {
            if (s->frame_count == 0) return DLAB_VERDICT_NO;
            const dlab_frame *top = &s->frames[s->frame_count - 1];
            dlab_frontier_rewind(s, top->placed, top->prefix);
            state = branch(s);
            if (s->err->code != DLAB_OK) return DLAB_VERDICT_UNKNOWN;
            if (state != DLAB_NONE) break;
            dlab_dead key;
            state = s->frames[--s->frame_count].state;
            note_dead_end(s, state);
            if (dlab_frontier_key(s, state, &key) || dlab_cache_add(&s->cache, &key, s->err))
                return DLAB_VERDICT_UNKNOWN;
        }
        dlab_frontier_settle(s, state);
    }
    return DLAB_VERDICT_UNKNOWN;
}
