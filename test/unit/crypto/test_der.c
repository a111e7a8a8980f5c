/* DER signatures: what the lax parser takes, what strict DER refuses, and the low S. */
#include "counting.h"

#include <secp256k1.h>

#include "crypto/secp.h"

/* A signature by key 1 over a fixed hash, in numbers. */
struct signed_hash {
    uint8_t key[33], hash[32], r[32], low_s[32], high_s[32];
};

static void negate(uint8_t out[32], const uint8_t s[32])
{
    memcpy(out, s, 32);
    cr_assert(secp256k1_ec_seckey_negate(secp256k1_context_static, out));
}

/* Signs hashes until R is as wanted: its top bit set or not. */
static struct signed_hash sign(bool r_high)
{
    struct signed_hash m;
    uint8_t secret[32] = {[31] = 1}, compact[64];
    bytes_to(m.key, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    memset(m.hash, 0x42, 32);
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    do {
        secp256k1_ecdsa_signature sig;
        m.hash[0]++;
        cr_assert(secp256k1_ecdsa_sign(context, &sig, m.hash, secret, NULL, NULL));
        secp256k1_ecdsa_signature_serialize_compact(context, compact, &sig);
    } while (compact[0] >> 7 != r_high || compact[0] == 0 || compact[32] == 0);
    secp256k1_context_destroy(context);
    memcpy(m.r, compact, 32);
    memcpy(m.low_s, compact + 32, 32);
    negate(m.high_s, m.low_s);
    return m;
}

/* An integer with ZEROES zero bytes before it. */
static void put_integer(struct buffer *b, const uint8_t v[32], size_t zeroes)
{
    buffer_put_u8(b, 0x02);
    buffer_put_u8(b, (uint8_t)(32 + zeroes));
    memset(buffer_extend(b, zeroes), 0, zeroes);
    buffer_put(b, v, 32);
}

static struct buffer der_of(const struct signed_hash *m, size_t r_zeroes, const uint8_t s[32], size_t s_zeroes)
{
    struct buffer b = {0};
    buffer_put_u8(&b, 0x30);
    buffer_put_u8(&b, (uint8_t)(68 + r_zeroes + s_zeroes));
    put_integer(&b, m->r, r_zeroes);
    put_integer(&b, s, s_zeroes);
    return b;
}

/* The shortest encoding with the low S. */
static struct buffer strict_of(const struct signed_hash *m)
{
    return der_of(m, m->r[0] >> 7, m->low_s, m->low_s[0] >> 7);
}

static bool verifies(const struct signed_hash *m, const struct buffer *sig)
{
    return ecdsa_verify(span_of(m->key, 33), buffer_span(sig), m->hash);
}

static void insert(struct buffer *b, size_t at, const char *text)
{
    struct buffer extra = bytes_of(text), out = {0};
    buffer_put(&out, b->data, at);
    buffer_put_span(&out, buffer_span(&extra));
    buffer_put(&out, b->data + at, b->len - at);
    buffer_clear(&extra);
    buffer_clear(b);
    *b = out;
}

static void erase(struct buffer *b, size_t at, size_t len)
{
    memmove(b->data + at, b->data + at + len, b->len - at - len);
    b->len -= len;
}

Test(der, strict_signatures_and_every_cut_of_them)
{
    size_t cases = 0;
    for (int high = 0; high < 2; high++) {
        struct signed_hash m = sign(high);
        struct buffer sig = strict_of(&m);
        cr_assert(ecdsa_is_strict_der(buffer_span(&sig)));
        cr_assert(ecdsa_is_low_s(buffer_span(&sig)));
        cr_assert(verifies(&m, &sig));
        for (size_t len = 0; len < sig.len; len++, cases++) {
            /* A copy of just that length, so that a read past it is seen by the address sanitizer. */
            struct buffer cut = {0};
            buffer_put(&cut, sig.data, len);
            cr_assert_not(verifies(&m, &cut), "cut to %zu", len);
            cr_assert_not(ecdsa_is_low_s(buffer_span(&cut)), "cut to %zu", len);
            cr_assert_not(ecdsa_is_strict_der(buffer_span(&cut)), "cut to %zu", len);
            buffer_clear(&cut);
        }
        m.hash[31] ^= 1;
        cr_assert_not(verifies(&m, &sig));
        buffer_clear(&sig);
    }
    cr_assert_not(ecdsa_is_strict_der(span_of(NULL, 0)));
    cr_assert_not(ecdsa_is_low_s(span_of(NULL, 0)));
    print_count("cut signatures", cases);
}

Test(der, high_s_verifies_but_is_not_low)
{
    struct signed_hash m = sign(false);
    struct buffer sig = der_of(&m, 0, m.high_s, m.high_s[0] >> 7);
    cr_assert(verifies(&m, &sig));
    cr_assert_not(ecdsa_is_low_s(buffer_span(&sig)));
    cr_assert(ecdsa_is_strict_der(buffer_span(&sig)));
    buffer_clear(&sig);
}

/* Half the order is the highest low S. */
Test(der, border_of_low_s)
{
    struct signed_hash m = sign(false);
    uint8_t half[32];
    bytes_to(half, 32, "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
    struct buffer sig = der_of(&m, 0, half, 0);
    cr_assert(ecdsa_is_low_s(buffer_span(&sig)));
    buffer_clear(&sig);
    half[31]++;
    sig = der_of(&m, 0, half, 0);
    cr_assert_not(ecdsa_is_low_s(buffer_span(&sig)));
    buffer_clear(&sig);
}

/* One change to a strict signature whose R is at 4 and whose S integer starts at 36. */
struct change {
    const char *what;
    size_t at;
    size_t erase;
    const char *insert;
    bool parses; /* by the lax parser; a signature that parses has its numbers unchanged and verifies */
};

static const struct change changes[] = {
    {"sequence too long by one", 1, 1, "45", true},
    {"sequence length zero", 1, 1, "00", true},
    {"sequence length 0x7f", 1, 1, "7f", true},
    {"sequence length in two bytes", 1, 1, "8144", true},
    {"sequence length in three bytes, wrong", 1, 1, "82ffff", true},
    {"sequence of indefinite length", 1, 1, "80", true},
    {"sequence length in five bytes", 1, 1, "84ffffffff", true},
    {"sequence length of more bytes than there are", 1, 1, "ff", false},
    {"wrong sequence tag", 0, 1, "31", false},
    {"wrong tag of R", 2, 1, "03", false},
    {"wrong tag of S", 36, 1, "00", false},
    {"length of R in two bytes", 3, 1, "8120", true},
    {"length of R in four bytes", 3, 1, "83000020", true},
    {"length of R in six bytes with zeroes", 3, 1, "850000000020", true},
    {"length of R in four significant bytes", 3, 1, "8401000020", false},
    {"length of R above what there is", 3, 1, "83010020", false},
    {"length of R of more bytes than there are", 3, 1, "ff20", false},
    {"length of S in two bytes", 37, 1, "8120", true},
    {"length of S in ten bytes with zeroes", 37, 1, "89000000000000000020", true},
    {"length of S in four significant bytes", 37, 1, "8401000020", false},
    {"length of S one too many", 37, 1, "21", false},
    {"R padded by one zero", 3, 1, "2100", true},
    {"R padded by eight zeroes", 3, 1, "280000000000000000", true},
    {"S padded by one zero", 37, 1, "2100", true},
    {"S padded by eight zeroes", 37, 1, "280000000000000000", true},
    {"one byte after S", 70, 0, "00", true},
    {"many bytes after S", 70, 0, "30440220ffffffffffffffffffffffffffffffff", true},
    {"a byte between R and S", 36, 0, "00", false},
};

Test(der, what_the_lax_parser_takes)
{
    struct signed_hash m = sign(false);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const struct change *c = &changes[i];
        struct buffer sig = strict_of(&m);
        cr_assert_eq(sig.len, 70u);
        erase(&sig, c->at, c->erase);
        insert(&sig, c->at, c->insert);
        cr_assert_eq(verifies(&m, &sig), c->parses, "%s", c->what);
        cr_assert_eq(ecdsa_is_low_s(buffer_span(&sig)), c->parses, "%s", c->what);
        cr_assert_not(ecdsa_is_strict_der(buffer_span(&sig)), "%s", c->what);
        buffer_clear(&sig);
    }
    print_count("lax DER changes", ARRAY_LEN(changes));
}

/* A negative R (the top bit set without a zero before it) is read as the positive number of the same bits. */
Test(der, negative_integers_count_as_positive)
{
    struct signed_hash m = sign(true);
    struct buffer sig = der_of(&m, 0, m.low_s, 0);
    cr_assert(verifies(&m, &sig));
    cr_assert_not(ecdsa_is_strict_der(buffer_span(&sig)));
    buffer_clear(&sig);
    sig = der_of(&m, 1, m.high_s, 0);
    cr_assert_eq(m.high_s[0] >> 7, 1);
    cr_assert(verifies(&m, &sig));
    cr_assert_not(ecdsa_is_strict_der(buffer_span(&sig)));
    buffer_clear(&sig);
}

/* Out of range, a number makes the signature wrong but not unreadable: its S counts as low. */
Test(der, numbers_out_of_range)
{
    static const char *const readable[] = {
        "300602010002010000", /* zeroes, and something behind */
        "3006020100020100",   /* zeroes */
        "30040200020101",     /* an empty R */
        "300402000200",       /* both empty */
        "30800280028000",     /* indefinite lengths: empty */
        "30260221010000000000000000000000000000000000000000000000000000000000000000020101", /* R of 33 bytes */
        "30260201010221010000000000000000000000000000000000000000000000000000000000000000", /* S of 33 bytes */
        "3026022100fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141020101", /* R is the order */
        "3026020101022100fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", /* S is the order */
    };
    struct signed_hash m = sign(false);
    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        struct buffer sig = bytes_of(readable[i]);
        cr_assert_not(verifies(&m, &sig), "%s", readable[i]);
        cr_assert(ecdsa_is_low_s(buffer_span(&sig)), "%s", readable[i]);
        buffer_clear(&sig);
    }
    print_count("numbers out of range", ARRAY_LEN(readable));
}

