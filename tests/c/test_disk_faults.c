/* Damage of disks: torn writes with every way they can fall and its odds, bits that flip and writes that go
 * astray where the atlas allows and nowhere else, and the atlas by counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_test.h"

enum { SIZE = 1000 };

/* Is a count of n trials with probability p within four standard errors? */
static bool likely(double count, double n, double p)
{
    return fabs(count - n * p) <= 4 * sqrt(n * p * (1 - p));
}

/* Three writes over sectors of 64 bytes: of 3, 1 and 2 sectors (the last begins and ends inside of one). */
static const struct {
    uint32_t offset, length, sectors;
} pending[] = { { 0, 192, 3 }, { 64, 64, 1 }, { 100, 90, 2 } };
enum { PENDING = 3, OUTCOMES = 3 + 1 + 2 + 1 };

/* Number of an outcome, from the image alone: worked out by trying all of them. Some look alike. */
static void outcome_image(int whole, uint32_t sectors, unsigned char *image)
{
    memset(image, 0, SIZE);
    for (int k = 0; k < whole; k++) memset(image + pending[k].offset, k + 1, pending[k].length);
    if (whole == PENDING) return;
    for (uint32_t b = pending[whole].offset; b < pending[whole].offset + pending[whole].length; b++)
        if (b / 64 < pending[whole].offset / 64 + sectors) image[b] = (unsigned char)(whole + 1);
}

static void crash_torn(rig *r)
{
    for (int k = 0; k < PENDING; k++)
        (void)put(r, 0, pending[k].offset, (unsigned char)(k + 1), pending[k].length, (uint64_t)k);
    dlab_disk_crash(&r->disk, DLAB_KEEP_TORN);
}

/* Add `weight` to every outcome that looks like this image, and say how many do. */
static int count_outcome(const unsigned char *image, double weight, double *weights)
{
    unsigned char expected[SIZE];
    int alike = 0, index = 0;
    for (int whole = 0; whole <= PENDING; whole++)
        for (uint32_t s = 0; s < (whole == PENDING ? 1 : pending[whole].sectors); s++, index++) {
            outcome_image(whole, s, expected);
            if (memcmp(image, expected, SIZE) != 0) continue;
            weights[index] += weight;
            alike++;
        }
    assert_int_equal(index, OUTCOMES);
    return alike;
}

/* The odds of all outcomes that look like this one: each number of whole writes 1/4, then each number of
 * sectors the same. */
static double odds_of_look(int index)
{
    unsigned char mine[SIZE], other[SIZE];
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int whole = 0, at = 0; whole <= PENDING; whole++)
            for (uint32_t s = 0; s < (whole == PENDING ? 1 : pending[whole].sectors); s++, at++) {
                if (pass == 0 && at == index) outcome_image(whole, s, mine);
                if (pass == 0) continue;
                outcome_image(whole, s, other);
                if (memcmp(mine, other, SIZE) == 0)
                    sum += 0.25 / (whole == PENDING ? 1 : pending[whole].sectors);
            }
    return sum;
}

static void every_way_to_tear_has_its_odds(void **state)
{
    (void)state;
    dlab_enumerator e;
    dlab_enumerator_open(&e);
    double total = 0, weights[OUTCOMES] = { 0 };
    int runs = 0;
    while (dlab_enumerator_next(&e)) {
        rig *r = open_rig(plain_disks("1ms"), SIZE, 1, false);
        r->disk.chooser = &e.base;
        crash_torn(r);
        assert_true(count_outcome(r->disk.image, e.weight, weights) >= 1);
        total += e.weight;
        runs++;
        close_rig(r);
    }
    assert_int_equal(runs, OUTCOMES);
    assert_true(fabs(total - 1) < 1e-12);
    for (int i = 0; i < OUTCOMES; i++) assert_true(fabs(weights[i] - odds_of_look(i)) < 1e-12);

    /* and drawn ones fall so */
    enum { DRAWN = 4000 };
    double counts[OUTCOMES] = { 0 };
    for (uint64_t key = 0; key < DRAWN; key++) {
        rig *r = open_rig(plain_disks("1ms"), SIZE, key, false);
        crash_torn(r);
        assert_true(count_outcome(r->disk.image, 1, counts) >= 1);
        close_rig(r);
    }
    for (int i = 0; i < OUTCOMES; i++) assert_true(likely(counts[i], DRAWN, weights[i]));
}

