/* Measurements beside the play: a child process runs trials and tells through a pipe how it stands, about five times a
 * second; the page gets each account with the theory that it is held against. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/race.h"
#include "lab/stats.h"
#include "lab/theory.h"
#include "lab/trials.h"
#include "lab/web_internal.h"
#include "rpc/json_writer.h"

enum {
    CURVE = 10,
    TELL_US = 200000,
    SLICE_US = 20000,
    FIRST_SLICE = 500,
    CHILD_PIPE = 3,
    CHILD_NICE = 5, /* the play goes first */
};

/* What is measured. */
struct task {
    enum web_measure_kind kind;
    uint64_t trials;
    struct lab_setup setup;
    unsigned jobs;
};

/* How it stands; smaller than PIPE_BUF, so that it arrives whole. */
struct account {
    uint64_t trials, stolen, broken;
    uint64_t curve_trials[CURVE], curve_stolen[CURVE]; /* confirmations 1 ... */
    double nakamoto, paper, strict, exact;             /* the child computes them, for the recurrence takes a while */
    bool done;
    char why[240]; /* of a broken trial */
};

struct web_measure {
    struct task task;
    pid_t pid;
    int from;
    struct event *readable;
    struct account last;
};

/* ---- in the child ---- */

struct teller {
    int to;
    int64_t told_us;
    struct account account;
};

static void tell(struct teller *t, bool done)
{
    int64_t now = web_real_us();
    if (!done && now - t->told_us < TELL_US) return;
    t->told_us = now;
    t->account.done = done;
    if (write(t->to, &t->account, sizeof t->account) != (ssize_t)sizeof t->account) _exit(1);
}

static void tell_theory(const struct lab_setup *s, struct teller *t)
{
    struct account *a = &t->account;
    double q = (double)s->q_ppm / LAB_PPM;
    a->nakamoto = theory_nakamoto(q, s->confirmations);
    a->paper = theory_paper(q, s->confirmations);
    a->strict = theory_strict(q, s->confirmations);
    a->exact = theory_race(q, s->confirmations, s->premine, s->patience, s->budget);
}

static struct race_rules rules_of(const struct lab_setup *s, unsigned z)
{
    return (struct race_rules){
        .q_ppm = s->q_ppm, .z = z, .premine = s->premine, .patience = s->patience, .budget = s->budget};
}

/* One slice of trials for a number of confirmations. */
static uint64_t race_slice(const struct task *task, unsigned z, uint64_t first, uint64_t trials)
{
    struct race_rules rules = rules_of(&task->setup, z);
    struct race_counts counts = {0};
    race_many(&rules, task->setup.seed, first, trials, false, &counts);
    return counts.stolen;
}

static void measure_race(const struct task *task, struct teller *t)
{
    struct account *a = &t->account;
    uint64_t slice = FIRST_SLICE;
    unsigned wanted = task->setup.confirmations;
    while (a->trials < task->trials) {
        int64_t began = web_real_us();
        uint64_t first = a->trials, n = task->trials - first < slice ? task->trials - first : slice;
        for (unsigned z = 1; z <= CURVE; z++) {
            uint64_t stolen = race_slice(task, z, first, n);
            a->curve_trials[z - 1] += n;
            a->curve_stolen[z - 1] += stolen;
            if (z == wanted) a->stolen += stolen;
        }
        if (wanted < 1 || wanted > CURVE) a->stolen += race_slice(task, wanted, first, n);
        a->trials += n;
        int64_t took = web_real_us() - began;
        if (took < SLICE_US) slice *= 2;
        if (took > SLICE_US * 4 && slice > 1) slice /= 2;
        tell(t, false);
    }
}

static void on_trial(void *ctx, const struct lab_trial *trial)
{
    struct teller *t = ctx;
    struct account *a = &t->account;
    if (trial->broken) {
        if (!a->broken++) snprintf(a->why, sizeof a->why, "%s", trial->why);
    } else {
        a->trials++;
        a->stolen += trial->stolen;
    }
    tell(t, false);
}

static void measure_nodes(const struct task *task, struct teller *t)
{
    struct lab_trials trials = {
        .setup = task->setup, .count = task->trials, .jobs = task->jobs, .done = on_trial, .ctx = t};
    struct lab_trials_result result = {0};
    lab_trials_run(&trials, &result);
    buffer_clear(&result.gaps);
}

/* Nothing of the server's is left open, and the end of the server is the end of this. */
static void leave_home(pid_t parent, int to)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(1);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpriority(PRIO_PROCESS, 0, CHILD_NICE);
    if (to != CHILD_PIPE && dup2(to, CHILD_PIPE) != CHILD_PIPE) _exit(1);
    if (close_range(CHILD_PIPE + 1, ~0U, 0) != 0) _exit(1);
}

NORETURN static void child_main(const struct task *task, pid_t parent, int to)
{
    struct teller t = {.to = CHILD_PIPE};
    leave_home(parent, to);
    tell_theory(&task->setup, &t);
    tell(&t, false);
    if (task->kind == WEB_MEASURE_RACE)
        measure_race(task, &t);
    else
        measure_nodes(task, &t);
    tell(&t, true);
    _exit(0);
}

/* ---- in the server ---- */

static void put_theory(struct json_writer *j, const struct account *a)
{
    jw_kv_object(j, "theory");
    jw_kv_double(j, "nakamoto", a->nakamoto);
    jw_kv_double(j, "paper", a->paper);
    jw_kv_double(j, "strict", a->strict);
    jw_kv_double(j, "exact", a->exact);
    jw_object_end(j);
}

