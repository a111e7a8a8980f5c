/* Disks that lose what was not synced. */
#include <criterion/criterion.h>

#include "sim/disk.h"

static void put(struct kv_store *s, const char *key, bool sync)
{
    void *batch = s->ops->batch_new(s->ctx);
    s->ops->batch_put(batch, span_str(key), span_str("x"));
    cr_assert_eq(s->ops->batch_write(s->ctx, batch, sync, NULL), RESULT_OK);
    s->ops->batch_free(batch);
}

static bool has(struct kv_store *s, const char *key)
{
    struct buffer value = {0};
    enum result r = s->ops->get(s->ctx, span_str(key), &value, NULL);
    buffer_clear(&value);
    return r == RESULT_OK;
}

Test(sim_disk, keeps_synced_batches_and_loses_later_ones_from_the_end)
{
    bool lost_all = false, lost_some = false, lost_none = false;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct random random;
        struct sim_disk d;
        random_init_u64(&random, seed);
        sim_disk_open(&d);
        struct chain_ports ports = sim_disk_ports(&d);
        put(&ports.index, "a", false);
        put(&ports.index, "b", true);
        put(&ports.index, "c", false);
        put(&ports.index, "d", false);
        sim_disk_lose_power(&d, &random);
        bool c = has(&ports.index, "c"), e = has(&ports.index, "d");
        cr_assert(has(&ports.index, "a") && has(&ports.index, "b"));
        cr_assert(c || !e, "a later batch does not outlive an earlier one");
        lost_all |= !c;
        lost_some |= c && !e;
        lost_none |= e;
        sim_disk_close(&d);
    }
    cr_assert(lost_all && lost_some && lost_none);
}

Test(sim_disk, tears_writes_to_files_that_were_not_synced)
{
    bool lost = false, torn = false, whole = false;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct random random;
        struct sim_disk d;
        uint8_t back[20] = {0};
        uint64_t size = 0;
        random_init_u64(&random, seed);
        sim_disk_open(&d);
        struct chain_ports ports = sim_disk_ports(&d);
        struct flat_store *f = &ports.files;
        cr_assert_eq(f->ops->write(f->ctx, FLAT_BLOCKS, 0, 0, span_str("0123456789"), NULL), RESULT_OK);
        cr_assert_eq(f->ops->sync(f->ctx, FLAT_BLOCKS, 0, 10, false, NULL), RESULT_OK);
        cr_assert_eq(f->ops->write(f->ctx, FLAT_BLOCKS, 0, 10, span_str("abcdefghij"), NULL), RESULT_OK);
        sim_disk_lose_power(&d, &random);
        cr_assert_eq(f->ops->size(f->ctx, FLAT_BLOCKS, 0, &size, NULL), RESULT_OK);
        cr_assert_eq(f->ops->read(f->ctx, FLAT_BLOCKS, 0, 0, back, (size_t)size, NULL), RESULT_OK);
        cr_assert_eq(memcmp(back, "0123456789", 10), 0);
        cr_assert_eq(memcmp(back + 10, "abcdefghij", (size_t)size - 10), 0);
        lost |= size == 10;
        torn |= size > 10 && size < 20;
        whole |= size == 20;
        sim_disk_close(&d);
    }
    cr_assert(lost && torn && whole);
}

Test(sim_disk, loses_a_file_that_was_never_synced)
{
    bool lost = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct random random;
        struct sim_disk d;
        random_init_u64(&random, seed);
        sim_disk_open(&d);
        struct chain_ports ports = sim_disk_ports(&d);
        struct flat_store *f = &ports.files;
        cr_assert_eq(f->ops->write(f->ctx, FLAT_UNDO, 3, 0, span_str("x"), NULL), RESULT_OK);
        sim_disk_lose_power(&d, &random);
        lost |= f->ops->count(f->ctx, FLAT_UNDO) == 0;
        sim_disk_close(&d);
    }
    cr_assert(lost);
}

Test(sim_disk, fails_from_a_write_on_until_it_is_well)
{
    struct sim_disk d;
    sim_disk_open(&d);
    struct chain_ports ports = sim_disk_ports(&d);
    struct flat_store *f = &ports.files;
    sim_disk_set_fault(&d, 2, RESULT_FULL, false);
    cr_assert_eq(f->ops->write(f->ctx, FLAT_BLOCKS, 0, 0, span_str("x"), NULL), RESULT_OK);
    cr_assert_eq(f->ops->write(f->ctx, FLAT_BLOCKS, 0, 1, span_str("x"), NULL), RESULT_FULL);
    cr_assert_eq(f->ops->sync(f->ctx, FLAT_BLOCKS, 0, 1, false, NULL), RESULT_FULL);
    sim_disk_set_fault(&d, 0, RESULT_OK, false);
    cr_assert_eq(f->ops->sync(f->ctx, FLAT_BLOCKS, 0, 1, false, NULL), RESULT_OK);
    sim_disk_close(&d);
}
