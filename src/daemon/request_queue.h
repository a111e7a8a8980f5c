/* Requests on their way from the HTTP thread to the engine's: two queues with a lock, and a descriptor that becomes
 * readable when something is in one of them. What is short does not wait behind what is long, but now and then. */
#ifndef CAIRN_DAEMON_REQUEST_QUEUE_H
#define CAIRN_DAEMON_REQUEST_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { REQUEST_QUEUE_SHORT_RUN = 32 }; /* so many short ones go before a long one */

struct request_ring {
    void **items;
    size_t first, count, cap;
};

struct request_queue {
    pthread_mutex_t lock;
    struct request_ring rings[2]; /* short, long */
    unsigned run;                 /* short ones taken since the last long one */
    int event_fd;
};

bool request_queue_init(struct request_queue *q);
void request_queue_clear(struct request_queue *q);

/* Any thread. LONG_ONE: it will take a while. */
void request_queue_put(struct request_queue *q, void *item, bool long_one);

/* The oldest of those whose turn it is, or NULL. The descriptor is reset when nothing is left. */
void *request_queue_take(struct request_queue *q);

#endif
