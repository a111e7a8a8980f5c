/* gettxoutsetinfo without an index: a walk over all coins, some at a time. */
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/sha256.h"
#include "index/index.h"
#include "primitives/compact_size.h"

struct coin_scan {
    struct coins_iter *iter;
    enum coin_hash hash;
    struct sha256 serialized;
    struct muhash muhash;
    struct txid last; /* transaction of the coin before */
    struct coin_scan_result result;
    uint64_t total_amount; /* unsigned, so that nonsense in the store cannot overflow it */
    struct buffer bytes;
};

void coin_hash_bytes(struct buffer *out, const struct outpoint *at, const struct coin *coin)
{
    buffer_put(out, at->txid.bytes, 32);
    buffer_put_le32(out, at->index);
    buffer_put_le32(out, coin->origin);
    buffer_put_le64(out, (uint64_t)coin->value);
    buffer_put_compact_size(out, coin->script_pubkey.len);
    buffer_put_span(out, coin->script_pubkey);
}

struct coin_scan *coin_scan_new(struct chain *chain, enum coin_hash hash)
{
    struct coin_scan *s = mem_calloc(1, sizeof(*s));
    s->iter = coins_iter_new(chain->coins);
    s->hash = hash;
    sha256_init(&s->serialized);
    muhash_init(&s->muhash);
    return s;
}

static void take(struct coin_scan *s, const struct outpoint *at, const struct coin *coin)
{
    struct coin_scan_result *r = &s->result;
    if (r->txouts == 0 || !txid_equal(&s->last, &at->txid)) r->transactions++;
    s->last = at->txid;
    r->txouts++;
    r->bogosize += coin_bogosize(coin->script_pubkey.len);
    s->total_amount += (uint64_t)coin->value;
    if (s->hash == COIN_HASH_NONE) return;
    s->bytes.len = 0;
    coin_hash_bytes(&s->bytes, at, coin);
    if (s->hash == COIN_HASH_MUHASH)
        muhash_insert(&s->muhash, s->bytes.data, s->bytes.len);
    else
        sha256_put(&s->serialized, s->bytes.data, s->bytes.len);
}

enum result coin_scan_step(struct coin_scan *s, unsigned coins, bool *done, struct coin_scan_result *out,
                           struct error *e)
{
    struct outpoint at;
    struct coin coin;
    *done = false;
    for (; coins; coins--) {
        enum result r;
        if (coins_iter_next(s->iter, &at, &coin, &r, e)) {
            take(s, &at, &coin);
            continue;
        }
        if (r) return r;
        *done = true;
        break;
    }
    if (!*done) return RESULT_OK;
    *out = s->result;
    out->total_amount = (amount_sat)s->total_amount;
    struct sha256 serialized = s->serialized;
    if (s->hash == COIN_HASH_SERIALIZED_3) sha256_final_double(&serialized, out->hash);
    if (s->hash == COIN_HASH_MUHASH) muhash_final(&s->muhash, out->hash);
    return RESULT_OK;
}

void coin_scan_free(struct coin_scan *s)
{
    if (!s) return;
    coins_iter_free(s->iter);
    buffer_clear(&s->bytes);
    free(s);
}
