/* Requests on their way from the HTTP thread to the engine's: a queue with a lock, and a descriptor that becomes
 * readable when something is in it. */
#ifndef CAIRN_DAEMON_REQUEST_QUEUE_H
#define CAIRN_DAEMON_REQUEST_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct request_queue {
    pthread_mutex_t lock;
    void **items; /* ring */
    size_t first, count, cap;
    int event_fd;
};

bool request_queue_init(struct request_queue *q);
void request_queue_clear(struct request_queue *q);

/* Any thread. */
void request_queue_put(struct request_queue *q, void *item);

/* The oldest, or NULL. The descriptor is reset when the queue runs empty. */
void *request_queue_take(struct request_queue *q);

#endif
