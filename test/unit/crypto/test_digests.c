/* SHA-256, SHA-1, RIPEMD-160 and what is made of them, against the published values of FIPS 180 and of RIPEMD's
 * authors. */
#include "counting.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/random.h"
#include "crypto/cpu.h"
#include "crypto/hmac_sha512.h"
#include "crypto/ripemd160.h"
#include "crypto/sha256.h"
#include "crypto/sha256_lanes.h"

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
static const char four_words[] =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmno"
    "pqrsmnopqrstnopqrstu";

struct known {
    const char *message; /* NULL: a million times the letter a */
    const char *digest;
};

/* The message of a row, with MILLION standing in for the long one. */
static struct span message_of(const struct known *row, const struct buffer *million)
{
    return row->message ? span_str(row->message) : buffer_span(million);
}

static struct buffer million_a(void)
{
    struct buffer b = {0};
    memset(buffer_extend(&b, 1000000), 'a', 1000000);
    return b;
}

static void check_digests(const struct known *rows, size_t count, void (*digest)(uint8_t *, const void *, size_t),
                          size_t len, const char *what)
{
    struct buffer million = million_a();
    for (size_t i = 0; i < count; i++) {
        uint8_t out[32];
        struct span message = message_of(&rows[i], &million);
        digest(out, message.data, message.len);
        assert_bytes(out, len, rows[i].digest, what);
    }
    buffer_clear(&million);
    print_count(what, count);
}

