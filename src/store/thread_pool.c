/* The workers' pool. Batches stand in two queues in the order of their submission, those of the background apart; a
 * thread enters the first one that has untaken indexes under the lock, and takes them without it. A batch's `done`
 * counts its finished jobs and, in steps of INSIDE, the threads that are in it: it is over, and may be forgotten, when
 * `done` equals `count`. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "store/store.h"

#define INSIDE ((size_t)1 << 48)

enum { SPINS = 1000 }; /* looks before a thread sleeps: tens of microseconds */

struct thread_pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a batch came, or stop */
    pthread_cond_t over; /* a batch is over */
    struct queue {
        struct job_batch *head, *tail;
    } front, background;
    unsigned sleeping; /* on `work` */
    unsigned waiting;  /* on `over` */
    unsigned queued;   /* batches in the queue: also looked at without the lock */
    bool stop;
    unsigned threads; /* the joining one included */
    pthread_t *started;
};

static void spin_once(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool is_over(const struct job_batch *b)
{
    return __atomic_load_n(&b->done, __ATOMIC_ACQUIRE) == b->count;
}

/* ---- queue (under the lock) ------------------------------------------------------------------------------------ */

static struct queue *queue_of(struct thread_pool *p, const struct job_batch *b)
{
    return b->background ? &p->background : &p->front;
}

/* The batch that is next, or NULL. */
static struct job_batch *queue_first(const struct thread_pool *p)
{
    return p->front.head ? p->front.head : p->background.head;
}

static void queue_put(struct thread_pool *p, struct job_batch *b)
{
    struct queue *q = queue_of(p, b);
    b->next = NULL;
    if (q->tail)
        q->tail->next = b;
    else
        q->head = b;
    q->tail = b;
    __atomic_store_n(&p->queued, p->queued + 1, __ATOMIC_RELEASE);
}

static void queue_del(struct thread_pool *p, struct job_batch *b)
{
    struct queue *q = queue_of(p, b);
    struct job_batch *before = NULL, *at = q->head;
    for (; at && at != b; at = at->next) before = at;
    if (!at) return;
    if (before)
        before->next = b->next;
    else
        q->head = b->next;
    if (q->tail == b) q->tail = before;
    __atomic_store_n(&p->queued, p->queued - 1, __ATOMIC_RELEASE);
}

/* ---- working --------------------------------------------------------------------------------------------------- */

/* Takes and runs indexes until none is left; returns how many were run. The thread must be inside. */
static size_t work_on(struct job_batch *b)
{
    size_t grain = b->grain ? b->grain : 1, ran = 0;
    for (;;) {
        if (__atomic_load_n(&b->taken, __ATOMIC_RELAXED) >= b->count) return ran;
        size_t from = __atomic_fetch_add(&b->taken, grain, __ATOMIC_RELAXED);
        if (from >= b->count) return ran;
        size_t to = grain < b->count - from ? from + grain : b->count;
        for (size_t i = from; i < to; i++) b->run(b->arg, i);
        ran += to - from;
    }
}

static void enter(struct job_batch *b)
{
    __atomic_fetch_add(&b->done, INSIDE, __ATOMIC_RELAXED);
}

/* Under the lock: the batch must not be touched afterwards, its owner may be gone. */
static void leave(struct thread_pool *p, struct job_batch *b, size_t ran)
{
    queue_del(p, b); /* nothing is left to take */
    size_t count = b->count;
    bool over = __atomic_add_fetch(&b->done, ran - INSIDE, __ATOMIC_RELEASE) == count;
    if (over && p->waiting > 0) pthread_cond_broadcast(&p->over);
}

/* Waits, with the lock held, for something in the queue: first awake, then asleep. False to stop. */
static bool wait_for_work(struct thread_pool *p)
{
    if (!queue_first(p) && !p->stop) {
        pthread_mutex_unlock(&p->lock);
        for (int i = 0; i < SPINS && !__atomic_load_n(&p->queued, __ATOMIC_ACQUIRE); i++) spin_once();
        pthread_mutex_lock(&p->lock);
    }
    while (!queue_first(p) && !p->stop) {
        p->sleeping++;
        pthread_cond_wait(&p->work, &p->lock);
        p->sleeping--;
    }
    return !p->stop;
}

static void *worker_main(void *arg)
{
    struct thread_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    while (wait_for_work(p)) {
        struct job_batch *b = queue_first(p);
        enter(b);
        pthread_mutex_unlock(&p->lock);
        size_t ran = work_on(b);
        pthread_mutex_lock(&p->lock);
        leave(p, b, ran);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- port ------------------------------------------------------------------------------------------------------ */

static void pool_submit(void *ctx, struct job_batch *b)
{
    struct thread_pool *p = ctx;
    if (b->count == 0 || p->threads < 2) return; /* with no other thread the joining one does all */
    CHECK(b->count < INSIDE);
    size_t grain = b->grain ? b->grain : 1;
    pthread_mutex_lock(&p->lock);
    queue_put(p, b);
    if (p->sleeping > 0) {
        if (b->count <= grain)
            pthread_cond_signal(&p->work);
        else
            pthread_cond_broadcast(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

static void wait_until_over(struct thread_pool *p, struct job_batch *b)
{
    for (int i = 0; i < SPINS && !is_over(b); i++) spin_once();
    if (is_over(b)) return;
    pthread_mutex_lock(&p->lock);
    p->waiting++;
    while (!is_over(b)) pthread_cond_wait(&p->over, &p->lock);
    p->waiting--;
    pthread_mutex_unlock(&p->lock);
}

static void pool_join(void *ctx, struct job_batch *b)
{
    struct thread_pool *p = ctx;
    enter(b);
    size_t ran = work_on(b);
    pthread_mutex_lock(&p->lock);
    leave(p, b, ran);
    pthread_mutex_unlock(&p->lock);
    wait_until_over(p, b);
}

static unsigned pool_threads(void *ctx)
{
    const struct thread_pool *p = ctx;
    return p->threads;
}

static const struct worker_ops pool_ops = {.submit = pool_submit, .join = pool_join, .threads = pool_threads};

/* Signals are for the threads that the daemon chose, not for workers. */
static unsigned start_threads(struct thread_pool *p, unsigned count)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    unsigned started = 0;
    while (started < count && !pthread_create(&p->started[started], NULL, worker_main, p)) started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void thread_pool_open(struct workers *out, unsigned threads)
{
    struct thread_pool *p = mem_calloc(1, sizeof(*p));
    unsigned wanted = threads > 1 ? threads - 1 : 0;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->over, NULL);
    p->started = mem_calloc(wanted, sizeof(*p->started));
    p->threads = 1 + wanted; /* before any thread can look */
    unsigned started = start_threads(p, wanted);
    p->threads = 1 + started;
    *out = (struct workers){.ops = &pool_ops, .ctx = p};
}

void thread_pool_close(struct workers *w)
{
    struct thread_pool *p = w->ctx;
    *w = (struct workers){0};
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    CHECK(!queue_first(p));
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i + 1 < p->threads; i++) pthread_join(p->started[i], NULL);
    pthread_cond_destroy(&p->over);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->started);
    free(p);
}
