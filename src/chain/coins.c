/* The coins: finding, spending and adding through the cache. */
#include "chain/coins.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "chain/coins_table.h"

struct coins *coins_new(struct kv_store store, struct workers *workers, uint64_t seed)
{
    struct coins *c = mem_calloc(1, sizeof(*c));
    c->store = store;
    c->workers = workers;
    c->k0 = seed;
    c->k1 = seed * 0x9e3779b97f4a7c15u ^ 0xd1b54a32d192ed03u;
    coins_table_init(c);
    return c;
}

void coins_free(struct coins *c)
{
    if (!c) return;
    coins_table_clear(c);
    coins_fetches_free(c);
    buffer_clear(&c->value);
    buffer_clear(&c->script);
    free(c);
}

/* An unspent coin's place and record, from the store where it is not cached. */
struct found {
    struct coin_place place;
    struct coin_record *record;
};

static enum result find_unspent(struct coins *c, const struct outpoint *at, struct found *f, struct error *e)
{
    f->place = coins_place(c, at);
    f->record = coins_at(c, f->place);
    if (!f->record) {
        struct coin coin;
        if (c->store_empty) return RESULT_NOT_FOUND;
        enum result result = coin_load(c->store, at, &coin, &c->value, &c->script, e);
        if (result != RESULT_OK) return result;
        f->record = coins_insert(c, f->place, at, &coin, 0);
    }
    return f->record->flags & COIN_SPENT ? RESULT_NOT_FOUND : RESULT_OK;
}

enum result coins_get(struct coins *c, const struct outpoint *at, struct coin *out, struct error *e)
{
    struct found f;
    enum result result = find_unspent(c, at, &f, e);
    if (result == RESULT_OK) *out = coin_of(f.record);
    return result;
}

enum result coins_get_loaded(struct coins *c, const struct outpoint *at, struct coin *out, bool *loaded,
                             struct error *e)
{
    size_t cached = c->count;
    enum result result = coins_get(c, at, out, e);
    *loaded = c->count > cached;
    return result;
}

bool coins_is_cached(const struct coins *c, const struct outpoint *at)
{
    const struct coin_record *r = coins_find(c, at);
    return r && !(r->flags & COIN_SPENT);
}

void coins_uncache(struct coins *c, const struct outpoint *at)
{
    struct coin_place place = coins_place(c, at);
    const struct coin_record *r = coins_at(c, place);
    if (r && !(r->flags & COIN_DIRTY)) coins_remove_now(c, place);
}

/* What is fresh is in the table still where it was found: it was not just loaded. */
static void spend_record(struct coins *c, struct found f)
{
    if (f.record->flags & COIN_FRESH)
        coins_remove(c, f.place);
    else
        coins_set_flags(c, f.record, COIN_DIRTY | COIN_SPENT);
}

enum result coins_spend(struct coins *c, const struct outpoint *at, struct coin *out, struct error *e)
{
    struct found f;
    enum result result = find_unspent(c, at, &f, e);
    if (result != RESULT_OK) return result;
    *out = coin_of(f.record);
    spend_record(c, f);
    return RESULT_OK;
}

void coins_add(struct coins *c, const struct outpoint *at, const struct coin *coin, bool overwrite)
{
    struct coin_place place = coins_place(c, at);
    const struct coin_record *r = coins_at(c, place);
    if (!r) {
        coins_insert(c, place, at, coin, overwrite ? COIN_DIRTY : COIN_DIRTY | COIN_FRESH);
        return;
    }
    CHECK(overwrite || r->flags & COIN_SPENT);
    coins_replace(c, place, coin, COIN_DIRTY | (r->flags & COIN_FRESH));
}

void coins_erase(struct coins *c, const struct outpoint *at)
{
    struct coin_place place = coins_place(c, at);
    struct coin_record *r = coins_at(c, place);
    if (r)
        spend_record(c, (struct found){.place = place, .record = r});
    else
        coins_insert(c, place, at, NULL, COIN_DIRTY | COIN_SPENT);
}

void coins_end_block(struct coins *c)
{
    coins_release_pending(c);
}

void coins_discard(struct coins *c)
{
    coins_table_clear(c);
    coins_table_init(c);
}

size_t coins_cached(const struct coins *c)
{
    return c->count;
}

size_t coins_dirty(const struct coins *c)
{
    return c->dirty;
}

uint64_t coins_disk_bytes(const struct coins *c)
{
    return c->store.ops->disk_bytes(c->store.ctx);
}
