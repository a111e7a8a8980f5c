/* cairn-miner: the threads that hash, and the one that waits for the node. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "daemon/miner.h"

enum { NONCE_AT = 76, CHUNK = 1 << 16, US_A_S = 1000000 };

int64_t miner_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_A_S + now.tv_nsec / 1000;
}

void miner_wake(struct miner *m)
{
    uint64_t one = 1;
    while (write(m->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

static void release_locked(struct miner_task *t)
{
    if (!t || --t->refs) return;
    mine_plan_clear(&t->plan);
    free(t);
}

void miner_task_release(struct miner *m, struct miner_task *t)
{
    pthread_mutex_lock(&m->lock);
    release_locked(t);
    pthread_mutex_unlock(&m->lock);
}

void miner_set_task(struct miner *m, struct miner_task *t_taken)
{
    pthread_mutex_lock(&m->lock);
    release_locked(m->task);
    m->task = t_taken;
    uint64_t next = atomic_load(&m->generation) + 1;
    if (t_taken) {
        t_taken->refs = 1;
        t_taken->generation = next;
    }
    atomic_store(&m->generation, next);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

/* Waits for something to do; NULL at the end. */
static struct miner_task *take_task(struct miner *m)
{
    struct miner_task *t = NULL;
    pthread_mutex_lock(&m->lock);
    while (!atomic_load(&m->stop) && (!m->task || atomic_load(&m->task->spent)))
        pthread_cond_wait(&m->changed, &m->lock);
    if (!atomic_load(&m->stop)) {
        t = m->task;
        t->refs++;
    }
    pthread_mutex_unlock(&m->lock);
    return t;
}

static bool is_current(struct miner *m, struct miner_task *t)
{
    return atomic_load_explicit(&m->generation, memory_order_relaxed) == t->generation &&
           !atomic_load_explicit(&t->spent, memory_order_relaxed) &&
           !atomic_load_explicit(&m->stop, memory_order_relaxed);
}

static void report(struct miner *m, struct miner_task *t, const uint8_t header[HEADER_BYTES], uint64_t extranonce)
{
    if (atomic_exchange(&t->spent, true)) return; /* another thread was first */
    pthread_mutex_lock(&m->lock);
    release_locked(m->find.task);
    m->find = (struct miner_find){.task = t, .extranonce = extranonce};
    memcpy(m->find.header, header, HEADER_BYTES);
    t->refs++;
    pthread_mutex_unlock(&m->lock);
    miner_wake(m);
}

/* All nonces of one header; false where there is nothing more to do for this task. */
static bool search_nonces(struct miner *m, struct miner_task *t, uint8_t header[HEADER_BYTES], uint64_t extranonce)
{
    struct mine_job job;
    mine_job_init(&job, header, (uint32_t)(t->plan.t.target.w[3] >> 32));
    uint64_t at = 0, end = UINT64_C(1) << 32;
    while (at < end) {
        if (!is_current(m, t)) return false;
        uint64_t count = end - at < CHUNK ? end - at : CHUNK;
        uint32_t nonce;
        bool hit = m->kernel->scan(&job, (uint32_t)at, count, &nonce);
        uint64_t next = hit ? (uint64_t)nonce + 1 : at + count;
        atomic_fetch_add_explicit(&m->hashes, next - at, memory_order_relaxed);
        at = next;
        if (!hit) continue;
        put_le32(header + NONCE_AT, nonce);
        if (mine_meets(header, &t->plan.t.target)) {
            report(m, t, header, extranonce);
            return false;
        }
    }
    return true;
}

void *miner_search(void *arg)
{
    struct miner *m = arg;
    struct miner_task *t;
    while ((t = take_task(m))) {
        bool more = true;
        while (more) {
            uint64_t extranonce = atomic_fetch_add(&m->next_extranonce, 1);
            uint32_t versions = mine_version_count(&t->plan);
            for (uint32_t i = 0; i < versions && more; i++) {
                uint8_t header[HEADER_BYTES];
                int64_t elapsed_s = (miner_now_us() - t->born_us) / US_A_S;
                struct mine_roll roll = {.extranonce = extranonce, .version_bits = i, .time_add = (uint32_t)elapsed_s};
                mine_header(&t->plan, &roll, header);
                more = search_nonces(m, t, header, extranonce);
            }
        }
        miner_task_release(m, t);
    }
    return NULL;
}

/* Waits until there is other work, or for a second. */
static void wait_change(struct miner *m, uint64_t generation)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec++;
    pthread_mutex_lock(&m->lock);
    int code = 0;
    while (!code && !atomic_load(&m->stop) && atomic_load(&m->generation) == generation)
        code = pthread_cond_timedwait(&m->changed, &m->lock, &end);
    pthread_mutex_unlock(&m->lock);
}

static bool is_stopped(void *arg)
{
    struct miner *m = arg;
    return atomic_load(&m->stop);
}

void *miner_long_poll(void *arg)
{
    struct miner *m = arg;
    bool signet = !strcmp(args_chain(m->args)->name, "signet");
    while (!atomic_load(&m->stop)) {
        struct buffer request = {0}, reply = {0}, error = {0};
        pthread_mutex_lock(&m->lock);
        uint64_t generation = atomic_load(&m->generation);
        if (m->task && m->long_poll_id.len) miner_template_request(&request, signet, buffer_text(&m->long_poll_id));
        pthread_mutex_unlock(&m->lock);
        const struct cli_patience patience = {.stopped = is_stopped, .arg = m};
        if (request.len && cli_call_until(m->args, &patience, buffer_span(&request), &reply, &error) == CLI_OK) {
            atomic_store(&m->out_of_date, true); /* the first thread asks anew: its answers come in order */
            miner_wake(m);
        }
        buffer_clear(&request);
        buffer_clear(&reply);
        buffer_clear(&error);
        wait_change(m, generation);
    }
    return NULL;
}
