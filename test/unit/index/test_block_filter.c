/* Compact block filters: BIP158's vectors, real blocks, random sets beside a naive decoder, and what is no filter. */
#include "index/block_filter.h"

#include "base/random.h"
#include "crypto/siphash.h"
#include "indexed.h"
#include "support/real_block.h"

static const struct gcs_key some_key = {1, 2};

static struct buffer filter_of(const struct span *elements, size_t count)
{
    struct buffer out = {0};
    gcs_write(&out, some_key, elements, count);
    cr_assert(gcs_is_valid(buffer_span(&out)));
    return out;
}

static bool matches(struct span filter, struct span element)
{
    bool found;
    cr_assert(gcs_match_any(filter, some_key, &element, 1, &found));
    return found;
}

/* ---- vectors ---- */

static void check_filter(struct buffer *filter, const char *hex)
{
    struct buffer text = {0};
    hex_append(&text, buffer_span(filter));
    cr_assert_str_eq(buffer_text(&text), hex);
    cr_assert(gcs_is_valid(buffer_span(filter)));
    buffer_clear(&text);
}

static void check_vector(struct span raw, const struct undo *undo, const char *previous, const char *filter_hex,
                         const char *header_hex)
{
    struct buffer filter = {0};
    uint8_t hash[32], header[32];
    struct block *b = block_parse(raw);
    cr_assert_not_null(b);
    block_filter_write(&filter, b, undo);
    check_filter(&filter, filter_hex);
    cr_assert(hex_decode_reversed(header, 32, previous));
    block_filter_hash(hash, buffer_span(&filter));
    block_filter_header(header, hash, header);
    expect_hash(header, header_hex);
    buffer_clear(&filter);
    block_free(b);
}

/* BIP158, testnet-19.json: blocks 2 and 1414221 of testnet3; the second has nothing for its filter. */
Test(block_filter, vectors_at_hand)
{
    static const char *const vectors[][4] = {
        {"0100000006128e87be8b1b4dea47a7247d5528d2702c96826c7a648497e773b800000000e241352e3bec0a95a6217e10c3abb54adfa"
         "05abb12c126695595580fb92e222032e7494dffff001d00d23534010100000001000000000000000000000000000000000000000000"
         "0000000000000000000000ffffffff0e0432e7494d010e062f503253482fffffffff0100f2052a010000002321038a7f6ef1c8ca0c5"
         "88aa53fa860128077c9e6c11e6830f4d7ee4e763a56b7718fac00000000",
         "d7bdac13a59d745b1add0d2ce852f1a0442e8945fc1bf3848d3cbffd88c24fe1", "0174a170",
         "186afd11ef2b5e7e3504f2e8cbf8df28a1fd251fe53d60dff8b1467d1b386cf0"},
        {"000000204ea88307a7959d8207968f152bedca5a93aefab253f1fb2cfb032a400000000070cebb14ec6dbc27a9dfd066d9849a4d3ba"
         "c5f674665f73a5fe1de01a022a0c851fda85bf05f4c19a779d145010200000001000000000000000000000000000000000000000000"
         "0000000000000000000000ffffffff18034d94154d696e6572476174653030310d000000f238f401ffffffff01c817a804000000000"
         "000000000",
         "5e5e12d90693c8e936f01847859404c67482439681928353ca1296982042864e", "00",
         "021e8882ef5a0ed932edeebbecfeda1d7ce528ec7b3daa27641acf1189d7b5dc"},
    };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct buffer raw = {0};
        cr_assert(hex_decode_append(&raw, vectors[i][0], strlen(vectors[i][0])));
        check_vector(buffer_span(&raw), &(struct undo){0}, vectors[i][1], vectors[i][2], vectors[i][3]);
        buffer_clear(&raw);
    }
}

/* All of them, spent scripts included. */
Test(block_filter, vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "BIP158's vectors")) cr_skip_test("no test data");
    json_t *all = data_json(CAIRN_TEST_DATA, "vectors/bips/bip-0158/testnet-19.json");
    size_t ran = 0;
    for (size_t i = 1; i < json_array_size(all); i++, ran++) {
        const json_t *row = json_array_get(all, i), *spent = json_array_get(row, 3);
        struct arena arena = {0};
        struct undo undo = {.count = json_array_size(spent)};
        undo.coins = arena_alloc_array(&arena, undo.count + 1, sizeof(*undo.coins));
        for (size_t j = 0; j < undo.count; j++)
            undo.coins[j].script_pubkey = script_text_hex(&arena, json_string_value(json_array_get(spent, j)));
        check_vector(script_text_hex(&arena, json_string_value(json_array_get(row, 2))), &undo,
                     json_string_value(json_array_get(row, 4)), json_string_value(json_array_get(row, 5)),
                     json_string_value(json_array_get(row, 6)));
        arena_clear(&arena);
    }
    cr_assert_eq(ran, 10);
    json_decref(all);
}

