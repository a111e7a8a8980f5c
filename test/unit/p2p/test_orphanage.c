/* The orphanage: its limits, to the letter. The rest is compared with a naive twin (test/model/p2p). */
#include <criterion/criterion.h>

#include "p2p/orphanage_internal.h"
#include "primitives/compact_size.h"

struct fixture {
    struct random random;
    struct arena arena;
    struct orphanage *o;
    uint32_t tag;
};

static void open_limited(struct fixture *f, uint64_t max_latency, uint64_t peer_usage)
{
    memset(f, 0, sizeof(*f));
    random_init_u64(&f->random, 3);
    f->o = orphanage_new(max_latency, peer_usage, (uint64_t[2]){1, 2}, &f->random, NULL);
}

static void close_all(struct fixture *f)
{
    orphanage_check(f->o);
    orphanage_free(f->o);
    arena_clear(&f->arena);
}

/* One like no other, with so many inputs and so many bytes of output script. */
static const struct tx *make(struct fixture *f, size_t inputs, size_t padding)
{
    struct buffer raw = {0};
    struct tx *tx = arena_alloc(&f->arena, sizeof(*tx));
    buffer_put_le32(&raw, f->tag++);
    buffer_put_u8(&raw, (uint8_t)inputs);
    for (size_t i = 0; i < inputs; i++) {
        memset(buffer_extend(&raw, 32), 7, 32);
        buffer_put_le32(&raw, (uint32_t)i);
        buffer_put_u8(&raw, 0);
        buffer_put_le32(&raw, SEQUENCE_FINAL);
    }
    buffer_put_u8(&raw, 1);
    buffer_put_le64(&raw, 1);
    buffer_put_compact_size(&raw, padding);
    memset(buffer_extend(&raw, padding), 0x51, padding);
    buffer_put_le32(&raw, 0);
    uint8_t *bytes = arena_alloc(&f->arena, raw.len);
    memcpy(bytes, raw.data, raw.len);
    cr_assert(tx_parse(tx, span_of(bytes, raw.len), &f->arena, TX_NO_WITNESS));
    buffer_clear(&raw);
    return tx;
}

Test(orphanage, too_heavy_ones_are_not_kept)
{
    struct fixture f;
    open_limited(&f, ORPHANAGE_LATENCY, ORPHANAGE_PEER_USAGE);
    size_t some = 70000, rest = some + (ORPHANAGE_MAX_WEIGHT - tx_weight(make(&f, 1, some))) / 4;
    const struct tx *fits = make(&f, 1, rest), *heavy = make(&f, 1, rest + 1);
    cr_assert_eq(tx_weight(fits), ORPHANAGE_MAX_WEIGHT);
    cr_assert(orphanage_add(f.o, fits, 1));
    cr_assert_not(orphanage_add(f.o, heavy, 1));
    cr_assert_eq(orphanage_count(f.o), 1);
    close_all(&f);
}

Test(orphanage, a_flood_costs_nobody_else_anything)
{
    struct fixture f;
    open_limited(&f, 20, 1000000);
    const struct tx *mine = make(&f, 1, 0);
    orphanage_add(f.o, mine, 1);
    for (int i = 0; i < 100; i++) orphanage_add(f.o, make(&f, 1, 0), 2);
    cr_assert(orphanage_has_from(f.o, &mine->wtxid, 1));
    cr_assert_eq(orphanage_peer_announcements(f.o, 2), 19);
    close_all(&f);
    open_limited(&f, 100, 10000);
    mine = make(&f, 1, 1000);
    orphanage_add(f.o, mine, 1);
    for (int i = 0; i < 100; i++) orphanage_add(f.o, make(&f, 1, 1000), 2);
    cr_assert(orphanage_has_from(f.o, &mine->wtxid, 1));
    cr_assert_eq(orphanage_count(f.o), 20000 / tx_weight(mine), "what others leave may be used");
    close_all(&f);
}

Test(orphanage, inputs_count_a_tenth_each)
{
    struct fixture f;
    open_limited(&f, 12, 100000000);
    orphanage_add(f.o, make(&f, 9, 0), 1);
    cr_assert_eq(orphanage_latency(f.o), 1);
    const struct tx *wide = make(&f, 39, 0);
    orphanage_add(f.o, wide, 1);
    cr_assert_eq(orphanage_latency(f.o), 5);
    orphanage_add_announcer(f.o, &wide->wtxid, 2);
    cr_assert_eq(orphanage_latency(f.o), 6, "its inputs count once for all, and for each who announced it");
    cr_assert_eq(orphanage_peer_latency(f.o, 2), 4);
    orphanage_add(f.o, make(&f, 69, 0), 1);
    cr_assert_eq(orphanage_count(f.o), 2, "the oldest of the worst is gone");
    cr_assert_eq(orphanage_latency(f.o), 12);
    close_all(&f);
}

Test(orphanage, many_announcements_weigh_more_than_much_memory)
{
    struct fixture f;
    open_limited(&f, 4, 100000000);
    size_t padding = 2000;
    const struct tx *heavy = make(&f, 1, padding), *last = make(&f, 1, 0), *first = make(&f, 1, 0);
    while ((tx_weight(heavy) + tx_weight(last)) % 3) heavy = make(&f, 1, ++padding);
    orphanage_add(f.o, first, 1);
    orphanage_add(f.o, make(&f, 1, 0), 1);
    orphanage_add(f.o, make(&f, 1, 0), 1);
    orphanage_add(f.o, heavy, 2);
    /* With the last one both take one and a half of what they may, and 5 are one too many. */
    f.o->peer_usage = (tx_weight(heavy) + tx_weight(last)) / 3 * 2;
    orphanage_add(f.o, last, 2);
    cr_assert_null(orphanage_find(f.o, &first->wtxid));
    cr_assert_eq(orphanage_peer_announcements(f.o, 2), 2);
    close_all(&f);
}

Test(orphanage, what_is_to_be_judged_goes_last)
{
    struct fixture f;
    open_limited(&f, 2, 100000000);
    const struct tx *parent = make(&f, 1, 0), *other = make(&f, 1, 0), *third = make(&f, 1, 0);
    struct buffer raw = {0};
    struct tx child;
    tx_write(&raw, parent);
    memcpy(raw.data + 5, parent->txid.bytes, 32);
    cr_assert(tx_parse(&child, buffer_span(&raw), &f.arena, TX_NO_WITNESS));
    orphanage_add(f.o, &child, 1);
    orphanage_add(f.o, other, 1);
    orphanage_parent_came(f.o, parent);
    cr_assert(orphanage_has_work(f.o, 1) && orphanage_any_work(f.o));
    orphanage_add(f.o, third, 1);
    cr_assert_not_null(orphanage_find(f.o, &child.wtxid), "older, but its parent came");
    cr_assert_null(orphanage_find(f.o, &other->wtxid));
    buffer_clear(&raw);
    close_all(&f);
}
