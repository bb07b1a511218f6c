/* The plan of faults without the world: the table, the rules of its rows, and which links a fault strikes.
 *
 * Shapes of partitions as in Alquraan et al., "An Analysis of Network-Partitioning Failures in Cloud
 * Systems" (OSDI 2018): complete, partial, simplex; bridge and ring of majorities as Jepsen's nemeses. */
#include <math.h>

#include "sim/disk.h"
#include "sim/faults_plan.h"

const char *const dlab_fault_names[] = {
#define X(code, name) name,
    DLAB_FAULTS(X)
#undef X
        NULL
};
static const char *const targets[] = {
#define X(code, name) name,
    DLAB_TARGETS(X)
#undef X
        NULL
};
static const char *const keeps[] = {
#define X(code, name) name,
    DLAB_KEEPS(X)
#undef X
        NULL
};

#define BLANK .dflt = -1, DLAB_OFF(-1)
static const dlab_field columns[] = {
    DLAB_FIELD(dlab_fault_row, time, .unit = "s", BLANK, .min = 0, .max = 1e9,
               .doc = "When the (first) fault begins; blank: drawn with rate."),
    DLAB_FIELD(dlab_fault_row, rate, .unit = "1/s", BLANK, .min = 1e-12, .max = 1e6,
               .doc = "Faults per second of the time without it; blank: one fault, at time."),
    DLAB_FIELD(dlab_fault_row, kind, .choices = dlab_fault_names, .dflt = -1, .doc = "What goes wrong."),
    DLAB_FIELD(dlab_fault_row, target, .choices = targets,
               .doc = "Whom: the node of the row, one drawn for each fault, each node by a process of its "
                      "own, or whoever leads at that moment."),
    DLAB_FIELD(dlab_fault_row, node, BLANK, .min = 0, .max = DLAB_NODES_MAX - 1,
               .doc = "The node; blank: the target says."),
    DLAB_FIELD(dlab_fault_row, peer, BLANK, .min = 0, .max = DLAB_NODES_MAX - 1,
               .doc = "The other end of a link; blank: all others (partial: one drawn)."),
    DLAB_FIELD(dlab_fault_row, members, BLANK, .min = 1, .max = 0x1p62 - 512,
               .doc = "One side of a partition or bridge: bit i is node i; blank: a random minority (bridge: "
                      "half of the others)."),
    DLAB_FIELD(dlab_fault_row, duration, .unit = "s", .optional = true, .min = 0, .max = 1e9,
               .doc = "How long it lasts; blank: until the run ends."),
    DLAB_FIELD(dlab_fault_row, amount, .dflt = INFINITY, DLAB_OFF(INFINITY), .min = -1e9, .max = 1e9,
               .doc = "How much: a factor (slow, slow_link, disk_slow), a share (degrade, gray), seconds "
                      "(flapping, clock_jump), ppm (clock_drift) or sectors (disk_rot)."),
    DLAB_FIELD(dlab_fault_row, message, BLANK, .min = 0, .max = UINT16_MAX,
               .doc = "Kind of message that a gray node loses; blank: all kinds."),
    DLAB_FIELD(dlab_fault_row, disk, .choices = keeps,
               .doc =
                   "What a crash leaves: exactly what was synced, nothing, also a random part of the rest, "
                   "or everything written."),
    DLAB_END,
};
#undef BLANK

const dlab_table dlab_faults_table = {
    .name = "faults",
    .doc = "What goes wrong, when, to whom and for how long.",
    .columns = columns,
    .row_size = sizeof(dlab_fault_row),
};

/* What a kind of fault needs and takes. */
typedef struct rule {
    bool victim, peer, members;
    uint32_t nodes; /* at least */
    double least, most;
    const char *amount; /* what it is; NULL: it takes none */
} rule;

