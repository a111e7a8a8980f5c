/* Loading the coins that a block will spend, in parallel on the workers. */
#include <stdlib.h>

#include "base/alloc.h"
#include "chain/coins_table.h"

struct coins_fetch {
    struct outpoint at;
    struct coin coin; /* its script lies in SCRIPT */
    struct buffer value, script;
    enum result result;
};

static void fetch_run(void *arg, size_t i)
{
    struct coins *c = arg;
    struct coins_fetch *f = &c->fetches[i];
    f->result = coin_load(c->store, &f->at, &f->coin, &f->value, &f->script, NULL);
}

static void reserve_fetches(struct coins *c, size_t count)
{
    if (count <= c->fetch_cap) return;
    c->fetches = mem_realloc(c->fetches, count, sizeof(*c->fetches));
    memset(c->fetches + c->fetch_cap, 0, (count - c->fetch_cap) * sizeof(*c->fetches));
    c->fetch_cap = count;
}

void coins_fetches_free(struct coins *c)
{
    for (size_t i = 0; i < c->fetch_cap; i++) {
        buffer_clear(&c->fetches[i].value);
        buffer_clear(&c->fetches[i].script);
    }
    free(c->fetches);
    c->fetches = NULL;
    c->fetch_cap = 0;
}

/* Outpoints that the cache does not know, in their order. */
static size_t list_missing(struct coins *c, const struct outpoint *at, size_t count)
{
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % COINS_WARM == 0) coins_warm(c, at + i, count - i < COINS_WARM ? count - i : COINS_WARM);
        if (coins_find(c, &at[i])) continue;
        if (missing == c->fetch_cap) reserve_fetches(c, missing + (count - i));
        c->fetches[missing++].at = at[i];
    }
    return missing;
}

/* One that was fetched goes to the cache. An outpoint may have been asked for twice. A failed one is tried again, for
 * the error's text. */
static enum result keep_fetched(struct coins *c, struct coins_fetch *f, struct error *e)
{
    if (f->result != RESULT_OK && f->result != RESULT_NOT_FOUND)
        f->result = coin_load(c->store, &f->at, &f->coin, &f->value, &f->script, e);
    if (f->result == RESULT_NOT_FOUND) return RESULT_OK;
    if (f->result != RESULT_OK) return f->result;
    struct coin_place place = coins_place(c, &f->at);
    if (!coins_at(c, place)) coins_insert(c, place, &f->at, &f->coin, 0);
    return RESULT_OK;
}

enum result coins_prefetch(struct coins *c, const struct outpoint *at, size_t count, struct error *e)
{
    if (c->store_empty) {
        coins_warm(c, at, count);
        return RESULT_OK;
    }
    size_t missing = list_missing(c, at, count);
    if (missing == 0) return RESULT_OK;
    struct job_batch batch = {.run = fetch_run, .arg = c, .count = missing, .grain = 16};
    workers_submit(c->workers, &batch);
    workers_join(c->workers, &batch);
    enum result result = RESULT_OK;
    for (size_t i = 0; i < missing && result == RESULT_OK; i++) result = keep_fetched(c, &c->fetches[i], e);
    return result;
}