static void check_real_block(const struct real_block *b, const json_t *row)
{
    struct undo undo = {0};
    struct buffer filter = {0};
    uint8_t hash[32];
    undo.coins = mem_calloc(b->inputs + 1, sizeof(*undo.coins));
    for (size_t i = 1; i < b->block->tx_count; i++)
        for (size_t j = 0; j < b->block->txs[i].in_count; j++)
            undo.coins[undo.count++].script_pubkey = b->spent[i][j].script_pubkey;
    block_filter_write(&filter, b->block, &undo);
    block_filter_hash(hash, buffer_span(&filter));
    cr_assert_eq((json_int_t)filter.len, json_integer_value(json_object_get(row, "basic_filter_size")));
    expect_hash(hash, json_string_value(json_object_get(row, "basic_filter_hash")));
    cr_assert(gcs_is_valid(buffer_span(&filter)));
    struct gcs_key key = gcs_key_of(&b->block->hash);
    for (size_t i = 0; i < undo.count; i += 97) {
        bool found;
        cr_assert(gcs_match_any(buffer_span(&filter), key, &undo.coins[i].script_pubkey, 1, &found));
        cr_assert(found || !undo.coins[i].script_pubkey.len);
    }
    free(undo.coins);
    buffer_clear(&filter);
}

Test(block_filter, real_blocks)
{
    if (!data_present(CAIRN_TEST_DATA, "real blocks")) cr_skip_test("no test data");
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    size_t ran = 0;
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        check_real_block(&b, json_array_get(index, i));
        real_block_clear(&b);
        ran++;
    }
    cr_assert_gt(ran, 20);
    json_decref(index);
}

/* ---- random sets ---- */

enum { RANDOM_SETS = 60, SET_MAX = 3000 };

struct random_set {
    uint8_t bytes[SET_MAX][40];
    struct span elements[SET_MAX];
    size_t count;
};

static void random_set_fill(struct random_set *s, struct random *random, size_t count)
{
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        random_bytes(random, s->bytes[i], sizeof(s->bytes[i]));
        s->elements[i] = span_of(s->bytes[i], 1 + random_below(random, sizeof(s->bytes[i])));
    }
}

static unsigned naive_bit(struct span s, size_t *at)
{
    cr_assert_lt(*at / 8, s.len);
    unsigned bit = s.data[*at / 8] >> (7 - *at % 8) & 1;
    ++*at;
    return bit;
}

/* The values of FILTER by the letter of BIP158; returns how many. */
static size_t naive_decode(struct span filter, uint64_t *out)
{
    struct reader r = reader_of(filter);
    size_t count = (size_t)read_compact_u64(&r), at = 0;
    struct span bits = span_of(r.pos, reader_left(&r));
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t quotient = 0, remainder = 0;
        while (naive_bit(bits, &at)) quotient++;
        for (int k = 0; k < 19; k++) remainder = remainder * 2 + naive_bit(bits, &at);
        out[i] = value += (quotient << 19) + remainder;
    }
    cr_assert_eq((at + 7) / 8, bits.len);
    for (; at % 8;) cr_assert_eq(naive_bit(bits, &at), 0);
    return count;
}

static bool naive_has(const uint64_t *values, size_t count, struct span element)
{
    uint64_t hash = siphash24(some_key.k0, some_key.k1, element.data, element.len);
    uint64_t wanted = (uint64_t)((unsigned __int128)hash * (count * UINT64_C(784931)) >> 64);
    for (size_t i = 0; i < count; i++)
        if (values[i] == wanted) return true;
    return false;
}