#define FACTOR .least = 1e-6, .most = 1e6, .amount = "a factor"
#define SHARE .least = 0, .most = 1, .amount = "a share"
static const rule rules[] = {
    [DLAB_FAULT_CRASH] = { .victim = true },
    [DLAB_FAULT_PAUSE] = { .victim = true },
    [DLAB_FAULT_SLOW] = { .victim = true, FACTOR },
    [DLAB_FAULT_PARTITION] = { .members = true, .nodes = 2 },
    [DLAB_FAULT_ISOLATE] = { .victim = true, .nodes = 2 },
    [DLAB_FAULT_ONE_WAY] = { .victim = true, .peer = true, .nodes = 2 },
    [DLAB_FAULT_PARTIAL] = { .victim = true, .peer = true, .nodes = 2 },
    [DLAB_FAULT_BRIDGE] = { .victim = true, .members = true, .nodes = 3 },
    [DLAB_FAULT_MAJORITY_RING] = { .nodes = 3 },
    [DLAB_FAULT_FLAPPING] = { .victim = true, .nodes = 2, .least = 1e-6, .most = 1e6, .amount = "seconds" },
    [DLAB_FAULT_CLOG] = { .victim = true, .peer = true, .nodes = 2 },
    [DLAB_FAULT_SLOW_LINK] = { .victim = true, .peer = true, .nodes = 2, FACTOR },
    [DLAB_FAULT_DEGRADE] = { .victim = true, .peer = true, .nodes = 2, SHARE },
    [DLAB_FAULT_GRAY] = { .victim = true, .peer = true, SHARE },
    [DLAB_FAULT_CLOCK_JUMP] = { .victim = true, .least = -1e9, .most = 1e9, .amount = "seconds" },
    [DLAB_FAULT_CLOCK_DRIFT] = { .victim = true, .least = -1e5, .most = 1e5, .amount = "ppm" },
    [DLAB_FAULT_DISK_FULL] = { .victim = true },
    [DLAB_FAULT_DISK_ERROR] = { .victim = true },
    [DLAB_FAULT_DISK_SLOW] = { .victim = true, FACTOR },
    [DLAB_FAULT_DISK_ROT] = { .victim = true, .least = 1, .most = 1e6, .amount = "sectors" },
};
enum { KINDS = sizeof rules / sizeof rules[0] };

static bool is_blank(double x, double off) { return isnan(x) || x == off; }

static int wrong(const char *kind, const char *what, dlab_error *err)
{
    return dlab_fail(err, DLAB_EINVAL, "%s %s", kind, what);
}

static int check_node(const char *column, int64_t node, uint32_t nodes, dlab_error *err)
{
    if (node < 0 || node < (int64_t)nodes) return DLAB_OK;
    return dlab_fail(err, DLAB_ERANGE, "%s = %lld, but nodes are 0 .. %u", column, (long long)node,
                     nodes - 1);
}

static int check_members(const dlab_fault_row *r, uint32_t nodes, dlab_error *err)
{
    const char *kind = dlab_fault_names[r->kind];
    if (r->members < 0) return DLAB_OK;
    if (!rules[r->kind].members) return wrong(kind, "takes no members", err);
    const uint64_t all = nodes < 62 ? (UINT64_C(1) << nodes) - 1 : (UINT64_C(1) << 62) - 1;
    const uint64_t side = (uint64_t)r->members;
    if ((side & ~all) != 0)
        return dlab_fail(err, DLAB_ERANGE, "members has node %d, but nodes are 0 .. %u",
                         63 - __builtin_clzll(side), nodes - 1);
    if (side == 0 || (nodes <= 62 && side == all))
        return wrong(kind, "needs members that are neither nobody nor everybody", err);
    return DLAB_OK;
}

static int check_amount(const dlab_fault_row *r, dlab_error *err)
{
    const rule *k = &rules[r->kind];
    const char *kind = dlab_fault_names[r->kind];
    if (is_blank(r->amount, INFINITY)) {
        if (k->amount == NULL) return DLAB_OK;
        return dlab_fail(err, DLAB_EINVAL, "%s needs an amount (%s)", kind, k->amount);
    }
    if (k->amount == NULL) return wrong(kind, "takes no amount", err);
    if (r->amount >= k->least && r->amount <= k->most) return DLAB_OK;
    return dlab_fail(err, DLAB_ERANGE, "%s: amount = %g is outside [%g, %g] (%s)", kind, r->amount, k->least,
                     k->most, k->amount);
}

/* Whom the row strikes. */
static int check_whom(const dlab_fault_row *r, uint32_t nodes, dlab_error *err)
{
    const rule *k = &rules[r->kind];
    const char *kind = dlab_fault_names[r->kind];
    if (nodes < k->nodes)
        return dlab_fail(err, DLAB_EINVAL, "%s needs %u nodes, not %u", kind, k->nodes, nodes);
    if (check_node("node", r->node, nodes, err) || check_node("peer", r->peer, nodes, err))
        return DLAB_ERANGE;
    if (r->target > DLAB_TARGET_NODE && r->node >= 0)
        return wrong(kind, "has a node and another target: leave one of them blank", err);
    if (k->victim && r->target <= DLAB_TARGET_NODE && r->node < 0)
        return wrong(kind, "needs a node, or a target: random, each, leader", err);
    if (!k->victim && r->target == DLAB_TARGET_EACH)
        return wrong(kind, "strikes all nodes at once: its target cannot be each", err);
    if (!k->peer && r->peer >= 0) return wrong(kind, "takes no peer", err);
    if (r->peer >= 0 && r->peer == r->node) return wrong(kind, "has its node as peer", err);
    return check_members(r, nodes, err);
}

