/* A network with a run around it, for the tests of the network. */
#ifndef DISTLAB_TEST_NETWORK_LAB_H
#define DISTLAB_TEST_NETWORK_LAB_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/network.h"

enum { NODES = 4 };

static inline dlab_memory *memory_of_tests(void)
{
    static dlab_memory memory;
    return &memory;
}

static const dlab_model model = { .name = "test.network", .params = dlab_network_fields };

static inline dlab_distribution law(const char *text)
{
    dlab_distribution d;
    assert_int_equal(dlab_distribution_parse(text, "s", NULL, NULL, &d, NULL), DLAB_OK);
    return d;
}

static inline dlab_network settings(const char *delay)
{
    return (
        dlab_network){ .delay = law(delay), .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY };
}

static inline dlab_link_row blank_row(int64_t from, int64_t to)
{
    return (dlab_link_row){ .from = from,
                            .to = to,
                            .delay = { .kind = -1 },
                            .loss = NAN,
                            .duplicate = NAN,
                            .reorder = NAN,
                            .corrupt = NAN,
                            .bandwidth = NAN,
                            .link_queue = NAN,
                            .ordering = -1 };
}

/* A network with its run around it. */
typedef struct lab {
    dlab_ctx ctx;
    dlab_network p;
    dlab_rows table;
    dlab_pool pool;
    dlab_net net;
} lab;

static inline int try_lab(lab *l, dlab_network p, dlab_link_row *rows, uint32_t count)
{
    *l = (lab){ .p = p, .table = { rows, count, sizeof *rows } };
    l->pool = (dlab_pool){ &l->table, 1 };
    l->p.links = (dlab_ref){ 0, 0, count };
    l->ctx = (dlab_ctx){ .key = 7,
                         .arena = { .memory = memory_of_tests() },
                         .pool = &l->pool,
                         .model = &model,
                         .params = &l->p,
                         .steps_max = UINT64_MAX,
                         .poll_at = UINT64_MAX };
    return dlab_net_open(&l->net, &l->p, NODES, &l->ctx);
}

static inline void open_lab(lab *l, dlab_network p, dlab_link_row *rows, uint32_t count)
{
    if (try_lab(l, p, rows, count)) fail_msg("%s", l->ctx.err.text);
}

static inline void close_lab(lab *l)
{
    assert_int_equal(l->ctx.err.code, DLAB_OK);
    dlab_arena_free(&l->ctx.arena);
    assert_int_equal(memory_of_tests()->used, 0);
}

static inline dlab_fate send_wire(lab *l, int64_t now, unsigned from, unsigned to, unsigned kind,
                                  uint32_t wire)
{
    const dlab_message m = {
        .from = (uint16_t)from, .to = (uint16_t)to, .kind = (uint16_t)kind, .wire = wire
    };
    dlab_fate fate;
    if (dlab_net_send(&l->net, now, &m, l->net.sent, &fate)) fail_msg("%s", l->ctx.err.text);
    return fate;
}

static inline dlab_fate send(lab *l, int64_t now, unsigned from, unsigned to)
{
    return send_wire(l, now, from, to, 0, 100);
}

/* Messages of a kind to anybody. */
static inline dlab_gray gray_of(int32_t kind, double share)
{
    return (dlab_gray){ .kind = kind, .peer = DLAB_NO_NODE, .share = share };
}

/* A share of n within four standard errors of p. */
static inline void assert_share(const char *what, double count, double n, double p)
{
    if (!(fabs(count - n * p) <= 4 * sqrt(n * p * (1 - p))))
        fail_msg("%s: %g of %g, expected a share of %g", what, count, n, p);
}

#endif
