/* Transactions: vectors, the BIP144 forms, hostile input, and hashes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "primitives/tx.h"
#include "support/data.h"

static struct buffer from_hex(const char *text)
{
    struct buffer b = {0};
    cr_assert(hex_decode_append(&b, text, strlen(text)));
    return b;
}

static bool parses(const char *hex, unsigned flags)
{
    struct arena arena = {0};
    struct tx tx;
    struct buffer raw = from_hex(hex);
    bool ok = tx_parse(&tx, buffer_span(&raw), &arena, flags);
    arena_clear(&arena);
    buffer_clear(&raw);
    return ok;
}

/* Writes TX again, then hashes it as if it had been put together in memory: all must agree. */
static void check_round_trip(const struct tx *tx)
{
    struct buffer b = {0};
    tx_write(&b, tx);
    cr_assert(span_equal(buffer_span(&b), tx->raw));
    cr_assert_eq(tx->size, b.len);
    b.len = 0;
    tx_write_no_witness(&b, tx);
    cr_assert_eq(tx->base_size, b.len);
    cr_assert_eq(tx_weight(tx), 3 * b.len + tx->raw.len);
    struct tx built = *tx;
    built.raw = span_of(NULL, 0);
    built.size = built.base_size = 0;
    tx_hash(&built);
    cr_assert(txid_equal(&built.txid, &tx->txid));
    cr_assert(wtxid_equal(&built.wtxid, &tx->wtxid));
    cr_assert_eq(built.size, tx->size);
    cr_assert_eq(built.base_size, tx->base_size);
    cr_assert_eq(built.has_witness, tx->has_witness);
    cr_assert_eq(tx->has_witness, memcmp(tx->txid.bytes, tx->wtxid.bytes, 32) != 0);
    buffer_clear(&b);
}

/* Every shorter piece of RAW fails; each is a block of its own so that a read past it is seen. */
static void check_truncations(struct span raw)
{
    for (size_t len = 0; len < raw.len; len++) {
        struct arena arena = {0};
        struct tx tx;
        uint8_t *piece = mem_dup(raw.data, len);
        struct reader r = reader_of(span_of(piece, len));
        tx_read(&tx, &r, &arena, 0);
        cr_assert(r.failed, "%zu of %zu bytes", len, raw.len);
        cr_assert_eq(tx.in_count, 0);
        free(piece);
        arena_clear(&arena);
    }
}

static void check_vectors(const char *name, size_t at_least)
{
    json_t *tests = data_json(CAIRN_TEST_DATA, name);
    size_t done = 0, with_witness = 0, i;
    json_t *row;
    json_array_foreach(tests, i, row)
    {
        if (!json_is_array(json_array_get(row, 0))) continue;
        struct buffer raw = from_hex(json_string_value(json_array_get(row, 1)));
        struct arena arena = {0};
        struct tx tx;
        if (tx_parse(&tx, buffer_span(&raw), &arena, 0)) {
            check_round_trip(&tx);
            check_truncations(buffer_span(&raw));
            done++;
            with_witness += tx.has_witness;
        }
        arena_clear(&arena);
        buffer_clear(&raw);
    }
    printf("%s: %zu transactions round-trip, %zu with witness\n", name, done, with_witness);
    cr_assert_geq(done, at_least);
    json_decref(tests);
}

Test(tx, core_vectors_round_trip)
{
    if (!data_present(CAIRN_TEST_DATA, "tx vectors")) return;
    check_vectors("vectors/core/tx_valid.json", 120);
    check_vectors("vectors/core/tx_invalid.json", 90);
}

#define OUTPOINT_HEX                                                                                                   \
    "1111111111111111111111111111111111111111111111111111111111111111"                                                 \
    "02000000"
#define IN_HEX                                                                                                         \
    OUTPOINT_HEX "00"                                                                                                  \
                 "ffffffff"
#define OUT_HEX                                                                                                        \
    "0100000000000000"                                                                                                 \
    "00"

Test(tx, fields_of_a_segwit_transaction)
{
    struct buffer raw = from_hex("02000000"
                                 "0001"
                                 "01" OUTPOINT_HEX "0151"
                                 "fdffffff"
                                 "01"
                                 "e803000000000000"
                                 "026a00"
                                 "02"
                                 "00"
                                 "03aabbcc"
                                 "0a000000");
    struct arena arena = {0};
    struct tx tx;
    cr_assert(tx_parse(&tx, buffer_span(&raw), &arena, 0));
    cr_assert(tx.version == 2 && tx.lock_time == 10 && tx.in_count == 1 && tx.out_count == 1 && tx.has_witness);
    cr_assert(tx.in[0].prevout.index == 2 && tx.in[0].prevout.txid.bytes[0] == 0x11);
    cr_assert(tx.in[0].sequence == 0xfffffffd && tx.in[0].script_sig.len == 1);
    cr_assert(tx.out[0].value == 1000 && tx.out[0].script_pubkey.len == 2);
    cr_assert(tx.in[0].witness.count == 2 && tx.in[0].witness.items[0].len == 0 && tx.in[0].witness.items[1].len == 3);
    cr_assert(tx.in[0].script_sig.data > raw.data && tx.in[0].script_sig.data < raw.data + raw.len, "no copy");
    cr_assert(!tx_is_coinbase(&tx));
    cr_assert_eq(tx.size, raw.len);
    cr_assert_eq(tx.base_size, raw.len - 2 - 6);
    check_round_trip(&tx);
    arena_clear(&arena);
    buffer_clear(&raw);
}

