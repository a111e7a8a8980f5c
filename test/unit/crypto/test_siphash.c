/* SipHash-2-4 and SipHash-1-3-UJ against their vectors. */
#include "counting.h"

#include <stdlib.h>

#include "base/endian.h"
#include "crypto/siphash.h"
#include "support/data.h"

static uint64_t number_of(const json_t *text)
{
    return strtoull(json_string_value(text), NULL, 16);
}

/* The blocks of one case glued together, for the byte-oriented hash. */
static struct buffer glue(const json_t *blocks)
{
    struct buffer all = {0};
    size_t i;
    json_t *block;
    json_array_foreach(blocks, i, block)
        cr_assert(hex_decode_append(&all, json_string_value(block), json_string_length(block)));
    return all;
}

static uint64_t hash_blocks(uint64_t k0, uint64_t k1, const json_t *blocks, bool all_jumbo)
{
    struct siphash13uj s;
    siphash13uj_init(&s, k0, k1);
    size_t i;
    json_t *block;
    json_array_foreach(blocks, i, block)
    {
        uint8_t bytes[32] = {0};
        size_t len = json_string_length(block) / 2;
        cr_assert(len == 8 || len == 32);
        bytes_to(bytes, len, json_string_value(block));
        if (len == 8 && !all_jumbo)
            siphash13uj_put_u64(&s, get_le64(bytes));
        else
            siphash13uj_put_hash(&s, bytes);
    }
    uint64_t first = siphash13uj_final(&s);
    cr_assert_eq(siphash13uj_final(&s), first, "final changes the state");
    return first;
}

/* The forms for one hash, and for a hash and a number, give what the general ones do. */
static size_t check_fixed_forms(uint64_t k0, uint64_t k1, struct span in, const json_t *blocks, uint64_t expected24)
{
    if (in.len == 32) cr_assert_eq(siphash24_hash(k0, k1, in.data), expected24);
    if (in.len == 36) cr_assert_eq(siphash24_hash_u32(k0, k1, in.data, get_le32(in.data + 32)), expected24);
    if (json_array_size(blocks) == 0 || json_string_length(json_array_get(blocks, 0)) != 64) return in.len == 36;
    if (in.len == 32) cr_assert_eq(siphash13uj_hash(k0, k1, in.data), hash_blocks(k0, k1, blocks, false));
    if (in.len == 40)
        cr_assert_eq(siphash13uj_hash_u64(k0, k1, in.data, get_le64(in.data + 32)), hash_blocks(k0, k1, blocks, false));
    return 1;
}

Test(siphash, vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "siphash vectors")) return;
    json_t *cases = data_json(CAIRN_TEST_DATA, "vectors/core/siphash.json");
    size_t i, with_13 = 0, fixed = 0;
    json_t *row;
    json_array_foreach(cases, i, row)
    {
        uint64_t k0 = number_of(json_array_get(json_object_get(row, "key"), 0));
        uint64_t k1 = number_of(json_array_get(json_object_get(row, "key"), 1));
        const json_t *blocks = json_object_get(row, "input");
        const json_t *expected = json_object_get(row, "expected");
        uint64_t expected24 = number_of(json_object_get(expected, "siphash24"));
        struct buffer all = glue(blocks);
        cr_assert_eq(siphash24(k0, k1, all.data, all.len), expected24, "case %zu", i);
        const json_t *expected13 = json_object_get(expected, "siphash13uj");
        if (expected13) {
            cr_assert_eq(hash_blocks(k0, k1, blocks, false), number_of(expected13), "case %zu", i);
            cr_assert_eq(hash_blocks(k0, k1, blocks, true), number_of(expected13), "case %zu, jumbo blocks", i);
            with_13++;
            fixed += check_fixed_forms(k0, k1, buffer_span(&all), blocks, expected24);
        }
        buffer_clear(&all);
    }
    cr_assert(i > 100 && with_13 > 50 && fixed > 0);
    print_count("siphash24", i);
    print_count("siphash13uj", with_13);
    print_count("siphash of outpoints and hashes", fixed);
    json_decref(cases);
}

/* The example of the SipHash paper, so that the room has one vector without the data folder. */
Test(siphash, example_of_the_paper)
{
    uint8_t message[15];
    for (uint8_t i = 0; i < 15; i++) message[i] = i;
    cr_assert_eq(siphash24(0x0706050403020100u, 0x0f0e0d0c0b0a0908u, message, 15), 0xa129ca6149be45e5u);
}

Test(siphash, hash_and_number_is_36_bytes)
{
    uint8_t bytes[36];
    for (uint8_t i = 0; i < 36; i++) bytes[i] = (uint8_t)(i * 37 + 200);
    cr_assert_eq(siphash24_hash(1, 2, bytes), siphash24(1, 2, bytes, 32));
    cr_assert_eq(siphash24_hash_u32(1, 2, bytes, get_le32(bytes + 32)), siphash24(1, 2, bytes, 36));
}