/* Names of coins are different within one event; the list tells events apart. */
static void begin_event(rig *r, int number)
{
    const dlab_choice event = dlab_choice_of(DLAB_CHOICE_PRIVATE, (uint64_t)number);
    assert_int_equal(dlab_choose(r->disk.chooser, &event, NULL, 1), 0);
}

/* A recorded list of events and loud coins makes the same bytes again; an empty one loses nothing. */
static void a_recorded_run_replays(void **state)
{
    (void)state;
    for (uint64_t key = 0; key < 200; key++) {
        dlab_disks p = plain_disks("1ms");
        p.fsync_lie = p.write_error = p.misdirect = p.crash_corrupt = 0.3;
        rig *runs[3];
        dlab_choices record = { .memory = &(dlab_memory){ 0 } };
        dlab_chooser drawn = { .record = &record };
        dlab_replay replay;
        for (int i = 0; i < 3; i++) {
            rig *r = runs[i] = open_rig(p, SIZE, key, false);
            if (i == 2) dlab_replay_open(&replay, (dlab_choice *)(void *)record.list.rows, record.list.count);
            r->disk.chooser = i == 0 ? NULL : i == 1 ? &drawn : &replay.base;
            for (int round = 0; round < 3; round++) {
                begin_event(r, 2 * round);
                crash_torn(r);
                begin_event(r, 2 * round + 1);
                for (uint64_t k = 0; k < 4; k++) (void)put(r, 0, 300 + 32 * (uint32_t)k, 9, 50, 10 + k);
                (void)dlab_disk_done(&r->disk, MS, 10);
                dlab_disk_crash(&r->disk, DLAB_KEEP_SYNCED);
            }
        }
        assert_memory_equal(runs[0]->disk.image, runs[1]->disk.image, SIZE);
        assert_memory_equal(runs[0]->disk.image, runs[2]->disk.image, SIZE);
        assert_int_equal(replay.next, replay.count);
        assert_int_equal(replay.skipped, 0);
        for (int i = 0; i < 3; i++) close_rig(runs[i]);
        dlab_choices_free(&record);
    }
    dlab_replay quiet;
    dlab_replay_open(&quiet, NULL, 0);
    rig *r = open_rig(plain_disks("1ms"), SIZE, 1, false);
    unsigned char whole[SIZE];
    r->disk.chooser = &quiet.base;
    crash_torn(r);
    outcome_image(PENDING, 0, whole);
    assert_memory_equal(r->disk.image, whole, SIZE);
    close_rig(r);
}

static int bits_set(const unsigned char *bytes, size_t size)
{
    int n = 0;
    for (size_t i = 0; i < size; i++) n += __builtin_popcount(bytes[i]);
    return n;
}

/* Sectors of 64: the writes touch 3 and 7..9 (the atlas permitting), one bit in one of them flips. */
static void a_crash_flips_one_bit_in_a_sector_just_written(void **state)
{
    enum { DRAWN = 6000 };
    (void)state;
    for (int recoverable = 0; recoverable < 2; recoverable++) {
        dlab_disks p = plain_disks("1ms");
        p.crash_corrupt = 1;
        p.recoverable = recoverable != 0;
        double counts[16] = { 0 }, expected[16] = { 0 }, variance[16] = { 0 };
        for (uint64_t key = 0; key < DRAWN; key++) {
            rig *r = open_rig(p, SIZE, key, false);
            (void)put(r, 0, 64 * 3 + 10, 0, 20, 1);
            (void)put(r, 0, 64 * 8 - 1, 0, 66, 2);
            int may = 0;
            for (size_t s = 0; s < 16; s++)
                may += (s == 3 || (s >= 7 && s <= 9)) && dlab_atlas_allows(&r->atlas, 1, s);
            for (size_t s = 0; s < 16; s++)
                if ((s == 3 || (s >= 7 && s <= 9)) && dlab_atlas_allows(&r->atlas, 1, s)) {
                    expected[s] += 1.0 / may;
                    variance[s] += 1.0 / may * (1 - 1.0 / may);
                }
            dlab_disk_crash(&r->disk, DLAB_KEEP_WRITTEN); /* the power stays: nothing flips */
            assert_int_equal(bits_set(r->disk.image, SIZE), 0);
            dlab_disk_crash(&r->disk, key % 2 == 0 ? DLAB_KEEP_SYNCED : DLAB_KEEP_TORN);
            assert_int_equal(bits_set(r->disk.image, SIZE), may > 0);
            for (size_t s = 0; s < 16; s++)
                counts[s] += bits_set(r->disk.image + 64 * s, s == 15 ? SIZE - 64 * 15 : 64);
            dlab_disk_crash(&r->disk, DLAB_KEEP_SYNCED); /* nothing was written since */
            assert_int_equal(bits_set(r->disk.image, SIZE), may > 0);
            close_rig(r);
        }
        for (int s = 0; s < 16; s++) assert_true(fabs(counts[s] - expected[s]) <= 4 * sqrt(variance[s]));
        assert_true(counts[3] > 0 && counts[7] > 0 && counts[8] > 0 && counts[9] > 0);
    }
}

