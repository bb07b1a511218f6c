/* See trace.h. Names that every trace has, the columns of the output table, and records as its rows.
 *
 * A row is made for people and NumPy: seconds, and -1 for nobody. It must come back as the very record,
 * because text and causal order are computed from rows that went through Python. */
#include <distlab/trace.h>

#include <inttypes.h>

#include "sim/disk.h"
#include "sim/faults.h"

#define X(code, name) name,
const char *const dlab_trace_types[] = { DLAB_TRACE_TYPES(X) NULL };
const char *const dlab_trace_drops[] = { DLAB_DROPS(X) NULL };
const char *const dlab_trace_keeps[] = { DLAB_KEEPS(X) NULL };
const char *const dlab_trace_faults[] = { DLAB_FAULTS(X) NULL };
#undef X
const char *const dlab_trace_statuses[] = {
    [DLAB_DISK_OK] = "ok",
    [DLAB_DISK_ERROR] = "error",
    [DLAB_DISK_FULL] = "full",
    NULL,
};

enum { TYPES = sizeof dlab_trace_types / sizeof dlab_trace_types[0] - 1 };

const dlab_field dlab_trace_columns[] = {
    DLAB_FIELD(dlab_trace_row, time, .unit = "s", .display = "ms", .doc = "When (true time)."),
    DLAB_FIELD(dlab_trace_row, type, .choices = dlab_trace_types, .doc = "What happened."),
    DLAB_FIELD(dlab_trace_row, label,
               .doc = "Which message, timer, role, fault, state ...: index into the schema's list."),
    DLAB_FIELD(dlab_trace_row, node, .doc = "Where it happened; -1: at no node."),
    DLAB_FIELD(dlab_trace_row, peer, .doc = "The other end of a message or fault; -1: none."),
    DLAB_FIELD(dlab_trace_row, id, .doc = "The message (its copies have the same), or a ticket; 0: none."),
    DLAB_FIELD(dlab_trace_row, a, .doc = "First word of what it says, as the schema names it."),
    DLAB_FIELD(dlab_trace_row, b, .doc = "Second word."),
    DLAB_END,
};

static int64_t node_to_row(uint16_t node) { return node == DLAB_NO_NODE ? -1 : node; }

void dlab_record_to_row(const dlab_record *record, dlab_trace_row *row)
{
    *row = (dlab_trace_row){
        .time = (double)record->time / 1e9,
        .type = record->type,
        .label = record->label,
        .node = node_to_row(record->node),
        .peer = node_to_row(record->peer),
        .id = record->id,
        .a = record->a,
        .b = (int64_t)record->b,
    };
}

static int check_range(const char *name, int64_t value, int64_t least, int64_t most, dlab_error *err)
{
    if (value >= least && value <= most) return DLAB_OK;
    return dlab_fail(err, DLAB_ERANGE, "%s = %" PRId64 " is outside [%" PRId64 ", %" PRId64 "]", name, value,
                     least, most);
}

int dlab_record_from_row(const dlab_trace_row *row, dlab_record *record, dlab_error *err)
{
    const double most = (double)DLAB_TIME_MAX / 1e9;
    if (!(row->time >= -most && row->time <= most))
        return dlab_fail(err, DLAB_ERANGE, "time = %g s is outside [%g, %g]", row->time, -most, most);
    int code = check_range("type", row->type, 0, TYPES - 1, err);
    if (code == DLAB_OK) code = check_range("label", row->label, 0, UINT16_MAX, err);
    if (code == DLAB_OK) code = check_range("node", row->node, -1, DLAB_NO_NODE - 1, err);
    if (code == DLAB_OK) code = check_range("peer", row->peer, -1, DLAB_NO_NODE - 1, err);
    if (code == DLAB_OK) code = check_range("id", row->id, 0, UINT32_MAX, err);
    if (code == DLAB_OK) code = check_range("a", row->a, 0, UINT32_MAX, err);
    if (code != DLAB_OK) return code;
    *record = (dlab_record){
        .time = (int64_t)(row->time * 1e9 + (row->time < 0 ? -0.5 : 0.5)),
        .type = (uint16_t)row->type,
        .label = (uint16_t)row->label,
        .node = row->node < 0 ? DLAB_NO_NODE : (uint16_t)row->node,
        .peer = row->peer < 0 ? DLAB_NO_NODE : (uint16_t)row->peer,
        .id = (uint32_t)row->id,
        .a = (uint32_t)row->a,
        .b = (uint64_t)row->b,
    };
    return DLAB_OK;
}

void dlab_trace_roles(const dlab_record *records, size_t n, uint16_t *roles, uint32_t nodes)
{
    for (uint32_t i = 0; i < nodes; i++) roles[i] = DLAB_NO_ROLE;
    for (size_t k = 0; k < n; k++) {
        const dlab_record *r = &records[k];
        if (r->type != DLAB_TRACE_START && r->type != DLAB_TRACE_RESTART) continue;
        if (r->node < nodes) roles[r->node] = r->label;
    }
}
