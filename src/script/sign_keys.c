/* The keys and scripts that signing may use. */
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "script/sign.h"
#include "script/taproot.h"

void sign_keys_clear(struct sign_keys *k)
{
    if (k->keys) explicit_bzero(k->keys, k->key_cap * sizeof *k->keys);
    for (size_t i = 0; i < k->script_count; i++) buffer_clear(&k->scripts[i].script);
    free(k->keys);
    free(k->scripts);
    free(k->taproots);
    *k = (struct sign_keys){0};
}

/* Room for one key more; what is grown out of is wiped. */
static struct sign_key *next_key(struct sign_keys *k)
{
    if (k->key_count == k->key_cap) {
        size_t cap = k->key_cap ? 2 * k->key_cap : 4;
        struct sign_key *keys = mem_calloc(cap, sizeof *keys);
        if (k->keys) {
            memcpy(keys, k->keys, k->key_count * sizeof *keys);
            explicit_bzero(k->keys, k->key_count * sizeof *keys);
            free(k->keys);
        }
        k->keys = keys;
        k->key_cap = cap;
    }
    return &k->keys[k->key_count];
}

bool sign_keys_add(struct sign_keys *k, const uint8_t secret[32], bool compressed)
{
    struct sign_key *key = next_key(k);
    uint8_t pubkey[33];
    if (!pubkey_of_secret(pubkey, secret)) return false;
    memcpy(key->secret, secret, 32);
    memcpy(key->pubkey, pubkey, sizeof pubkey);
    key->pubkey_len = sizeof pubkey;
    if (!compressed) {
        if (!pubkey_uncompress(key->pubkey, span_of(pubkey, sizeof pubkey))) return false;
        key->pubkey_len = sizeof key->pubkey;
    }
    hash160(key->id, key->pubkey, key->pubkey_len);
    k->key_count++;
    return true;
}

void sign_keys_add_script(struct sign_keys *k, struct span script)
{
    k->scripts = mem_grow(k->scripts, &k->script_cap, k->script_count + 1, sizeof *k->scripts);
    struct sign_script *s = &k->scripts[k->script_count++];
    *s = (struct sign_script){0};
    buffer_put_span(&s->script, script);
    hash160(s->id, script.data, script.len);
}

bool sign_keys_add_taproot(struct sign_keys *k, const uint8_t internal[32], const uint8_t *root)
{
    struct sign_taproot t = {.has_root = root != NULL};
    uint8_t tweak[32];
    int parity;
    taptweak_hash(tweak, internal, root);
    if (!xonly_tweak_add(t.output, &parity, internal, tweak)) return false;
    memcpy(t.internal, internal, 32);
    if (root) memcpy(t.root, root, 32);
    k->taproots = mem_grow(k->taproots, &k->taproot_cap, k->taproot_count + 1, sizeof *k->taproots);
    k->taproots[k->taproot_count++] = t;
    return true;
}