int dlab_fault_check(const dlab_fault_row *r, uint32_t nodes, dlab_error *err)
{
    if (r->kind < 0 || r->kind >= (int32_t)KINDS) return dlab_fail(err, DLAB_ERANGE, "it has no kind");
    const char *kind = dlab_fault_names[r->kind];
    if (is_blank(r->time, -1) && is_blank(r->rate, -1)) return wrong(kind, "needs a time or a rate", err);
    if (r->message >= 0 && r->kind != DLAB_FAULT_GRAY)
        return wrong(kind, "takes no message: only gray does", err);
    if (r->disk > 0 && r->kind != DLAB_FAULT_CRASH) return wrong(kind, "takes no disk: only crash does", err);
    const int code = check_whom(r, nodes, err);
    return code ? code : check_amount(r, err);
}

int dlab_faults_check(const dlab_fault_row *rows, size_t count, uint32_t nodes, dlab_error *err)
{
    if (count > DLAB_FAULT_ROWS_MAX)
        return dlab_fail(err, DLAB_ERANGE, "table 'faults' has %zu rows; at most %d", count,
                         DLAB_FAULT_ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        dlab_error row = { .code = DLAB_OK };
        if (dlab_fault_check(&rows[i], nodes, &row))
            return dlab_fail(err, row.code, "row %zu of table 'faults': %s", i, row.text);
    }
    return DLAB_OK;
}

int dlab_faults_check_plan(dlab_ref plan, uint32_t nodes, const dlab_pool *pool, dlab_error *err)
{
    if (plan.count == 0 || plan.table >= pool->count) return DLAB_OK;
    const dlab_fault_row *rows = pool->tables[plan.table].rows;
    return dlab_faults_check(rows + plan.first, plan.count, nodes, err);
}

/* --- Aim */

static void join(dlab_blow *b, uint32_t node) { b->side[node / 64] |= UINT64_C(1) << node % 64; }
static bool is_member(const dlab_blow *b, uint32_t node)
{
    return (b->side[node / 64] >> node % 64 & 1) != 0;
}

/* A minority of 1 .. (n - 1) / 2 nodes, every size alike, with the victim in it. */
static void draw_minority(dlab_blow *b, dlab_rng *rng)
{
    uint16_t ids[DLAB_NODES_MAX];
    const uint32_t n = b->nodes, most = n > 2 ? (n - 1) / 2 : 1;
    const uint32_t size = 1 + (uint32_t)dlab_rng_below(rng, most);
    for (uint32_t i = 0; i < n; i++) ids[i] = (uint16_t)i;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t pick = i + (uint32_t)dlab_rng_below(rng, n - i);
        if (i == 0 && b->victim != DLAB_NO_NODE) pick = b->victim;
        const uint16_t id = ids[pick];
        ids[pick] = ids[i];
        ids[i] = id;
        join(b, id);
    }
}

void dlab_blow_aim(dlab_blow *b, const dlab_fault_row *row, uint32_t nodes, uint32_t victim, dlab_rng *rng)
{
    *b = (dlab_blow){ .kind = row->kind, .nodes = nodes, .victim = victim, .peer = DLAB_NO_NODE };
    if (row->peer >= 0) b->peer = (uint32_t)row->peer;
    if (row->members >= 0) b->side[0] = (uint64_t)row->members;
    else if (row->kind == DLAB_FAULT_PARTITION) draw_minority(b, rng);
    else if (row->kind == DLAB_FAULT_BRIDGE)
        for (uint32_t i = 0, joined = 0; joined < nodes / 2; i++)
            if (i != victim) join(b, i), joined++;
    if (row->kind == DLAB_FAULT_PARTIAL && b->peer == DLAB_NO_NODE) {
        b->peer = (uint32_t)dlab_rng_below(rng, nodes - 1);
        b->peer += b->peer >= victim;
    }
}

bool dlab_blow_is_local(const dlab_blow *b)
{
    return b->kind != DLAB_FAULT_PARTITION && b->kind != DLAB_FAULT_BRIDGE &&
           b->kind != DLAB_FAULT_MAJORITY_RING;
}

bool dlab_blow_strikes(const dlab_blow *b, uint32_t from, uint32_t to)
{
    const uint32_t n = b->nodes, v = b->victim, majority = n / 2 + 1;
    if (from == to) return false;
    switch (b->kind) {
    case DLAB_FAULT_PARTITION: return is_member(b, from) != is_member(b, to);
    case DLAB_FAULT_ISOLATE:
    case DLAB_FAULT_FLAPPING: return from == v || to == v;
    case DLAB_FAULT_PARTIAL: return (from == v && to == b->peer) || (from == b->peer && to == v);
    case DLAB_FAULT_BRIDGE: return from != v && to != v && is_member(b, from) != is_member(b, to);
    case DLAB_FAULT_MAJORITY_RING: return (from + n - to + majority / 2) % n >= majority;
    case DLAB_FAULT_ONE_WAY:
    case DLAB_FAULT_CLOG:
    case DLAB_FAULT_SLOW_LINK:
    case DLAB_FAULT_DEGRADE: return from == v && (b->peer == DLAB_NO_NODE || b->peer == to);
    default: return false;
    }
}