/* What is in the set is found, one by one and together; what is not is found only where the values say so. */
Test(block_filter, random_sets)
{
    static struct random_set set, others;
    static uint64_t values[SET_MAX];
    struct random random;
    random_init_u64(&random, 158);
    for (size_t round = 0; round < RANDOM_SETS; round++) {
        random_set_fill(&set, &random, round < 20 ? round : 1 + random_below(&random, 600));
        random_set_fill(&others, &random, 20);
        struct buffer filter = filter_of(set.elements, set.count);
        size_t count = naive_decode(buffer_span(&filter), values);
        cr_assert_leq(count, set.count);
        bool any = false, found;
        for (size_t i = 0; i < set.count; i++) cr_assert(matches(buffer_span(&filter), set.elements[i]));
        for (size_t i = 0; i < others.count; i++) {
            bool expected = naive_has(values, count, others.elements[i]);
            cr_assert_eq(matches(buffer_span(&filter), others.elements[i]), expected);
            any |= expected;
        }
        cr_assert(gcs_match_any(buffer_span(&filter), some_key, others.elements, others.count, &found));
        cr_assert_eq(found, any);
        if (set.count) others.elements[random_below(&random, others.count)] = set.elements[set.count / 2];
        cr_assert(gcs_match_any(buffer_span(&filter), some_key, others.elements, others.count, &found));
        cr_assert_eq(found, any || set.count);
        cr_assert(gcs_match_any(buffer_span(&filter), some_key, NULL, 0, &found));
        cr_assert_not(found);
        buffer_clear(&filter);
    }
}

/* Of three million elements that are not in the set, about 3.8 are found. */
Test(block_filter, false_positives_are_rare)
{
    static struct random_set set, others;
    struct random random;
    random_init_u64(&random, 784931);
    random_set_fill(&set, &random, 1000);
    for (size_t i = 0; i < set.count; i++) set.elements[i].len = 20;
    struct buffer filter = filter_of(set.elements, set.count);
    size_t hits = 0;
    for (size_t round = 0; round < 1000; round++) {
        random_set_fill(&others, &random, SET_MAX);
        for (size_t i = 0; i < others.count; i++) others.elements[i].len = 21;
        bool found;
        cr_assert(gcs_match_any(buffer_span(&filter), some_key, others.elements, others.count, &found));
        hits += found;
    }
    buffer_clear(&filter);
    cr_assert(hits >= 1 && hits <= 12, "%zu", hits);
}

Test(block_filter, equal_elements_count_once)
{
    struct span twice[] = {span_str("a"), span_str("b"), span_str("a"), span_str("b"), span_str("b")};
    struct buffer filter = filter_of(twice, 5), plain = filter_of(twice, 2);
    cr_assert(span_equal(buffer_span(&filter), buffer_span(&plain)));
    cr_assert_eq(filter.data[0], 2);
    buffer_clear(&filter);
    buffer_clear(&plain);
}

Test(block_filter, the_empty_set)
{
    struct buffer filter = filter_of(NULL, 0);
    cr_assert(filter.len == 1 && filter.data[0] == 0);
    cr_assert_not(matches(buffer_span(&filter), span_str("a")));
    buffer_clear(&filter);
}

/* ---- no filters ---- */

Test(block_filter, what_is_cut_or_too_long_is_none)
{
    static struct random_set set;
    struct random random;
    bool found;
    random_init_u64(&random, 7);
    random_set_fill(&set, &random, 50);
    struct buffer filter = filter_of(set.elements, set.count);
    struct span absent = span_str("no such script in it");
    cr_assert_not(matches(buffer_span(&filter), absent));
    for (size_t len = 0; len < filter.len; len++) {
        uint8_t *cut = mem_dup(filter.data, len + 1); /* so that a sanitizer sees reads past its end */
        cr_assert_not(gcs_is_valid(span_of(cut, len)), "%zu bytes", len);
        free(cut);
    }
    cr_assert_not(gcs_match_any(span_of(filter.data, 0), some_key, &absent, 1, &found));
    buffer_put_u8(&filter, 0);
    cr_assert_not(gcs_is_valid(buffer_span(&filter)));
    buffer_clear(&filter);
    static const uint8_t huge[] = {0xff, 0, 0, 0, 0, 1, 0, 0, 0}; /* 2^32 elements */
    cr_assert_not(gcs_is_valid(span_of(huge, sizeof(huge))));
    cr_assert_not(gcs_match_any(span_of(huge, sizeof(huge)), some_key, &absent, 1, &found));
    static const uint8_t ones[] = {1, 0xff, 0xff, 0xff, 0xff};
    cr_assert_not(gcs_is_valid(span_of(ones, sizeof(ones))));
    cr_assert_not(gcs_match_any(span_of(ones, sizeof(ones)), some_key, &absent, 1, &found));
}
