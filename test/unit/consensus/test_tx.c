/* Rules for one transaction: context-free, values, lock times, relative lock times. */
#include "fixture.h"

#include "consensus/tx_check.h"

enum { MANY = 600 };

/* A transaction of IN_COUNT different inputs and one output; its arrays live in the arena. */
static struct tx make_tx(struct arena *arena, size_t in_count)
{
    struct tx tx = {.version = 2, .in_count = in_count, .out_count = 1, .base_size = 100, .size = 100};
    tx.in = arena_alloc_array(arena, in_count, sizeof(*tx.in));
    tx.out = arena_alloc_array(arena, 1, sizeof(*tx.out));
    memset(tx.in, 0, in_count * sizeof(*tx.in));
    memset(tx.out, 0, sizeof(*tx.out));
    for (size_t i = 0; i < in_count; i++) {
        tx.in[i].prevout.txid.bytes[i % 32] = (uint8_t)(i / 32 + 1);
        tx.in[i].prevout.index = (uint32_t)i % 3;
    }
    return tx;
}

static const char *reason_of(const struct tx *tx)
{
    static struct verdict v;
    v = (struct verdict){.kind = VERDICT_VALID};
    bool ok = tx_check(tx, &v);
    cr_assert_eq(ok, verdict_ok(&v));
    if (!ok) cr_assert_eq(v.kind, VERDICT_CONSENSUS);
    return v.reason;
}

/* One pair of equal outpoints anywhere, for few inputs and for many. */
Test(consensus_tx, duplicate_inputs)
{
    struct random r;
    random_init_u64(&r, 5);
    struct arena arena = {0};
    size_t cases = 0;
    for (size_t count = 1; count <= MANY; count = count < 40 ? count + 1 : count + 93) {
        struct tx tx = make_tx(&arena, count);
        cr_assert_str_eq(reason_of(&tx), "", "%zu inputs", count);
        for (int i = 0; i < 20 && count > 1; i++) {
            size_t a = (size_t)random_below(&r, count), b = (size_t)random_below(&r, count);
            if (a == b) continue;
            struct outpoint kept = tx.in[a].prevout;
            tx.in[a].prevout = tx.in[b].prevout;
            cr_assert_str_eq(reason_of(&tx), "bad-txns-inputs-duplicate", "%zu and %zu of %zu", a, b, count);
            tx.in[a].prevout.index ^= 0x80000000; /* the same transaction, another output */
            cr_assert_str_eq(reason_of(&tx), "");
            tx.in[a].prevout = kept;
            cases += 2;
        }
        arena_reset(&arena);
    }
    arena_clear(&arena);
    print_count("duplicate inputs", cases);
}

/* The limits themselves, and which of two faults is named. */
Test(consensus_tx, limits_and_order)
{
    struct arena arena = {0};
    struct tx tx = make_tx(&arena, 2);
    tx.base_size = 1000000;
    cr_assert_str_eq(reason_of(&tx), "");
    tx.base_size = 1000001;
    tx.out[0].value = -1;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-oversize");
    tx.base_size = UINT32_MAX;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-oversize");
    tx.base_size = 100;
    tx.in[1].prevout = tx.in[0].prevout;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-vout-negative");
    tx.out[0].value = INT64_MIN;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-vout-negative");
    tx.out[0].value = INT64_MAX;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-vout-toolarge");
    tx.out[0].value = MAX_MONEY_SAT;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-inputs-duplicate");
    tx.in[0].prevout = tx.in[1].prevout = (struct outpoint){.index = OUTPOINT_NULL};
    cr_assert_str_eq(reason_of(&tx), "bad-txns-inputs-duplicate");
    tx.in[0].prevout.index = 1;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-prevout-null");
    tx.in[1].prevout.txid.bytes[31] = 1; /* index 0xffffffff of a real transaction */
    cr_assert_str_eq(reason_of(&tx), "");
    tx.out_count = 0;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-vout-empty");
    tx.in_count = 0;
    cr_assert_str_eq(reason_of(&tx), "bad-txns-vin-empty");

    struct tx coinbase = make_tx(&arena, 1);
    static const uint8_t script[101];
    static const struct {
        size_t len;
        bool valid;
    } lengths[] = {{0, false}, {1, false}, {2, true}, {100, true}, {101, false}};
    coinbase.in[0].prevout = (struct outpoint){.index = OUTPOINT_NULL};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        coinbase.in[0].script_sig = span_of(script, lengths[i].len);
        cr_assert_str_eq(reason_of(&coinbase), lengths[i].valid ? "" : "bad-cb-length");
    }
    arena_clear(&arena);
    print_count("limits of one transaction", 12 + ARRAY_LEN(lengths));
}

