/* A queue between two threads. */
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
    free(q->items);
    pthread_mutex_destroy(&q->lock);
    *q = (struct request_queue){.event_fd = -1};
}

static void grow(struct request_queue *q)
{
    size_t cap = q->cap ? q->cap * 2 : 16;
    void **items = mem_calloc(cap, sizeof(*items));
    for (size_t i = 0; i < q->count; i++) items[i] = q->items[(q->first + i) % q->cap];
    free(q->items);
    q->items = items;
    q->cap = cap;
    q->first = 0;
}

void request_queue_put(struct request_queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    if (q->count == q->cap) grow(q);
    q->items[(q->first + q->count++) % q->cap] = item;
    pthread_mutex_unlock(&q->lock);
    uint64_t one = 1;
    ssize_t written = write(q->event_fd, &one, sizeof(one));
    (void)written; /* full means readable, which is all that is wanted */
}

void *request_queue_take(struct request_queue *q)
{
    pthread_mutex_lock(&q->lock);
    void *item = NULL;
    if (q->count) {
        item = q->items[q->first];
        q->first = (q->first + 1) % q->cap;
        q->count--;
    }
    if (!q->count) {
        uint64_t seen;
        ssize_t got = read(q->event_fd, &seen, sizeof(seen));
        (void)got;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}
