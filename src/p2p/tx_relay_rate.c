/* How many transactions a second are told to peers, and which of those that wait go first. */
#include "p2p/tx_relay_rate.h"

#include <stdlib.h>

#include "base/alloc.h"

enum {
    COUNT_SECONDS = 30, /* transactions of so many seconds may go out at once */
    FLOOR_SECONDS = 5,  /* and those of so many more, so that the whole backlog is not sorted for each single one */
    KEEP_ROOM = 300,    /* a backlog that is empty keeps room for so many */
    TIDY_LEAST = 1000,
};

static const double SIZE_FIRST = 12e6, SIZE_CAP = 50e6, SIZE_RATE = 20e3, SIZE_FLOOR = -50e3;

void tx_backlog_init(struct tx_backlog *b, unsigned rate, double multiple)
{
    *b = (struct tx_backlog){
        .count = {.rate = rate * multiple, .cap = (double)rate * COUNT_SECONDS, .value = (double)rate * COUNT_SECONDS},
        .size = {.rate = SIZE_RATE * multiple, .cap = SIZE_CAP, .value = SIZE_FIRST},
        .count_floor = -(double)rate * FLOOR_SECONDS,
        .tidy_at = TIDY_LEAST,
    };
}

void tx_backlog_drop(struct tx_backlog *b)
{
    if (b->cap > KEEP_ROOM) {
        free(b->ids);
        b->ids = NULL;
        b->cap = 0;
    }
    b->waiting = 0;
    b->tidy_at = TIDY_LEAST;
}

void tx_backlog_clear(struct tx_backlog *b)
{
    free(b->ids);
    *b = (struct tx_backlog){0};
}

/* A flood of transactions that come and go must not make it longer than the pool for long. */
static void tidy(struct tx_backlog *b, const struct mempool *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->waiting; i++)
        if (mempool_find_wtxid(m, &b->ids[i])) b->ids[kept++] = b->ids[i];
    b->waiting = kept;
    b->tidy_at = kept + kept / 2 + TIDY_LEAST;
}

void tx_backlog_put(struct tx_backlog *b, const struct mempool *m, const struct wtxid *id)
{
    if (b->waiting >= b->tidy_at) tidy(b, m);
    b->ids = mem_grow(b->ids, &b->cap, b->waiting + 1, sizeof(*b->ids));
    b->ids[b->waiting++] = *id;
}

/* ---- tokens ---- */

static void fill(struct tx_tokens *t, double seconds)
{
    if (t->value >= t->cap) return;
    t->value += t->rate * seconds;
    if (t->value > t->cap) t->value = t->cap;
}

void tx_backlog_fill(struct tx_backlog *b, int64_t wall_us)
{
    if (b->filled_us && wall_us > b->filled_us) {
        double seconds = (double)(wall_us - b->filled_us) / 1e6;
        fill(&b->count, seconds);
        fill(&b->size, seconds);
    }
    b->filled_us = wall_us;
}

bool tx_backlog_is_due(const struct tx_backlog *b)
{
    return b->waiting && b->count.value > 0 && b->size.value > 0;
}

/* Pays for one; false where nothing is left after it. */
static bool pay(struct tx_backlog *b, const struct tx *tx)
{
    b->count.value -= 1;
    b->size.value -= tx->size;
    return b->count.value > b->count_floor && b->size.value > SIZE_FLOOR;
}

struct mempool_list tx_backlog_take(struct tx_backlog *b, struct mempool *m)
{
    double most = b->count.value - b->count_floor;
    struct mempool_list best = tx_relay_best(m, b->ids, &b->waiting, most > 0 ? (size_t)most : 0);
    size_t taken = 0;
    for (bool more = true; more && taken < best.count; taken++) more = pay(b, &best.entries[taken]->tx);
    for (size_t i = taken; i < best.count; i++) b->ids[b->waiting++] = best.entries[i]->tx.wtxid;
    best.count = taken;
    if (!b->waiting) tx_backlog_drop(b);
    return best;
}

/* ---- the best of them ---- */

/* Restores the order of a heap, best on top, in which only the one AT may be too low down the order. */
static void sift(struct mempool *m, const struct mempool_entry **heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && mempool_compare(m, heap[child + 1], heap[child]) < 0) child++;
        if (mempool_compare(m, heap[child], heap[at]) >= 0) return;
        const struct mempool_entry *e = heap[at];
        heap[at] = heap[child];
        heap[child] = e;
    }
}

struct mempool_list tx_relay_best(struct mempool *m, struct wtxid *ids, size_t *count, size_t wanted)
{
    struct mempool_list best = {0};
    size_t left = 0, given = *count;
    if (wanted == 0 || given == 0) return best;
    const struct mempool_entry **heap = mem_calloc(given, sizeof(*heap));
    for (size_t i = 0; i < given; i++)
        if ((heap[left] = mempool_find_wtxid(m, &ids[i])) != NULL) left++;
    for (size_t i = left / 2; i-- > 0;) sift(m, heap, left, i);
    best.entries = mem_calloc(wanted < left ? wanted : left + 1, sizeof(*best.entries));
    while (left) {
        bool again = best.count && best.entries[best.count - 1] == heap[0];
        if (!again && best.count == wanted) break;
        if (!again) best.entries[best.count++] = heap[0];
        heap[0] = heap[--left];
        sift(m, heap, left, 0);
    }
    for (size_t i = 0; i < left; i++) ids[i] = heap[i]->tx.wtxid;
    *count = left;
    free(heap);
    return best;
}
