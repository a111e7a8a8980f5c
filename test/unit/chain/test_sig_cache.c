/* The cache of signatures and script runs that are known to be good. */
#include <criterion/criterion.h>

#include "base/random.h"
#include "chain/sig_cache.h"

static const uint8_t secret_a[32] = {1}, secret_b[32] = {2};

static struct span some_key(void)
{
    static const uint8_t key[33] = {2, 7, 7};
    return span_of(key, sizeof(key));
}

static struct span some_sig(void)
{
    static const uint8_t sig[] = {0x30, 1, 2, 3};
    return span_of(sig, sizeof(sig));
}

Test(sig_cache, answers_for_what_was_added_alone)
{
    struct sig_cache *c = sig_cache_new(1 << 20, secret_a);
    struct sig_verifier v = sig_cache_verifier(c);
    struct sig_key key;
    uint8_t hash[32] = {9}, other[32] = {8};
    cr_assert(sig_cache_is_empty(c));
    cr_assert_not(v.ecdsa(v.ctx, some_key(), some_sig(), hash), "no signature at all: libsecp256k1 says no");
    sig_cache_ecdsa_key(c, &key, some_key(), some_sig(), hash);
    sig_cache_add(c, &key);
    cr_assert_not(sig_cache_is_empty(c));
    cr_assert(v.ecdsa(v.ctx, some_key(), some_sig(), hash), "the cache is asked first");
    cr_assert_not(v.ecdsa(v.ctx, some_key(), some_sig(), other));
    uint8_t sig[64] = {0};
    cr_assert_not(v.schnorr(v.ctx, hash, sig, hash), "the kinds of entry do not mix");
    sig_cache_schnorr_key(c, &key, hash, sig, hash);
    sig_cache_add(c, &key);
    cr_assert(v.schnorr(v.ctx, hash, sig, hash));
    sig[63] ^= 1;
    cr_assert_not(v.schnorr(v.ctx, hash, sig, hash));
    sig_cache_free(c);
}

Test(sig_cache, keys_depend_on_the_secret_and_on_every_part)
{
    struct sig_cache *a = sig_cache_new(1 << 16, secret_a), *b = sig_cache_new(1 << 16, secret_b);
    uint8_t hash[32] = {9};
    struct wtxid id = {{3}};
    struct sig_key x, y;
    sig_cache_ecdsa_key(a, &x, some_key(), some_sig(), hash);
    sig_cache_ecdsa_key(b, &y, some_key(), some_sig(), hash);
    cr_assert_neq(memcmp(&x, &y, sizeof(x)), 0, "another process, another key");
    /* The border between public key and signature counts. */
    uint8_t both[37];
    memcpy(both, some_key().data, 33);
    memcpy(both + 33, some_sig().data, 4);
    sig_cache_ecdsa_key(a, &y, span_of(both, 34), span_of(both + 34, 3), hash);
    cr_assert_neq(memcmp(&x, &y, sizeof(x)), 0);
    sig_cache_script_key(a, &x, &id, SCRIPT_VERIFY_P2SH);
    sig_cache_script_key(a, &y, &id, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS);
    cr_assert_neq(memcmp(&x, &y, sizeof(x)), 0, "good under some flags is not good under more");
    sig_cache_free(a);
    sig_cache_free(b);
}

Test(sig_cache, forgets_but_never_invents)
{
    struct sig_cache *c = sig_cache_new(4096, secret_a); /* 128 entries */
    struct random r;
    random_init_u64(&r, 1);
    struct sig_key keys[1000];
    size_t kept = 0;
    for (size_t i = 0; i < 1000; i++) {
        random_bytes(&r, keys[i].bytes, sizeof(keys[i].bytes));
        cr_assert_not(sig_cache_has(c, &keys[i]));
        sig_cache_add(c, &keys[i]);
        cr_assert(sig_cache_has(c, &keys[i]), "the newest stays");
    }
    for (size_t i = 0; i < 1000; i++) kept += sig_cache_has(c, &keys[i]);
    cr_assert(kept > 100 && kept <= 128, "%zu kept", kept);
    sig_cache_free(c);
}
