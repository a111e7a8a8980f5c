/* Two queues between two threads. */
#include "daemon/request_queue.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

bool request_queue_init(struct request_queue *q)
{
    *q = (struct request_queue){.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    pthread_mutex_init(&q->lock, NULL);
    return q->event_fd >= 0;
}

void request_queue_clear(struct request_queue *q)
{
    if (q->event_fd > 0) close(q->event_fd);
    free(q->rings[0].items);
    free(q->rings[1].items);
    pthread_mutex_destroy(&q->lock);
    *q = (struct request_queue){.event_fd = -1};
}

static void grow(struct request_ring *r)
{
    size_t cap = r->cap ? r->cap * 2 : 16;
    void **items = mem_calloc(cap, sizeof(*items));
    for (size_t i = 0; i < r->count; i++) items[i] = r->items[(r->first + i) % r->cap];
    free(r->items);
    r->items = items;
    r->cap = cap;
    r->first = 0;
}

static void *take(struct request_ring *r)
{
    void *item = r->items[r->first];
    r->first = (r->first + 1) % r->cap;
    r->count--;
    return item;
}

void request_queue_put(struct request_queue *q, void *item, bool long_one)
{
    struct request_ring *r = &q->rings[long_one];
    pthread_mutex_lock(&q->lock);
    if (r->count == r->cap) grow(r);
    r->items[(r->first + r->count++) % r->cap] = item;
    pthread_mutex_unlock(&q->lock);
    uint64_t one = 1;
    ssize_t written = write(q->event_fd, &one, sizeof(one));
    (void)written; /* full means readable, which is all that is wanted */
}

void *request_queue_take(struct request_queue *q)
{
    struct request_ring *brief = &q->rings[0], *lengthy = &q->rings[1];
    void *item = NULL;
    pthread_mutex_lock(&q->lock);
    if (lengthy->count && (!brief->count || q->run >= REQUEST_QUEUE_SHORT_RUN)) {
        item = take(lengthy);
        q->run = 0;
    } else if (brief->count) {
        item = take(brief);
        q->run++;
    }
    if (!brief->count && !lengthy->count) {
        uint64_t seen;
        ssize_t got = read(q->event_fd, &seen, sizeof(seen));
        (void)got;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}
