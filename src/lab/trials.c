/* Many worlds, one seed after the other, in several processes: a crash costs one seed and is reported as such. */
#include "lab/trials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "lab/image.h"
#include "lab/world.h"

/* ---- one ---- */

static void broke(struct lab_trial *t, const char *why)
{
    if (t->broken) return;
    t->broken = true;
    snprintf(t->why, sizeof(t->why), "%.199s", why);
}

/* An attempt that nothing ends cannot be waited for. */
static bool ends(const struct lab_setup *s)
{
    return s->patience || s->budget || s->q_ppm > LAB_PPM / 2;
}

/* Microseconds that a block takes to be everywhere, at most: an announcement, a request and the block for each link of
 * the ring, and what nodes take to look at them. */
static int64_t news_us(const struct lab_setup *s)
{
    enum { AT_ONCE_US = 20000, MESSAGES = 3 };
    unsigned nodes = s->honest + s->watchers + s->merchant + 1;
    return AT_ONCE_US + (int64_t)(nodes / 2 + 1) * MESSAGES * s->latency_us;
}

/* Did somebody find a block before the one before it was known everywhere? The model knows nothing of that. */
static bool in_one_anothers_way(const struct lab_world *w, const struct lab_setup *s)
{
    int64_t before = 0, news = news_us(s);
    for (size_t i = 1; i < lab_world_block_count(w); i++) {
        int64_t found = lab_world_block(w, (uint32_t)i).found_us;
        if (i > 1 && found - before < news) return true;
        before = found;
    }
    return false;
}

static void compare_with_model(const struct lab_world *w, const struct lab_setup *s, struct lab_trial *t)
{
    struct race_rules rules = {
        .q_ppm = s->q_ppm, .z = s->confirmations, .premine = s->premine, .patience = s->patience, .budget = s->budget};
    struct race_outcome model = race_one(&rules, s->seed);
    t->as_model = model.stolen == t->stolen && model.honest_blocks == t->honest_blocks &&
                  model.attacker_blocks == t->attacker_blocks && model.attacker_at_z == t->attacker_at_z;
    if (!t->as_model) t->as_model = in_one_anothers_way(w, s);
}

/* The blocks of the race are the last ones that were found. */
static void take_gaps(const struct lab_world *w, const struct lab_trial *t, struct buffer *gaps)
{
    size_t count = lab_world_block_count(w), race = (size_t)t->honest_blocks + t->attacker_blocks;
    for (size_t i = count > race ? count - race : 1; i < count; i++) {
        if (!i) continue;
        int64_t us = lab_world_block(w, (uint32_t)i).found_us - lab_world_block(w, (uint32_t)(i - 1)).found_us;
        double gap = (double)us / 1e6;
        buffer_put(gaps, &gap, sizeof(gap));
    }
}

static void take_outcome(struct lab_world *w, struct lab_trial *t)
{
    struct lab_outcome o = lab_world_outcome(w);
    t->stolen = o.stolen;
    t->honest_blocks = o.honest_blocks;
    t->attacker_blocks = o.attacker_blocks;
    t->depth = o.depth;
    t->silence_alarms = o.silence_alarms;
    t->slow_alarms = o.slow_alarms;
    t->attacker_at_z = o.attacker_at_z;
    t->took_us = o.took_us;
    lab_world_log_hash(w, t->log);
    if (!o.over) broke(t, "the attempt did not come to an end");
}

static void run_world(struct lab_world *w, const struct lab_setup *setup, struct lab_trial *t, struct buffer *gaps)
{
    struct error e = {0};
    struct lab_command attack = {.kind = LAB_COMMAND_ATTACK};
    if (lab_world_command(w, &attack, &e)) {
        broke(t, e.text);
        return;
    }
    while (!lab_world_outcome(w).over && lab_world_step(w)) continue;
    take_outcome(w, t);
    if (!t->broken && gaps) take_gaps(w, t, gaps);
    compare_with_model(w, setup, t);
    if (!t->broken && !lab_world_failure(w)) {
        t->settled = lab_world_settle(w, t->tip, t->coins, &e);
        if (!t->settled) snprintf(t->why, sizeof(t->why), "%.199s", e.text);
    }
    if (lab_world_failure(w)) broke(t, lab_world_failure(w));
    t->virtual_us = lab_world_now_us(w);
    t->steps = lab_world_steps(w);
}

static void run_on(const struct lab_image *image, const struct lab_setup *setup, struct lab_trial *out,
                   struct buffer *gaps)
{
    struct error e = {0};
    *out = (struct lab_trial){.seed = setup->seed};
    if (lab_setup_check(setup, &e)) {
        broke(out, e.text);
        return;
    }
    if (!ends(setup)) {
        broke(out, "without patience and without a budget nothing ends it");
        return;
    }
    struct lab_world *w = lab_world_new_on(image, setup, "trial");
    run_world(w, setup, out, gaps);
    lab_world_free(w);
}

void lab_trial_run(const struct lab_setup *setup, struct lab_trial *out, struct buffer *gaps)
{
    struct lab_image *image = lab_image_new();
    run_on(image, setup, out, gaps);
    lab_image_free(image);
}

/* ---- many ---- */

/* What a worker tells its parent after each seed; so many gaps follow. */
struct note {
    uint64_t index, gaps;
    struct lab_trial trial;
};

struct worker {
    pid_t pid;
    int from; /* notes come here */
};