Test(der, strict_der_of_short_integers)
{
    static const struct {
        const char *sig;
        bool strict;
    } rows[] = {
        {"3006020101020101", true},    {"3006020100020100", true}, /* zero is a number of one byte */
        {"300702020080020101", true},  {"300702010102020080", true},    {"300702020001020101", false},
        {"300702010102020001", false},                              /* a zero too many */
        {"3006020180020101", false},   {"3006020101020180", false}, /* negative */
        {"3005020002020101", false},   {"30050201010200", false},   /* empty */
        {"300602010102010100", false}, {"3007020101020101", false},     {"3005020101020101", false},
        {"3106020101020101", false},   {"3006030101020101", false},     {"3006020101030101", false},
        {"308106020101020101", false}, {"30070281010102010101", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer sig = bytes_of(rows[i].sig);
        cr_assert_eq(ecdsa_is_strict_der(buffer_span(&sig)), rows[i].strict, "%s", rows[i].sig);
        buffer_clear(&sig);
    }
    print_count("strict DER", ARRAY_LEN(rows));
}

/* 72 bytes is the longest: 33 bytes for each number. */
Test(der, strict_der_of_long_integers)
{
    for (size_t extra = 0; extra < 3; extra++) {
        struct buffer sig = {0};
        buffer_put_u8(&sig, 0x30);
        buffer_put_u8(&sig, (uint8_t)(70 + extra));
        for (size_t i = 0; i < 2; i++) {
            size_t len = 33 + (i == 0 ? extra : 0);
            buffer_put_u8(&sig, 0x02);
            buffer_put_u8(&sig, (uint8_t)len);
            memset(buffer_extend(&sig, len), 0x11, len);
        }
        cr_assert_eq(ecdsa_is_strict_der(buffer_span(&sig)), extra == 0, "%zu bytes", sig.len);
        buffer_clear(&sig);
    }
}