static const struct known sha256_rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {four_words, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {NULL, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

Test(digests, sha256_of_fips_180)
{
    check_digests(sha256_rows, ARRAY_LEN(sha256_rows), sha256_once, 32, "sha256");
}

Test(digests, sha1_of_fips_180)
{
    static const struct known rows[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {two_blocks, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {four_words, "a49b2446a02c645bf419f995b67091253a04a259"},
        {NULL, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    };
    check_digests(rows, ARRAY_LEN(rows), sha1, 20, "sha1");
}

Test(digests, ripemd160_of_its_authors)
{
    static const struct known rows[] = {
        {"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        {"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"},
        {"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
        {"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"},
        {"abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"},
        {two_blocks, "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "b0e20b6e3116640286ed3a87a5713079b21f5189"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "9b752e45573d4b39f4dbd3323cab82bf63326bfb"},
        {NULL, "52783243c1697bdbe16d37f97f68f08325dc1528"},
    };
    check_digests(rows, ARRAY_LEN(rows), ripemd160, 20, "ripemd160");
}

Test(digests, hash160_of_the_generator_is_its_well_known_key_hash)
{
    uint8_t key[33], out[20];
    bytes_to(key, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    hash160(out, key, sizeof(key));
    assert_bytes(out, 20, "751e76e8199196d454941c45d1b3a323f1433bd6", "hash160"); /* the address of BIP173 */
}

Test(digests, sha256d_of_the_genesis_header_is_its_hash)
{
    uint8_t header[80], out[32];
    bytes_to(
        header, 80,
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc8"
        "1bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c");
    sha256d(out, header, sizeof(header));
    assert_bytes(out, 32, "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000", "sha256d");
}

/* However a message is cut, and whether a copy of the midstate goes on, the digest is the same. */
Test(digests, pieces_and_copied_midstates)
{
    struct random r;
    random_init_u64(&r, 1);
    uint8_t message[600], expected[32], expected_double[32], out[32];
    random_bytes(&r, message, sizeof(message));
    size_t cases = 0;
    for (size_t len = 0; len <= sizeof(message); len += 1 + random_below(&r, 4), cases++) {
        sha256_once(expected, message, len);
        sha256_once(expected_double, expected, 32);
        struct sha256 h, copy;
        sha256_init(&h);
        size_t done = 0;
        while (done < len) {
            size_t n = 1 + random_below(&r, len - done);
            copy = h;
            sha256_put(&copy, message + done, len - done);
            sha256_final(&copy, out);
            cr_assert_arr_eq(out, expected, 32, "copy at %zu of %zu", done, len);
            sha256_put(&h, message + done, n);
            done += n;
        }
        copy = h;
        sha256_final(&h, out);
        cr_assert_arr_eq(out, expected, 32, "length %zu", len);
        sha256_final_double(&copy, out);
        cr_assert_arr_eq(out, expected_double, 32, "double, length %zu", len);
        sha256d(out, message, len);
        cr_assert_arr_eq(out, expected_double, 32, "sha256d, length %zu", len);
    }
    print_count("sha256 in pieces", cases);
}

Test(digests, numbers_go_in_little_endian)
{
    struct sha256 h;
    uint8_t a[32], b[32];
    sha256_init(&h);
    sha256_put_le32(&h, 0x04030201);
    sha256_put_le64(&h, 0x0c0b0a0908070605);
    sha256_final(&h, a);
    sha256_once(b, "\1\2\3\4\5\6\7\10\11\12\13\14", 12);
    cr_assert_arr_eq(a, b, 32);
}

Test(digests, tagged_hash_is_prefixed_by_the_tag_twice)
{
    uint8_t tag[32], a[32], b[32];
    struct sha256 h;
    sha256_once(tag, "BIP0340/challenge", 17);
    sha256_init(&h);
    sha256_put(&h, tag, 32);
    sha256_put(&h, tag, 32);
    sha256_put(&h, "message", 7);
    sha256_final(&h, a);
    tagged_hash_init(&h, "BIP0340/challenge");
    sha256_put(&h, "message", 7);
    sha256_final(&h, b);
    cr_assert_arr_eq(a, b, 32);
}

Test(digests, many_double_hashes_are_the_plain_ones)
{
    struct random r;
    random_init_u64(&r, 2);
    uint8_t in[41 * 64], out[41 * 32], expected[32];
    random_bytes(&r, in, sizeof(in));
    for (size_t count = 0; count <= 40; count++) {
        memset(out, 0xa5, sizeof(out));
        sha256d_64_many(out, in, count);
        for (size_t i = 0; i < count; i++) {
            sha256d(expected, in + 64 * i, 64);
            cr_assert_arr_eq(out + 32 * i, expected, 32, "%zu of %zu", i, count);
        }
        for (size_t i = 32 * count; i < sizeof(out); i++) cr_assert_eq(out[i], 0xa5, "wrote past %zu hashes", count);
    }
    print_count("sha256d_64_many", 41);
}

Test(digests, many_double_hashes_in_place)
{
    struct random r;
    random_init_u64(&r, 3);
    uint8_t in[40 * 64], out[40 * 32];
    for (size_t count = 0; count <= 40; count++) {
        random_bytes(&r, in, sizeof(in));
        sha256d_64_many(out, in, count);
        sha256d_64_many(in, in, count);
        cr_assert_arr_eq(in, out, 32 * count, "count %zu", count);
    }
    print_count("sha256d_64_many in place", 41);
}

/* The dispatcher may never choose the lanes on this machine: they are tried directly. */
Test(digests, avx2_lanes)
{
    if (!cpu_has_avx2()) {
        fprintf(stderr, "SKIPPED: avx2_lanes: no AVX2 here\n");
        return;
    }
    struct random r;
    random_init_u64(&r, 4);
    uint8_t in[8 * 64], out[8 * 32], expected[32];
    for (int round = 0; round < 200; round++) {
        random_bytes(&r, in, sizeof(in));
        if (round == 0) memset(in, 0, sizeof(in));
        if (round == 1) memset(in, 0xff, sizeof(in));
        sha256d_64_x8_avx2(out, in);
        for (size_t i = 0; i < 8; i++) {
            sha256d(expected, in + 64 * i, 64);
            cr_assert_arr_eq(out + 32 * i, expected, 32, "round %d lane %zu", round, i);
        }
        sha256d_64_x8_avx2(in, in);
        cr_assert_arr_eq(in, out, sizeof(out), "in place, round %d", round);
    }
    print_count("avx2 lanes", 200 * 8);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
Test(digests, hmac_sha512)
{
    static const struct {
        uint8_t byte;
        size_t len;
        const char *key, *data, *mac;
    } rows[] = {
        {0x0b, 20, NULL, "Hi There",
         "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f"
         "1702e"
         "696c203a126854"},
        {0, 4, "Jefe", "what do ya want for nothing?",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6"
         "b4b63"
         "6e070a38bce737"},
        {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0"
         "aec8b"
         "915a985d786598"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t key[131], mac[64];
        memset(key, rows[i].byte, sizeof key);
        if (rows[i].key) memcpy(key, rows[i].key, rows[i].len);
        hmac_sha512(mac, span_of(key, rows[i].len), span_str(rows[i].data));
        struct buffer text = {0};
        hex_append(&text, span_of(mac, sizeof mac));
        cr_expect_str_eq(buffer_text(&text), rows[i].mac);
        buffer_clear(&text);
    }
}
