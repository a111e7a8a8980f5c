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

/* Warms the outpoint at I and those after it, once in COINS_WARM times. */
static void warm_from(const struct coins *c, const struct outpoint *at, size_t i, size_t count)
{
    if (i % COINS_WARM == 0) coins_warm(c, at + i, count - i < COINS_WARM ? count - i : COINS_WARM);
}

/* Adds an outpoint to the MISSING that are to be fetched; LEFT may follow, itself counted. */
static void add_missing(struct coins *c, size_t *missing, const struct outpoint *at, size_t left)
{
    if (*missing == c->fetch_cap) reserve_fetches(c, *missing + left);
    c->fetches[(*missing)++].at = *at;
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

/* Looks them up in the store, on the workers. */
static void fetch_missing(struct coins *c, size_t missing)
{
    struct job_batch batch = {.run = fetch_run, .arg = c, .count = missing, .grain = 16};
    workers_submit(c->workers, &batch);
    workers_join(c->workers, &batch);
}

enum result coins_prefetch(struct coins *c, const struct outpoint *at, size_t count, struct error *e)
{
    if (c->store_empty) {
        coins_warm(c, at, count);
        return RESULT_OK;
    }
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        warm_from(c, at, i, count);
        if (!coins_find(c, &at[i])) add_missing(c, &missing, &at[i], count - i);
    }
    if (missing) fetch_missing(c, missing);
    enum result result = RESULT_OK;
    for (size_t i = 0; i < missing && result == RESULT_OK; i++) result = keep_fetched(c, &c->fetches[i], e);
    return result;
}

enum result coins_any_unspent(struct coins *c, const struct outpoint *at, size_t count, bool *any, struct error *e)
{
    size_t missing = 0;
    *any = false;
    for (size_t i = 0; i < count && !*any; i++) {
        warm_from(c, at, i, count);
        const struct coin_record *r = coins_find(c, &at[i]);
        if (r)
            *any = !(r->flags & COIN_SPENT);
        else if (!c->store_empty)
            add_missing(c, &missing, &at[i], count - i);
    }
    if (*any || missing == 0) return RESULT_OK;
    fetch_missing(c, missing);
    enum result result = RESULT_OK;
    for (size_t i = 0; i < missing && result == RESULT_OK && !*any; i++) {
        result = keep_fetched(c, &c->fetches[i], e);
        *any = c->fetches[i].result == RESULT_OK;
    }
    return result;
}
