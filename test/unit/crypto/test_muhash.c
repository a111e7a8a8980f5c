/* MuHash3072 and its key stream: published values, and the arithmetic against one made of doublings and additions. */
#include "counting.h"

#include "base/endian.h"
#include "base/random.h"
#include "crypto/chacha20.h"
#include "crypto/muhash.h"

Test(chacha20, key_streams_of_rfc_8439)
{
    /* RFC 8439 A.1: those with a zero nonce. */
    static const struct {
        uint8_t key_at, key_value;
        size_t block;
        const char *expected;
    } rows[] = {
        {0, 0, 0,
         "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a"
         "11cc3"
         "87b669b2ee6586"},
        {0, 0, 1,
         "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510af"
         "b45ac"
         "e10a1f4b794d6f"},
        {31, 1, 1,
         "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36"
         "125a6"
         "4addeb006c13a0"},
        {1, 0xff, 2,
         "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545e"
         "c1b73"
         "74f4872e99f096"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t key[32] = {0}, stream[3 * 64];
        key[rows[i].key_at] = rows[i].key_value;
        chacha20_keystream(key, stream, sizeof(stream));
        assert_bytes(stream + 64 * rows[i].block, 64, rows[i].expected, "chacha20");
    }
    print_count("chacha20", ARRAY_LEN(rows));
}

Test(chacha20, any_length_is_a_prefix_and_nothing_more)
{
    uint8_t key[32] = {9}, whole[400], part[400];
    chacha20_keystream(key, whole, sizeof(whole));
    for (size_t len = 0; len < sizeof(part); len++) {
        memset(part, 0x5a, sizeof(part));
        chacha20_keystream(key, part, len);
        cr_assert_arr_eq(part, whole, len, "length %zu", len);
        for (size_t i = len; i < sizeof(part); i++) cr_assert_eq(part[i], 0x5a, "wrote past %zu", len);
    }
    print_count("chacha20 lengths", sizeof(part));
}

/* The element whose first byte is V and whose other 31 are zero, as Bitcoin Core's tests make them. */
static void insert_int(struct muhash *m, uint8_t v)
{
    uint8_t bytes[32] = {v};
    muhash_insert(m, bytes, sizeof(bytes));
}

static void remove_int(struct muhash *m, uint8_t v)
{
    uint8_t bytes[32] = {v};
    muhash_remove(m, bytes, sizeof(bytes));
}

static void assert_displayed(struct muhash *m, const char *expected)
{
    uint8_t out[32];
    char text[65];
    muhash_final(m, out);
    hex_encode_reversed(text, out, 32);
    cr_assert_str_eq(text, expected);
}

static const char zero_one_without_two[] = "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863";

Test(muhash, published_value_in_any_order)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct muhash m;
        muhash_init(&m);
        for (int j = 0; j < 3; j++) {
            if (orders[i][j] == 2)
                remove_int(&m, 2);
            else
                insert_int(&m, (uint8_t)orders[i][j]);
        }
        assert_displayed(&m, zero_one_without_two);
        assert_displayed(&m, zero_one_without_two); /* still usable, and the same */
    }
    print_count("muhash orders", ARRAY_LEN(orders));
}

Test(muhash, union_and_difference)
{
    struct muhash a, b, c;
    muhash_init(&a);
    muhash_init(&b);
    muhash_init(&c);
    insert_int(&a, 0);
    insert_int(&b, 1);
    insert_int(&c, 2);
    muhash_combine(&a, &b);
    muhash_divide(&a, &c);
    assert_displayed(&a, zero_one_without_two);
    struct muhash empty;
    uint8_t expected[32], got[32];
    muhash_init(&empty);
    muhash_final(&empty, expected);
    muhash_divide(&b, &b);
    muhash_final(&b, got);
    cr_assert_arr_eq(got, expected, 32, "a set without itself is empty");
}

/* {1, 2} as Bitcoin Core stores it: the numerator is the product and the denominator is one. */
Test(muhash, stored_form)
{
    static const char numerator[] =
        "1fa093295ea30a6a3acdc7b3f770fa538eff537528e990e2910e40bbcfd7f6696b1256901929094694b56316de342f593303dd12ac43e0"
        "6dce"
        "1be1ff8301c845beb15468fff0ef002dbf80c29f26e6452bccc91b5cb9437ad410d2a67ea847887fa3c6a6553309946880fe20db2c73fe"
        "0641"
        "adbd4e86edfee0d9f8cd0ee1230898873dc13ed8ddcaf045c80faa082774279007a2253f8922ee3ef361d378a6af3ddaf180b190ac97e5"
        "5688"
        "8c36b3d1fb1c85aab9ccd46e3deaeb7b7cf5db067a7e9ff86b658cf3acd6662bbcce37232daa753c48b794356c020090c831a8304416e2"
        "aa7a"
        "d633c0ddb2f11be1be316a81be7f7e472071c042cb68faef549c221ebff209273638b741aba5a81675c45a5fa92fea4ca821d7a324cb1e"
        "1a2c"
        "cd3b76c4228ec8066dad2a5df6e1bd0de45c7dd5de8070bdb46db6c554cf9aefc9b7b2bbf9f75b1864d9f95005314593905c0109b71f70"
        "3d49"
        "944ae94477b51dac10a816bb6d1c700bafabc8bd86fac8df24be519a2f2836b16392e18036cb13e48c5c";
    struct muhash m, again;
    muhash_init(&m);
    insert_int(&m, 1);
    insert_int(&m, 2);
    uint8_t stored[MUHASH_BYTES], one[384] = {1}, a[32], b[32];
    muhash_write(&m, stored);
    assert_bytes(stored, 384, numerator, "numerator");
    cr_assert_arr_eq(stored + 384, one, 384);
    muhash_read(&again, stored);
    muhash_final(&m, a);
    muhash_final(&again, b);
    cr_assert_arr_eq(a, b, 32);
}