Test(tx, segwit_marker_and_flag)
{
    cr_assert(parses("01000000"
                     "01" IN_HEX "01" OUT_HEX "00000000",
                     0));
    cr_assert(parses("01000000"
                     "0001"
                     "01" IN_HEX "01" OUT_HEX "0100"
                     "00000000",
                     0));
    cr_assert(!parses("01000000"
                      "0001"
                      "01" IN_HEX "01" OUT_HEX "0100"
                      "00000000",
                      TX_NO_WITNESS));
    cr_assert(!parses("01000000"
                      "0001"
                      "01" IN_HEX "01" OUT_HEX "00"
                      "00000000",
                      0),
              "superfluous witness");
    cr_assert(!parses("01000000"
                      "0001"
                      "00"
                      "01" OUT_HEX "00000000",
                      0),
              "superfluous without inputs");
    cr_assert(!parses("01000000"
                      "0002"
                      "01" IN_HEX "01" OUT_HEX "00000000",
                      0),
              "unknown optional data");
    cr_assert(!parses("01000000"
                      "0003"
                      "01" IN_HEX "01" OUT_HEX "0100"
                      "00000000",
                      0),
              "unknown optional data");
    cr_assert(!parses("01000000"
                      "00ff"
                      "01" IN_HEX "01" OUT_HEX "0100"
                      "00000000",
                      0),
              "unknown optional data");
    cr_assert(!parses("01000000"
                      "01" IN_HEX "01" OUT_HEX "00000000"
                      "00",
                      0),
              "bytes left over");
    cr_assert(!parses("01000000"
                      "fd0100" IN_HEX "01" OUT_HEX "00000000",
                      0),
              "count not canonical");
}

Test(tx, without_inputs)
{
    cr_assert(parses("01000000"
                     "00"
                     "00"
                     "00000000",
                     0),
              "flag 0: neither inputs nor outputs");
    cr_assert(!parses("01000000"
                      "00"
                      "00"
                      "01" OUT_HEX "00000000",
                      0));
    cr_assert(!parses("01000000"
                      "00"
                      "01" OUT_HEX "00000000",
                      0));
    cr_assert(parses("01000000"
                     "00"
                     "01" OUT_HEX "00000000",
                     TX_NO_WITNESS));
    cr_assert(parses("01000000"
                     "00"
                     "00"
                     "00000000",
                     TX_NO_WITNESS));
}

Test(tx, hostile_counts_take_no_memory)
{
    static const char *const rows[] = {
        "01000000"
        "feffffffff",
        "01000000"
        "fe00000002",
        "01000000"
        "fe00000001" IN_HEX,
        "01000000"
        "ffffffffffffffffff",
        "01000000"
        "01" IN_HEX "feffffff00",
        "01000000"
        "01" IN_HEX "fe00000002" OUT_HEX,
        "01000000"
        "01" OUTPOINT_HEX "fe00000002"
        "51",
        "01000000"
        "0001"
        "01" IN_HEX "01" OUT_HEX "fe00000002"
        "0151",
        "01000000"
        "0001"
        "01" IN_HEX "01" OUT_HEX "01"
        "fe00000002"
        "51",
        "01000000"
        "0001"
        "feffffff01" IN_HEX,
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer raw = from_hex(rows[i]);
        struct reader r = reader_of(buffer_span(&raw));
        struct arena arena = {0};
        struct tx tx;
        tx_read(&tx, &r, &arena, 0);
        cr_assert(r.failed, "row %zu", i);
        cr_assert_leq(arena.bytes, 8192, "row %zu holds %zu bytes", i, arena.bytes);
        arena_clear(&arena);
        buffer_clear(&raw);
    }
}

/* A script of 37 bytes that is also the rest of an extended transaction: 28 bytes of an outpoint, a one-byte script,
 * a sequence, no output, and one empty witness item. FIRST is the script's first operation, SIG the inner script. */
#define TWO_FACED(FIRST, SIG)                                                                                          \
    "01000000"                                                                                                         \
    "00"                                                                                                               \
    "01"                                                                                                               \
    "01000000"                                                                                                         \
    "00000000"                                                                                                         \
    "25" FIRST "222222222222222222222222222222222222222222222222222222"                                                \
    "01" SIG "ffffffff"                                                                                                \
    "00"                                                                                                               \
    "01"                                                                                                               \
    "00"                                                                                                               \
    "00000000"

/* 'x' for extended, 'l' for legacy, 0 where it does not parse. */
static char face(const char *hex)
{
    struct arena arena = {0};
    struct tx tx;
    struct buffer raw = from_hex(hex);
    bool ok = tx_parse_any(&tx, buffer_span(&raw), &arena);
    char c = !ok ? 0 : tx.has_witness ? 'x' : 'l';
    arena_clear(&arena);
    buffer_clear(&raw);
    return c;
}

Test(tx, parse_any_prefers_sane_scripts)
{
    cr_assert(parses(TWO_FACED("24", "51"), 0) && parses(TWO_FACED("24", "51"), TX_NO_WITNESS));
    cr_assert_eq(face(TWO_FACED("24", "51")), 'x', "both sane");
    cr_assert_eq(face(TWO_FACED("24", "ff")), 'l', "extended has an unknown operation");
    cr_assert_eq(face(TWO_FACED("24", "02")), 'l', "extended has a cut push");
    cr_assert_eq(face(TWO_FACED("ff", "ff")), 'x', "neither is sane");
    cr_assert_eq(face("01000000"
                      "00"
                      "01" OUT_HEX "00000000"),
                 'l', "legacy alone");
    cr_assert_eq(face("01000000"
                      "0001"
                      "01" IN_HEX "01" OUT_HEX "0100"
                      "00000000"),
                 'x', "extended alone");
    cr_assert_eq(face("01000000"
                      "00"
                      "01" OUT_HEX "000000"),
                 0);
    cr_assert_eq(face(""), 0);
}