Test(consensus_tx, values)
{
    static const struct {
        amount_sat in[2], out;
        coin_origin origin;
        enum verdict_kind kind;
        const char *reason, *detail;
    } rows[] = {
        {{5, 6}, 11, 2, VERDICT_VALID, "", ""},
        {{5, 6}, 10, 2, VERDICT_VALID, "", ""},
        {{5, 6}, 12, 2, VERDICT_CONSENSUS, "bad-txns-in-belowout", "value in (0.00000011) < value out (0.00000012)"},
        {{0, 0}, 150000000, 2, VERDICT_CONSENSUS, "bad-txns-in-belowout", "value in (0.00) < value out (1.50)"},
        {{1000000000, 0},
         123456780000,
         2,
         VERDICT_CONSENSUS,
         "bad-txns-in-belowout",
         "value in (10.00) < value out (1234.5678)"},
        {{MAX_MONEY_SAT, 0}, 0, 2, VERDICT_VALID, "", ""},
        {{MAX_MONEY_SAT, 1}, 0, 2, VERDICT_CONSENSUS, "bad-txns-inputvalues-outofrange", ""},
        {{MAX_MONEY_SAT + 1, 0}, 0, 2, VERDICT_CONSENSUS, "bad-txns-inputvalues-outofrange", ""},
        {{-1, 5}, 0, 2, VERDICT_CONSENSUS, "bad-txns-inputvalues-outofrange", ""},
        {{INT64_MIN, INT64_MIN}, 0, 2, VERDICT_CONSENSUS, "bad-txns-inputvalues-outofrange", ""},
        {{5, 6},
         0,
         101 * 2 + 1,
         VERDICT_PREMATURE,
         "bad-txns-premature-spend-of-coinbase",
         "tried to spend coinbase at depth 99"},
        {{5, 6},
         0,
         200 * 2 + 1,
         VERDICT_PREMATURE,
         "bad-txns-premature-spend-of-coinbase",
         "tried to spend coinbase at depth 0"},
        {{5, 6}, 0, 100 * 2 + 1, VERDICT_VALID, "", ""},
        {{5, 6}, 0, 200 * 2, VERDICT_VALID, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct tx tx = make_tx(&arena, 2);
        tx.out[0].value = rows[i].out;
        struct tx_out spent[2] = {{.value = rows[i].in[0]}, {.value = rows[i].in[1]}};
        coin_origin origins[2] = {2, rows[i].origin};
        struct verdict v = {.kind = VERDICT_VALID};
        amount_sat fee = -1;
        bool ok = tx_check_inputs(&tx, spent, origins, 200, &fee, &v);
        cr_assert_eq(ok, rows[i].kind == VERDICT_VALID, "row %zu", i);
        cr_assert(v.kind == rows[i].kind && strcmp(v.reason, rows[i].reason) == 0, "row %zu: %s", i, v.reason);
        cr_assert_str_eq(v.detail, rows[i].detail, "row %zu", i);
        if (ok) cr_assert_eq(fee, rows[i].in[0] + rows[i].in[1] - rows[i].out);
        arena_clear(&arena);
    }
    print_count("input values", ARRAY_LEN(rows));
}

Test(consensus_tx, finality)
{
    static const struct {
        uint32_t lock_time, sequence;
        int32_t height;
        int64_t time_s;
        bool final;
    } rows[] = {
        {0, 0, 0, 0, true},
        {1, 0, 1, 0, false},
        {1, 0, 2, 0, true},
        {499999999, 0, 499999999, INT64_MAX, false},
        {499999999, 0, 500000000, 0, true},
        {500000000, 0, INT32_MAX, 500000000, false}, /* from here it is a time */
        {500000000, 0, 0, 500000001, true},
        {UINT32_MAX, 0, INT32_MAX, UINT32_MAX, false},
        {UINT32_MAX, 0, 0, INT64_C(4294967296), true},
        {UINT32_MAX, SEQUENCE_FINAL, 0, 0, true},
        {100, SEQUENCE_FINAL - 1, 100, 0, false},
        {100, SEQUENCE_FINAL, 100, 0, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tx_in in[2] = {{.sequence = SEQUENCE_FINAL}, {.sequence = rows[i].sequence}};
        struct tx tx = {.lock_time = rows[i].lock_time, .in = in, .in_count = 2};
        cr_assert_eq(tx_is_final(&tx, rows[i].height, rows[i].time_s), rows[i].final, "row %zu", i);
    }
    print_count("finality", ARRAY_LEN(rows));
}

static const uint32_t DISABLED = UINT32_C(1) << 31, IN_TIME = UINT32_C(1) << 22;

/* The chain's times are 600 s apart from 1700000000: the median at height h >= 10 is the time at h - 5. */
static int64_t median_at(int32_t height)
{
    return 1700000000 + 600 * (int64_t)(height - 5);
}

Test(consensus_tx, sequence_locks)
{
    const struct {
        int32_t version;
        uint32_t sequence;
        int32_t coin;
        bool active;
        int32_t min_height;
        int64_t min_time_s;
    } rows[] = {
        {2, 10, 50, true, 59, -1},
        {2, 0, 50, true, 49, -1},
        {2, 0xffff, 50, true, 50 + 65534, -1},
        {2, 10 | 0x3f0000, 50, true, 59, -1}, /* bits between are ignored */
        {2, 10 | DISABLED, 50, true, -1, -1},
        {2, 10, 50, false, -1, -1},
        {1, 10, 50, true, -1, -1},
        {0, 10, 50, true, -1, -1},
        {-1, 10, 50, true, 59, -1}, /* unsigned: above 2 */
        {INT32_MIN, 10, 50, true, 59, -1},
        {2, 3 | IN_TIME, 50, true, -1, median_at(49) + 3 * 512 - 1},
        {2, 0 | IN_TIME, 50, true, -1, median_at(49) - 1},
        {2, 0xffff | IN_TIME, 50, true, -1, median_at(49) + 65535 * 512 - 1},
        {2, 3 | IN_TIME | DISABLED, 50, true, -1, -1},
        {2, 1 | IN_TIME, 0, true, -1, 1700000000 + 512 - 1}, /* genesis has nothing before it */
        {2, 1 | IN_TIME, 1, true, -1, 1700000000 + 512 - 1},
        {2, 1, 0, true, 0, -1},
        {2, 0xffff, INT32_MAX, true, INT32_MAX, -1},
    };
    struct header_node *n = chain_make(100, 1700000000, 600, 0x207fffff);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tx_in in[2] = {{.sequence = DISABLED}, {.sequence = rows[i].sequence}};
        struct tx tx = {.version = rows[i].version, .in = in, .in_count = 2};
        coin_origin origins[2] = {coin_origin_of(0, false), coin_origin_of(rows[i].coin, i % 2)};
        int32_t height;
        int64_t time_s;
        tx_sequence_locks(&tx, origins, &n[99], rows[i].active, &height, &time_s);
        cr_assert_eq(height, rows[i].min_height, "row %zu: %d", i, height);
        cr_assert_eq(time_s, rows[i].min_time_s, "row %zu: %lld", i, (long long)time_s);
        /* Met exactly where both lie before the next block. */
        cr_assert_eq(tx_sequence_locks_met(&tx, origins, &n[99], rows[i].active),
                     rows[i].min_height < 100 && rows[i].min_time_s < median_at(99), "row %zu", i);
    }
    print_count("relative lock times", ARRAY_LEN(rows));

    /* The latest of several inputs counts, and the first block and time that will do. */
    struct tx_in in[3] = {{.sequence = 10}, {.sequence = 49}, {.sequence = 5 | IN_TIME}};
    struct tx tx = {.version = 2, .in = in, .in_count = 3};
    coin_origin origins[3] = {coin_origin_of(40, false), coin_origin_of(45, false), coin_origin_of(80, false)};
    int32_t height;
    int64_t time_s;
    tx_sequence_locks(&tx, origins, &n[99], true, &height, &time_s);
    cr_assert_eq(height, 93);
    cr_assert_eq(time_s, median_at(79) + 5 * 512 - 1);
    cr_assert_not(tx_sequence_locks_met(&tx, origins, &n[92], true));
    cr_assert(tx_sequence_locks_met(&tx, origins, &n[93], true));
    in[0].sequence = in[1].sequence = DISABLED;
    for (int32_t tip = 79; tip < 100; tip++)
        cr_assert_eq(tx_sequence_locks_met(&tx, origins, &n[tip], true), median_at(tip) > time_s);
    free(n);
}