Test(muhash, state_above_the_prime_is_reduced)
{
    uint8_t stored[MUHASH_BYTES] = {0}, out[32];
    memset(stored, 0xff, 384);
    stored[384] = 1;
    struct muhash m;
    muhash_read(&m, stored);
    muhash_final(&m, out);
    assert_bytes(out, 32, "3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271", "2^3072 - 1");
}

/* A number modulo the prime by the simplest means: 96 words of 32 bits. */
struct naive {
    uint32_t w[96];
};

static const uint32_t naive_gap = 1103717;

static uint32_t naive_add_word(struct naive *n, uint64_t v)
{
    for (int i = 0; i < 96; i++) {
        v += n->w[i];
        n->w[i] = (uint32_t)v;
        v >>= 32;
    }
    return (uint32_t)v;
}

static void naive_reduce(struct naive *n)
{
    struct naive t = *n;
    if (naive_add_word(&t, naive_gap)) *n = t;
}

/* N = N + M; both are below the prime. */
static void naive_add(struct naive *n, const struct naive *m)
{
    uint64_t carry = 0;
    for (int i = 0; i < 96; i++) {
        carry += (uint64_t)n->w[i] + m->w[i];
        n->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) naive_add_word(n, naive_gap);
    naive_reduce(n);
}

static struct naive naive_mul(struct naive a, struct naive b)
{
    struct naive product = {{0}};
    naive_reduce(&a);
    naive_reduce(&b);
    for (int bit = 3071; bit >= 0; bit--) {
        struct naive twice = product;
        naive_add(&product, &twice);
        if (b.w[bit / 32] >> (bit % 32) & 1) naive_add(&product, &a);
    }
    return product;
}

static struct naive naive_read(const uint8_t *in)
{
    struct naive n;
    for (int i = 0; i < 96; i++) n.w[i] = get_le32(in + 4 * i);
    return n;
}

static void naive_write(const struct naive *n, uint8_t *out)
{
    for (int i = 0; i < 96; i++) put_le32(out + 4 * i, n->w[i]);
}

/* Numbers near 0, near the prime and near 2^3072, sparse and random ones. */
static void interesting(struct random *r, unsigned kind, uint8_t out[384])
{
    memset(out, kind & 1 ? 0xff : 0, 384);
    if (kind < 2) return;
    if (kind == 2) out[0] = 1;
    if (kind >= 3 && kind <= 11) put_le32(out, 0u - naive_gap + kind - 7); /* 3, 5, 7, 9, 11: the prime - 4 ... + 4 */
    if (kind == 12) out[383] = 0x80;
    if (kind >= 13 && kind < 20) random_bytes(r, out + 8 * (random_below(r, 48)), 8);
    if (kind >= 20) random_bytes(r, out, 384);
}

Test(muhash, products_against_the_naive_ones)
{
    struct random r;
    random_init_u64(&r, 5);
    size_t cases = 0;
    for (unsigned i = 0; i < 24; i++) {
        for (unsigned j = 0; j < 24; j++, cases++) {
            uint8_t a[MUHASH_BYTES], b[MUHASH_BYTES], got[MUHASH_BYTES], expected[384];
            interesting(&r, i, a);
            interesting(&r, j, a + 384);
            memcpy(b, a + 384, 384);
            memcpy(b + 384, a, 384);
            struct muhash x, y;
            muhash_read(&x, a);
            muhash_read(&y, b);
            muhash_combine(&x, &y);
            muhash_write(&x, got);
            struct naive product = naive_mul(naive_read(a), naive_read(b));
            naive_write(&product, expected);
            cr_assert_arr_eq(got, expected, 384, "numbers %u and %u", i, j);
            cr_assert_arr_eq(got + 384, expected, 384, "numbers %u and %u the other way", i, j);
        }
    }
    print_count("muhash products", cases);
}

/* The quotient times the denominator is the numerator. */
Test(muhash, quotients_against_naive_products)
{
    struct random r;
    random_init_u64(&r, 6);
    size_t cases = 0;
    for (unsigned i = 0; i < 40; i++) {
        uint8_t stored[MUHASH_BYTES], after[MUHASH_BYTES], hash[32], back[384], expected[384], zero[384] = {0};
        interesting(&r, i % 24, stored + 384);
        interesting(&r, 20, stored);
        struct naive up = naive_read(stored), down = naive_read(stored + 384);
        naive_reduce(&up);
        naive_reduce(&down);
        naive_write(&down, expected);
        bool invertible = memcmp(expected, zero, 384) != 0;
        struct muhash m;
        muhash_read(&m, stored);
        muhash_final(&m, hash);
        muhash_write(&m, after);
        struct naive product = naive_mul(naive_read(after), down);
        naive_write(&product, back);
        naive_write(&up, expected);
        cr_assert_arr_eq(back, invertible ? expected : zero, 384, "denominator %u", i);
        cases++;
    }
    print_count("muhash quotients", cases);
}