struct batch {
    const struct lab_trials *t;
    struct lab_trials_result *result;
    struct worker *workers;
    struct lab_image *image; /* made before the processes part */
};

static struct lab_setup setup_of(const struct lab_trials *t, uint64_t index)
{
    struct lab_setup s = t->setup;
    s.seed += index;
    return s;
}

static bool write_all(int to, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(to, (const char *)data + done, len - done);
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static bool read_all(int from, void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(from, (char *)data + done, len - done);
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static void worker_loop(const struct batch *b, uint64_t first, int to)
{
    const struct lab_trials *t = b->t;
    struct buffer gaps = {0};
    for (uint64_t i = first; i < t->count; i += t->jobs) {
        struct note n = {.index = i};
        struct lab_setup s = setup_of(t, i);
        gaps.len = 0;
        run_on(b->image, &s, &n.trial, t->with_gaps ? &gaps : NULL);
        n.gaps = gaps.len;
        if (!write_all(to, &n, sizeof(n)) || !write_all(to, gaps.data, gaps.len)) break;
    }
    _exit(0);
}

static void worker_start(struct batch *b, struct worker *w, uint64_t first)
{
    int pair[2];
    fflush(NULL);
    CHECK(!pipe(pair));
    w->from = -1;
    w->pid = fork();
    CHECK(w->pid >= 0);
    if (!w->pid) {
        close(pair[0]);
        for (unsigned i = 0; i < b->t->jobs; i++)
            if (b->workers[i].pid > 0 && b->workers[i].from >= 0) close(b->workers[i].from);
        worker_loop(b, first, pair[1]);
    }
    close(pair[1]);
    w->from = pair[0];
}

static void worker_end(struct worker *w, int *status)
{
    close(w->from);
    waitpid(w->pid, status, 0);
    *w = (struct worker){.from = -1};
}

static void count_trial(struct batch *b, const struct lab_trial *t)
{
    struct lab_trials_result *r = b->result;
    struct sha256 h;
    r->trials++;
    r->broken += t->broken;
    r->settled += t->settled;
    r->stolen += t->stolen && !t->broken;
    r->as_model += t->as_model && !t->broken;
    if (!t->broken && t->honest_blocks >= b->t->setup.confirmations) {
        size_t last = ARRAY_LEN(r->at_z) - 1;
        r->at_z[t->attacker_at_z < last ? t->attacker_at_z : last]++;
    }
    if ((t->broken || !t->settled) && !r->why[0])
        snprintf(r->why, sizeof(r->why), "seed %llu: %s", (unsigned long long)t->seed, t->why);
    sha256_init(&h);
    sha256_put(&h, r->hash, sizeof(r->hash));
    sha256_put(&h, t->log, sizeof(t->log));
    sha256_put(&h, t->tip, sizeof(t->tip));
    sha256_put(&h, t->coins, sizeof(t->coins));
    sha256_final(&h, r->hash);
    if (b->t->done) b->t->done(b->t->ctx, t);
}

static bool read_note(struct batch *b, struct worker *w, struct note *n)
{
    if (!read_all(w->from, n, sizeof(*n))) return false;
    struct buffer *gaps = &b->result->gaps;
    size_t before = gaps->len;
    if (n->gaps && !read_all(w->from, buffer_extend(gaps, n->gaps), n->gaps)) {
        gaps->len = before;
        return false;
    }
    return true;
}

/* Trial INDEX is the worker's next one. A process that died in it is replaced by one that begins with the one after. */
static void take_trial(struct batch *b, struct worker *w, uint64_t index)
{
    struct note n;
    int status = 0;
    if (read_note(b, w, &n)) {
        CHECK(n.index == index);
        count_trial(b, &n.trial);
        return;
    }
    worker_end(w, &status);
    struct lab_trial dead = {.seed = setup_of(b->t, index).seed};
    char why[80];
    snprintf(why, sizeof(why), "its process died (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    broke(&dead, why);
    count_trial(b, &dead);
    if (index + b->t->jobs < b->t->count) worker_start(b, w, index + b->t->jobs);
}

static void run_here(struct batch *b)
{
    for (uint64_t i = 0; i < b->t->count; i++) {
        struct lab_trial trial;
        struct lab_setup s = setup_of(b->t, i);
        run_on(b->image, &s, &trial, b->t->with_gaps ? &b->result->gaps : NULL);
        count_trial(b, &trial);
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seeds are dealt out in turn and read in turn, so that they come in order; what a worker is ahead waits in its pipe.
 */
void lab_trials_run(const struct lab_trials *t, struct lab_trials_result *out)
{
    double began = now_s();
    struct batch b = {.t = t, .result = out, .image = lab_image_new()};
    *out = (struct lab_trials_result){0};
    if (!t->jobs) run_here(&b);
    b.workers = mem_calloc(t->jobs + 1, sizeof(*b.workers));
    for (unsigned i = 0; i < t->jobs && i < t->count; i++) worker_start(&b, &b.workers[i], i);
    for (uint64_t i = 0; t->jobs && i < t->count; i++) take_trial(&b, &b.workers[i % t->jobs], i);
    for (unsigned i = 0; i < t->jobs; i++)
        if (b.workers[i].pid) worker_end(&b.workers[i], NULL);
    free(b.workers);
    lab_image_free(b.image);
    out->wall_s = now_s() - began;
}
