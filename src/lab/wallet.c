/* Keys, coins, payments. */
#include "lab/wallet.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "crypto/sha256.h"
#include "policy/standard.h"
#include "script/sign.h"

enum { SEQUENCE_NO_RBF = 0xfffffffe };

void lab_wallet_clear(struct lab_wallet *w)
{
    free(w->coins);
    *w = (struct lab_wallet){0};
}

void lab_wallet_add(struct lab_wallet *w, const struct outpoint *at, amount_sat value, uint32_t owner)
{
    w->coins = mem_grow(w->coins, &w->cap, w->count + 1, sizeof(*w->coins));
    w->coins[w->count++] = (struct lab_coin){.at = *at, .value = value, .owner = owner};
}

struct lab_coin *lab_wallet_find(struct lab_wallet *w, uint32_t owner, amount_sat least, uint64_t skip)
{
    for (size_t i = 0; i < w->count; i++) {
        struct lab_coin *c = &w->coins[(skip + i) % w->count];
        if (!c->spent && c->owner == owner && c->value >= least) return c;
    }
    return NULL;
}

void lab_owner_secret(uint8_t out[32], uint32_t owner)
{
    static const char prefix[] = "cairn laboratory key ";
    uint8_t text[sizeof(prefix) + 3];
    memcpy(text, prefix, sizeof(prefix) - 1);
    put_le32(text + sizeof(prefix) - 1, owner);
    sha256_once(out, text, sizeof(text));
}

static void owner_keys(struct sign_keys *keys, uint32_t owner)
{
    uint8_t secret[32];
    lab_owner_secret(secret, owner);
    CHECK(sign_keys_add(keys, secret, true));
}

static void put_script(struct buffer *out, const struct sign_keys *keys)
{
    buffer_put_u8(out, OP_0);
    buffer_put_u8(out, 20);
    buffer_put(out, keys->keys[0].id, 20);
}

void lab_owner_script(struct buffer *out, uint32_t owner)
{
    struct sign_keys keys = {0};
    owner_keys(&keys, owner);
    put_script(out, &keys);
    sign_keys_clear(&keys);
}

void lab_tx_make(struct lab_tx *out, const struct lab_coin *coin, uint32_t to, amount_sat amount, amount_sat fee)
{
    struct sign_keys keys = {0};
    struct arena arena = {0};
    struct buffer pay = {0}, back = {0};
    owner_keys(&keys, coin->owner);
    lab_owner_script(&pay, to);
    put_script(&back, &keys);
    struct tx_in in = {.prevout = coin->at, .sequence = SEQUENCE_NO_RBF};
    struct tx_out outs[2] = {{amount, buffer_span(&pay)}, {coin->value - amount - fee, buffer_span(&back)}};
    struct tx tx = {.version = 2, .in = &in, .in_count = 1, .out = outs, .out_count = 2};
    struct tx_out spent = {coin->value, buffer_span(&back)};
    const struct tx_out *spent_list[1] = {&spent};
    const char *errors[1];
    CHECK(amount > 0 && outs[1].value > 0);
    bool complete = sign_tx(&tx, spent_list, &keys, SIGHASH_ALL, STANDARD_SCRIPT_FLAGS, &arena, errors);
    CHECK(complete);
    *out = (struct lab_tx){.txid = tx.txid, .spends = coin->at};
    tx_write(&out->raw, &tx);
    buffer_clear(&pay);
    buffer_clear(&back);
    arena_clear(&arena);
    sign_keys_clear(&keys);
}

void lab_tx_clear(struct lab_tx *tx)
{
    buffer_clear(&tx->raw);
}
