/* See raft_past.h. How logs come to disagree, as in figure 7 of the paper: "f could occur if that server was
 * the leader for term 2, added several entries to its log, then crashed before committing any of them; it
 * restarted quickly, became leader for term 3, and added a few more".
 *
 * Here the last voter and a rival took turns. All servers share one entry, of term 1. The stray server led
 * terms 2, 4 .. 2n, the rival terms 3, 5 .. 2n + 1, and each wrote entries that reached nobody: the others
 * had nothing that could have refused either of them. At the end of the last term the rival reached everybody
 * but the stray server, and then the cluster went down before it told anyone that anything was committed. So
 * no entry that was acknowledged is in conflict, and whoever of the others wins the first election finds a
 * follower whose log is wrong behind the first entry. Terms that alternate are the worst case of a search
 * that passes one term at a time. */
#include "consensus/raft_past.h"
#include "consensus/raft_inner.h"

const dlab_field dlab_raft_past_fields[] = {
    DLAB_FIELD(
        dlab_raft_past, divergence, .dflt = 0, .min = 0, .max = 1 << 16, .low = 0, .high = 10000,
        .doc = "Entries that the last voter alone has at the start: it led, wrote them and reached nobody."),
    DLAB_FIELD(dlab_raft_past, divergent_terms, .dflt = 1, .min = 1, .max = 1 << 16, .low = 1, .high = 64,
               .log_scale = true, .doc = "Terms in which it wrote them, as many in each."),
    DLAB_FIELD(dlab_raft_past, rival_entries, .dflt = -1, DLAB_OFF(-1), .min = 0, .max = 1 << 16, .low = 0,
               .high = 10000,
               .doc =
                   "Entries that all other voters have in their place, of terms in between. None: as many."),
    DLAB_END,
};

int dlab_raft_past_check(const dlab_raft_past *p, int64_t voters, int64_t log_capacity, dlab_error *err)
{
    const int64_t rival = p->rival_entries < 0 ? p->divergence : p->rival_entries;
    const int64_t most = rival > p->divergence ? rival : p->divergence;
    if (most == 0) return DLAB_OK;
    if (voters < 3)
        return dlab_fail(
            err, DLAB_EINVAL,
            "divergence and rival_entries need nodes >= 3 (nodes = %lld): a server of two cannot "
            "lead and reach nobody",
            (long long)voters);
    if (p->divergence > 0 && p->divergent_terms > p->divergence)
        return dlab_fail(err, DLAB_EINVAL, "divergent_terms = %lld must be at most divergence = %lld",
                         (long long)p->divergent_terms, (long long)p->divergence);
    if (most + 16 > log_capacity)
        return dlab_fail(err, DLAB_EINVAL,
                         "logs of %lld entries at the start (divergence, rival_entries) need log_capacity of "
                         "at least %lld",
                         (long long)most, (long long)most + 16);
    return DLAB_OK;
}

/* `count` entries in `terms` terms of one leader, two apart, the last of them `last`. */
static void write_terms(raft *r, uint32_t count, uint32_t terms, uint32_t last)
{
    dlab_raft_entry e = { .kind = DLAB_RAFT_OP_NOOP, .client = DLAB_NO_NODE, .wire = r->c->command_bytes };
    if (terms > count) terms = count;
    for (uint32_t k = 0; k < count; k++) {
        e.term = last - 2 * (terms - 1 - (uint32_t)((uint64_t)k * terms / count));
        dlab_raft_put(r, &e);
    }
}

void dlab_raft_bring(raft *r)
{
    const dlab_raft *c = r->c;
    const uint32_t bit = raft_bit(r->me), last = 2 * c->past_terms + 1;
    const uint32_t stray = UINT32_C(1) << (31 - __builtin_clz(c->members.voters));
    const dlab_raft_entry first = {
        .kind = DLAB_RAFT_OP_NOOP, .client = DLAB_NO_NODE, .wire = c->command_bytes, .term = 1
    };
    if (c->past_stray == 0 && c->past_rival == 0) return;
    if ((c->members.voters & bit) == 0) return;
    dlab_raft_put(r, &first);
    if (bit == stray) write_terms(r, c->past_stray, c->past_terms, last - 1);
    else write_terms(r, c->past_rival, c->past_terms, last);
    dlab_raft_set_hard(r, last, 0);
}
