/* The coins' records in the store: their keys, reading one, and iterating over all. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "chain/coins_table.h"

/* First byte of an index: itself below these. */
enum { INDEX_TWO_BYTES = 0xfb, INDEX_FOUR_BYTES = 0xfc };

size_t coin_key_write(uint8_t out[COIN_KEY_MAX], const struct outpoint *at)
{
    out[0] = COIN_KEY_PREFIX;
    memcpy(out + 1, at->txid.bytes, 32);
    if (at->index < INDEX_TWO_BYTES) {
        out[33] = (uint8_t)at->index;
        return 34;
    }
    if (at->index <= 0xffff) {
        out[33] = INDEX_TWO_BYTES;
        put_be16(out + 34, (uint16_t)at->index);
        return 36;
    }
    out[33] = INDEX_FOUR_BYTES;
    put_be32(out + 34, at->index);
    return 38;
}

bool coin_key_read(struct outpoint *at, struct span key)
{
    if (key.len < 34 || key.data[0] != COIN_KEY_PREFIX) return false;
    memcpy(at->txid.bytes, key.data + 1, 32);
    uint8_t first = key.data[33];
    if (first < INDEX_TWO_BYTES && key.len == 34) {
        at->index = first;
        return true;
    }
    if (first == INDEX_TWO_BYTES && key.len == 36) {
        at->index = get_be16(key.data + 34);
        return at->index >= INDEX_TWO_BYTES;
    }
    if (first != INDEX_FOUR_BYTES || key.len != 38) return false;
    at->index = get_be32(key.data + 34);
    return at->index > 0xffff;
}

static enum result malformed(const struct outpoint *at, struct error *e)
{
    char text[HASH_TEXT];
    return error_set(e, RESULT_CORRUPT, "coins database: the record of %s:%u is malformed", txid_text(text, &at->txid),
                     at->index);
}

enum result coin_load(struct kv_store store, const struct outpoint *at, struct coin *coin, struct buffer *value,
                      struct buffer *script, struct error *e)
{
    uint8_t key[COIN_KEY_MAX];
    size_t len = coin_key_write(key, at);
    script->len = 0;
    enum result result = store.ops->get(store.ctx, span_of(key, len), value, e);
    if (result != RESULT_OK) return result;
    return coin_unpack(coin, script, buffer_span(value)) ? RESULT_OK : malformed(at, e);
}

struct coins_iter {
    struct kv_store store;
    void *iter;
    struct buffer script;
};

struct coins_iter *coins_iter_new(struct coins *c)
{
    static const uint8_t first[] = {COIN_KEY_PREFIX};
    struct coins_iter *it = mem_calloc(1, sizeof(*it));
    it->store = c->store;
    it->iter = it->store.ops->iter_new(it->store.ctx);
    it->store.ops->iter_seek(it->iter, span_of(first, sizeof(first)));
    return it;
}

bool coins_iter_next(struct coins_iter *it, struct outpoint *at, struct coin *out, enum result *result, struct error *e)
{
    struct span key, value;
    if (!it->store.ops->iter_next(it->iter, &key, &value)) {
        *result = it->store.ops->iter_result(it->iter, e);
        return false;
    }
    *result = RESULT_OK;
    if (key.len == 0 || key.data[0] != COIN_KEY_PREFIX) return false;
    it->script.len = 0;
    if (!coin_key_read(at, key)) {
        *result = error_set(e, RESULT_CORRUPT, "coins database: a key is malformed");
        return false;
    }
    if (coin_unpack(out, &it->script, value)) return true;
    *result = malformed(at, e);
    return false;
}

void coins_iter_free(struct coins_iter *it)
{
    if (!it) return;
    it->store.ops->iter_free(it->iter);
    buffer_clear(&it->script);
    free(it);
}
