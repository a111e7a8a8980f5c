/* Requests between two threads: in order, short ones first, none for ever last. */
#include <criterion/criterion.h>
#include <poll.h>

#include "daemon/request_queue.h"

static bool readable(const struct request_queue *q)
{
    struct pollfd fd = {.fd = q->event_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

Test(request_queue, order)
{
    struct request_queue q;
    int items[100];
    cr_assert(request_queue_init(&q));
    cr_expect_null(request_queue_take(&q));
    cr_expect(!readable(&q));
    for (int i = 0; i < 100; i++) request_queue_put(&q, &items[i], false);
    for (int i = 0; i < 100; i++) {
        cr_expect(readable(&q));
        cr_expect_eq(request_queue_take(&q), &items[i]);
    }
    cr_expect(!readable(&q), "nothing is left");
    request_queue_clear(&q);
}

Test(request_queue, short_before_long)
{
    struct request_queue q;
    int first, second, brief[2 * REQUEST_QUEUE_SHORT_RUN];
    cr_assert(request_queue_init(&q));
    request_queue_put(&q, &first, true);
    request_queue_put(&q, &second, true);
    for (int i = 0; i < 2 * REQUEST_QUEUE_SHORT_RUN; i++) request_queue_put(&q, &brief[i], false);
    for (int i = 0; i < REQUEST_QUEUE_SHORT_RUN; i++) cr_expect_eq(request_queue_take(&q), &brief[i]);
    cr_expect_eq(request_queue_take(&q), &first, "it waited long enough");
    cr_expect_eq(request_queue_take(&q), &brief[REQUEST_QUEUE_SHORT_RUN]);
    for (int i = 1; i < REQUEST_QUEUE_SHORT_RUN; i++)
        cr_expect_eq(request_queue_take(&q), &brief[REQUEST_QUEUE_SHORT_RUN + i]);
    cr_expect_eq(request_queue_take(&q), &second);
    cr_expect_null(request_queue_take(&q));
    cr_expect(!readable(&q));
    request_queue_clear(&q);
}