static void put_point(struct json_writer *j, unsigned z, uint64_t trials, uint64_t stolen)
{
    jw_object(j);
    jw_kv_uint(j, "z", z);
    jw_kv_uint(j, "trials", trials);
    jw_kv_uint(j, "stolen", stolen);
    jw_object_end(j);
}

static void put_measures(struct json_writer *j, const struct task *task, const struct account *a)
{
    const struct lab_setup *s = &task->setup;
    double low = 0, high = 1;
    if (a->trials) stats_wilson(a->stolen, a->trials, 1.96, &low, &high);
    jw_kv_str(j, "kind", task->kind == WEB_MEASURE_RACE ? "race" : "nodes");
    jw_kv_double(j, "q", (double)s->q_ppm / LAB_PPM);
    jw_kv_uint(j, "z", s->confirmations);
    jw_kv_uint(j, "wanted", task->trials);
    jw_kv_uint(j, "trials", a->trials);
    jw_kv_uint(j, "stolen", a->stolen);
    jw_kv_uint(j, "broken", a->broken);
    jw_kv_double(j, "low", low);
    jw_kv_double(j, "high", high);
    put_theory(j, a);
    jw_kv_str(j, "convention", s->premine ? "paper" : "strict");
    jw_kv_array(j, "curve");
    if (task->kind == WEB_MEASURE_NODES) put_point(j, s->confirmations, a->trials, a->stolen);
    for (unsigned i = 0; task->kind == WEB_MEASURE_RACE && i < CURVE; i++)
        put_point(j, i + 1, a->curve_trials[i], a->curve_stolen[i]);
    jw_array_end(j);
}

/* FAILURE may be NULL. */
static void publish(struct lab_web *w, const struct web_measure *m, bool done, const char *failure)
{
    struct json_writer j = json_writer_of(&w->measured);
    w->measured.len = 0;
    jw_object(&j);
    put_measures(&j, &m->task, &m->last);
    jw_kv_bool(&j, "done", done);
    jw_key(&j, "failure");
    if (failure)
        jw_str(&j, failure);
    else if (m->last.broken)
        jw_str(&j, m->last.why);
    else
        jw_null(&j);
    jw_object_end(&j);
    for (struct web_stream *s = w->streams; s; s = s->next) s->measure = true;
    web_stream_fill_all(w);
}

/* The child and whatever it started. */
static void end_child(struct lab_web *w)
{
    struct web_measure *m = w->measuring;
    event_free(m->readable);
    close(m->from);
    kill(-m->pid, SIGKILL);
    kill(m->pid, SIGKILL);
    while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR) continue;
    free(m);
    w->measuring = NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *web)
{
    struct lab_web *w = web;
    struct web_measure *m = w->measuring;
    struct account a;
    (void)what;
    ssize_t n = read((int)fd, &a, sizeof a);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    bool whole = n == (ssize_t)sizeof a;
    if (whole) {
        a.why[sizeof a.why - 1] = '\0';
        m->last = a;
    }
    publish(w, m, !whole || a.done, whole ? NULL : "the process that measured ended before its time");
    if (!whole || a.done) end_child(w);
}

static enum result check_task(const struct lab_setup *s, struct error *e)
{
    if (!s->q_ppm) return error_set(e, RESULT_INVALID, "without hash power there is no attack to measure: q is 0");
    if (!s->patience && !s->budget)
        return error_set(e, RESULT_INVALID, "an attempt must end: patience or budget must not be 0");
    return RESULT_OK;
}

static enum result open_child(struct lab_web *w, struct web_measure *m, struct error *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0) return error_set(e, RESULT_IO, "no pipe: %s", strerror(errno));
    fflush(NULL);
    m->pid = fork();
    if (m->pid == 0) child_main(&m->task, parent, ends[1]);
    close(ends[1]);
    if (m->pid < 0) {
        close(ends[0]);
        return error_set(e, RESULT_IO, "no process: %s", strerror(errno));
    }
    setpgid(m->pid, m->pid); /* here as well: whichever comes first */
    m->from = ends[0];
    fcntl(m->from, F_SETFL, O_NONBLOCK);
    m->readable = event_new(w->base, m->from, EV_READ | EV_PERSIST, on_readable, w);
    CHECK(m->readable && event_add(m->readable, NULL) == 0);
    return RESULT_OK;
}

enum result web_measure_start(struct lab_web *w, enum web_measure_kind kind, uint64_t trials,
                              const struct lab_setup *setup, struct error *e)
{
    enum result result = check_task(setup, e);
    if (result != RESULT_OK) return result;
    web_measure_stop(w);
    struct web_measure *m = mem_calloc(1, sizeof *m);
    m->task = (struct task){.kind = kind, .trials = trials, .setup = *setup, .jobs = w->options.jobs};
    m->last = (struct account){.nakamoto = NAN, .paper = NAN, .strict = NAN, .exact = NAN};
    if (!m->task.jobs) m->task.jobs = 1;
    m->task.setup.strategy = LAB_STRATEGY_DOUBLE; /* theft is what the formulas are about */
    m->task.setup.merchant = true;
    result = open_child(w, m, e);
    if (result != RESULT_OK) {
        free(m);
        return result;
    }
    w->measuring = m;
    return RESULT_OK;
}

void web_measure_stop(struct lab_web *w)
{
    if (!w->measuring) return;
    if (!w->stopping) publish(w, w->measuring, true, NULL);
    end_child(w);
}