/* Every place but its own is hit alike; what it should have overwritten keeps its bytes. */
static void a_stray_write_lands_whole_sectors_off(void **state)
{
    enum { DRAWN = 6000, PLACES = 15 };
    (void)state;
    dlab_disks p = plain_disks("1ms");
    p.misdirect = 1;
    p.recoverable = false;
    double counts[16] = { 0 };
    for (uint64_t key = 0; key < DRAWN; key++) {
        rig *r = open_rig(p, SIZE, key, false);
        (void)put(r, 0, 64 * 5 + 7, 0xff, 30, 1); /* fits in sectors 0 .. 15: the last has 40 bytes */
        assert_int_equal(dlab_disk_done(&r->disk, MS, 1), DLAB_DISK_OK);
        int found = -1;
        for (int s = 0; s < 16; s++)
            if (r->disk.image[64 * s + 7] == 0xff) found = s;
        assert_in_range(found, 0, 15);
        assert_int_equal(bits_set(r->disk.image + 64 * found + 7, 30), 30 * 8);
        assert_int_equal(bits_set(r->disk.image, SIZE), 30 * 8);
        counts[found]++;
        close_rig(r);
    }
    assert_true(counts[5] == 0);
    for (int s = 0; s < 16; s++)
        if (s != 5) assert_true(likely(counts[s], DRAWN, 1.0 / PLACES));
    rig *r = open_rig(p, 100, 1, false);
    (void)put(r, 0, 3, 0xff, 90, 1); /* there is no other place */
    assert_int_equal(dlab_disk_done(&r->disk, MS, 1), DLAB_DISK_OK);
    assert_int_equal(bits_set(r->disk.image + 3, 90), 90 * 8);
    close_rig(r);
}

static void rot_strikes_so_many_sectors_alike(void **state)
{
    enum { DRAWN = 4000 };
    (void)state;
    dlab_disks p = plain_disks("1ms");
    p.recoverable = false;
    double counts[16] = { 0 };
    for (uint64_t key = 0; key < DRAWN; key++) {
        rig *r = open_rig(p, SIZE, key, false);
        assert_int_equal(dlab_disk_rot(&r->disk, 3), 3);
        assert_int_equal(bits_set(r->disk.image, SIZE), 3);
        for (size_t s = 0; s < 16; s++) {
            const int bits = bits_set(r->disk.image + 64 * s, s == 15 ? SIZE - 64 * 15 : 64);
            assert_in_range(bits, 0, 1);
            counts[s] += bits;
        }
        assert_int_equal(dlab_disk_rot(&r->disk, 0), 0);
        assert_int_equal(dlab_disk_rot(&r->disk, UINT32_MAX), 16);
        close_rig(r);
    }
    for (int s = 0; s < 16; s++) assert_true(likely(counts[s], DRAWN, 3.0 / 16));
}

static void the_atlas_spares_a_majority_and_nobody_in_particular(void **state)
{
    enum { KEYS = 300, SECTORS = 20 };
    (void)state;
    for (uint32_t nodes = 1; nodes <= 9; nodes++) {
        double hits[9] = { 0 }, pairs[9][9] = { { 0 } };
        for (uint64_t key = 0; key < KEYS; key++) {
            const dlab_ctx ctx = { .key = key };
            dlab_atlas atlas, none;
            dlab_atlas_open(&atlas, &ctx, nodes, true);
            dlab_atlas_open(&none, &ctx, nodes, false);
            for (uint64_t sector = 0; sector < SECTORS; sector++) {
                bool may[9];
                uint32_t all = 0;
                for (uint32_t n = 0; n < nodes; n++) {
                    all += may[n] = dlab_atlas_allows(&atlas, n, sector);
                    assert_true(dlab_atlas_allows(&none, n, sector));
                }
                assert_int_equal(all, (nodes - 1) / 2);
                for (uint32_t n = 0; n < nodes; n++) {
                    hits[n] += may[n];
                    for (uint32_t m = 0; m < n; m++) pairs[n][m] += may[n] && may[m];
                }
            }
            assert_false(dlab_atlas_allows(&none, nodes, 0)); /* no such node */
        }
        const double n = nodes, most = (nodes - 1) / 2;
        for (uint32_t i = 0; i < nodes; i++) {
            assert_true(likely(hits[i], KEYS * SECTORS, most / n));
            for (uint32_t k = 0; k < i; k++)
                assert_true(likely(pairs[i][k], KEYS * SECTORS, most * (most - 1) / (n * (n - 1))));
        }
    }
}

/* Five replicas with the same writes and everything that damages: a majority keeps each sector as it was. */
static void a_majority_keeps_every_sector_intact(void **state)
{
    enum { NODES = 5, KEYS = 60 };
    (void)state;
    int damaged_sectors = 0;
    for (uint64_t key = 0; key < KEYS; key++) {
        dlab_disks p = plain_disks("1ms");
        p.misdirect = 0.5;
        p.crash_corrupt = 1;
        rig *r = open_rig(p, SIZE, key, false);
        dlab_disk disks[NODES];
        unsigned char truth[SIZE] = { 0 };
        for (uint32_t n = 0; n < NODES; n++)
            assert_int_equal(dlab_disk_open(&disks[n], &r->p, &r->atlas, SIZE, n, &r->ctx), DLAB_OK);
        for (uint32_t i = 0; i < 16; i++) {
            unsigned char bytes[60];
            int64_t done;
            memset(bytes, (int)(100 + i), sizeof bytes);
            const uint32_t offset = i * 61 % (SIZE - 60);
            memcpy(truth + offset, bytes, sizeof bytes);
            for (uint32_t n = 0; n < NODES; n++) {
                assert_int_equal(dlab_disk_put(&disks[n], i * MS, offset, bytes, 60, i, &done, &r->ctx),
                                 DLAB_OK);
                assert_int_equal(dlab_disk_done(&disks[n], done, i), DLAB_DISK_OK);
                if (i % 5 == 4) dlab_disk_crash(&disks[n], DLAB_KEEP_SYNCED);
            }
        }
        for (uint32_t n = 0; n < NODES; n++) (void)dlab_disk_rot(&disks[n], 4);
        for (size_t s = 0; s < 16; s++) {
            const size_t length = s == 15 ? SIZE - 64 * 15 : 64;
            int damaged = 0;
            for (uint32_t n = 0; n < NODES; n++)
                damaged += memcmp(disks[n].image + 64 * s, truth + 64 * s, length) != 0;
            assert_in_range(damaged, 0, 2);
            damaged_sectors += damaged > 0;
        }
        close_rig(r);
    }
    assert_true(damaged_sectors > KEYS * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_tear_has_its_odds),
        cmocka_unit_test(a_recorded_run_replays),
        cmocka_unit_test(a_crash_flips_one_bit_in_a_sector_just_written),
        cmocka_unit_test(a_stray_write_lands_whole_sectors_off),
        cmocka_unit_test(rot_strikes_so_many_sectors_alike),
        cmocka_unit_test(the_atlas_spares_a_majority_and_nobody_in_particular),
        cmocka_unit_test(a_majority_keeps_every_sector_intact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
