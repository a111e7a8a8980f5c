/* cairn-miner: the first thread: templates in, blocks out. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "daemon/miner.h"

enum {
    US_A_S = 1000000,
    REFRESH_S = 60,         /* a template is asked for anew */
    LONGEST_PAUSE_S = 30,   /* between tries to reach the node */
    TOLERATED_REFUSALS = 5, /* of a node that answered before: it may be starting, with a new password */
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_NOT_CONNECTED = -9,
    RPC_INITIAL_DOWNLOAD = -10,
    RPC_WARMUP = -28,
    RUNNING = -1,
};

/* A reply: a result, an error of the node, or none. */
struct answer {
    enum { ANSWER_RESULT, ANSWER_ERROR, ANSWER_LATER, ANSWER_FAILED, ANSWER_STOPPED } kind;
    int code;
    json_t *root;
    struct buffer text; /* what went wrong */
};

static void answer_clear(struct answer *a)
{
    json_decref(a->root);
    buffer_clear(&a->text);
}

static bool take_stop(void *arg)
{
    struct miner *m = arg;
    if (signals_take(&m->signals) == SIGNAL_STOP) atomic_store(&m->stop, true);
    return atomic_load(&m->stop);
}

static struct answer ask(struct miner *m, const struct buffer *request)
{
    struct answer a = {.kind = ANSWER_RESULT};
    struct buffer reply = {0};
    const struct cli_patience patience = {.stopped = take_stop, .arg = m};
    enum cli_outcome outcome = cli_call_until(m->args, &patience, buffer_span(request), &reply, &a.text);
    if (take_stop(m) && outcome != CLI_OK) {
        a.kind = ANSWER_STOPPED;
    } else if (outcome != CLI_OK) {
        a.kind = outcome == CLI_TRANSIENT ? ANSWER_LATER : ANSWER_FAILED;
        const char *end = strchr(buffer_text(&a.text), '\n'); /* the first line says what happened */
        if (end) a.text.len = (size_t)(end - (const char *)a.text.data);
    } else {
        a.root = json_loadb((const char *)reply.data, reply.len, JSON_DECODE_ANY, NULL);
        const json_t *error = json_object_get(a.root, "error");
        const char *message = json_string_value(json_object_get(error, "message"));
        a.code = (int)json_integer_value(json_object_get(error, "code"));
        bool later = a.code == RPC_WARMUP || a.code == RPC_INITIAL_DOWNLOAD || a.code == RPC_NOT_CONNECTED;
        if (!json_is_object(a.root) || (error && !json_is_null(error))) a.kind = later ? ANSWER_LATER : ANSWER_ERROR;
        if (a.kind != ANSWER_RESULT) buffer_put_str(&a.text, message ? message : "an answer that is no JSON-RPC");
    }
    buffer_clear(&reply);
    return a;
}

/* Waits, ended early by a signal or, with EVENTS, by a find or a template that is out of date. */
static void pause_for(struct miner *m, int64_t us, bool events)
{
    struct pollfd fds[2] = {{.fd = m->signals.fd, .events = POLLIN}, {.fd = m->wake_fd, .events = POLLIN}};
    uint64_t count;
    if (us > 0 && !atomic_load(&m->stop)) poll(fds, events ? 2 : 1, (int)((us + 999) / 1000));
    take_stop(m);
    if (events && fds[1].revents && read(m->wake_fd, &count, sizeof(count)) < 0) return;
}

/* After a call that did not work: the exit code, or RUNNING to try again, after a pause that grows. */
static int after_failure(struct miner *m, const struct answer *a, const char *what)
{
    int64_t retries = args_int(m->args, "retries");
    const char *text = a->text.len ? (const char *)a->text.data : "";
    int len = (int)a->text.len;
    if (a->kind == ANSWER_STOPPED || atomic_load(&m->stop)) return RUNNING;
    m->failures++;
    bool starting = a->kind == ANSWER_FAILED && m->contacted && m->failures <= TOLERATED_REFUSALS;
    if (a->kind != ANSWER_LATER && !starting) {
        miner_say(m, "error: %s: %.*s", what, len, text);
        return MINER_REFUSED;
    }
    if (retries > 0 && m->failures > retries) {
        miner_say(m, "error: %s: %.*s; gave up after %u tries", what, len, text, m->failures);
        return MINER_UNREACHABLE;
    }
    int64_t pause_s = m->failures > 5 ? LONGEST_PAUSE_S : INT64_C(1) << (m->failures - 1);
    miner_say(m, "%s: %.*s; trying again in %lld s", what, len, text, (long long)pause_s);
    pause_for(m, pause_s * US_A_S, false);
    return RUNNING;
}

static void note_success(struct miner *m)
{
    if (m->failures) miner_say(m, "the node answers again");
    m->failures = 0;
    m->contacted = true;
}

/* Whether the node follows our chain; a node that cannot say is believed. */
static int check_chain(struct miner *m)
{
    struct buffer request = {0};
    cli_request(&request, "getblockchaininfo", span_str("[]"), "1", false);
    struct answer a = ask(m, &request);
    const char *ours = args_chain(m->args)->name;
    const char *theirs = json_string_value(json_object_get(json_object_get(a.root, "result"), "chain"));
    int code = RUNNING;
    if (a.kind == ANSWER_RESULT && theirs && strcmp(theirs, ours) != 0) {
        miner_say(m, "error: the node follows chain %s, and the miner was started for %s", theirs, ours);
        code = MINER_REFUSED;
    } else if (a.kind == ANSWER_RESULT || a.code == RPC_METHOD_NOT_FOUND) {
        note_success(m);
    } else {
        code = after_failure(m, &a, "cannot ask the node for its chain");
    }
    answer_clear(&a);
    buffer_clear(&request);
    return code;
}

static int install(struct miner *m, const json_t *result)
{
    struct mine_template t;
    struct buffer error = {0}, id = {0};
    struct miner_task *task = mem_calloc(1, sizeof(*task));
    bool rolling = args_bool(m->args, "versionrolling");
    bool ok = miner_read_template(result, args_chain(m->args)->name, rolling, &t, &id, &error) &&
              mine_plan_init(&task->plan, &t, buffer_span(&m->script), &error);
    if (ok) {
        task->born_us = miner_now_us();
        pthread_mutex_lock(&m->lock);
        buffer_clear(&m->long_poll_id);
        if (args_bool(m->args, "longpoll"))
            m->long_poll_id = id;
        else
            buffer_clear(&id);
        pthread_mutex_unlock(&m->lock);
        miner_set_task(m, task);
    } else {
        miner_say(m, "error: %s", buffer_text(&error));
        mine_plan_clear(&task->plan);
        free(task);
        buffer_clear(&id);
    }
    buffer_clear(&error);
    return ok ? RUNNING : MINER_REFUSED;
}

static int fetch(struct miner *m)
{
    struct buffer request = {0};
    atomic_store(&m->out_of_date, false);
    miner_template_request(&request, !strcmp(args_chain(m->args)->name, "signet"), NULL);
    struct answer a = ask(m, &request);
    int code;
    if (a.kind == ANSWER_RESULT) {
        note_success(m);
        code = install(m, json_object_get(a.root, "result"));
    } else {
        miner_set_task(m, NULL); /* nobody would take what is found now */
        code = after_failure(m, &a, "cannot get work");
    }
    answer_clear(&a);
    buffer_clear(&request);
    return code;
}

static void judge(struct miner *m, const struct miner_find *f, const json_t *result)
{
    struct block_header h;
    struct block_hash hash;
    struct reader r = reader_of(span_of(f->header, HEADER_BYTES));
    char text[HASH_TEXT];
    block_header_read(&h, &r);
    block_header_hash(&hash, &h);
    hex_encode_reversed(text, hash.bytes, 32);
    const char *reason = json_string_value(result);
    if (reason) {
        m->rejected++;
        miner_say(m, "rejected: block %d %s: %s", f->task->plan.t.height, text, reason);
    } else {
        m->found++;
        miner_say(m, "accepted: block %d %s", f->task->plan.t.height, text);
    }
}

static struct miner_find take_find(struct miner *m)
{
    pthread_mutex_lock(&m->lock);
    struct miner_find f = m->find;
    m->find.task = NULL;
    pthread_mutex_unlock(&m->lock);
    return f;
}

/* Work on the same parent is over with it: another block there would only be a stale one. */
static void drop_siblings(struct miner *m, const struct miner_find *f)
{
    miner_set_task(m, NULL);
    struct miner_find late = take_find(m);
    if (!late.task) return;
    if (block_hash_equal(&late.task->plan.t.prev, &f->task->plan.t.prev)) {
        miner_task_release(m, late.task);
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->find = late; /* nobody searches: the place is still free */
    pthread_mutex_unlock(&m->lock);
    miner_wake(m);
}

/* Sends a block until the node takes or refuses it. */
static int submit(struct miner *m, const struct miner_find *f)
{
    struct buffer block = {0}, params = {0}, request = {0};
    mine_block(&f->task->plan, f->header, f->extranonce, &block);
    buffer_put_str(&params, "[\"");
    hex_append(&params, buffer_span(&block));
    buffer_put_str(&params, "\"]");
    cli_request(&request, "submitblock", buffer_span(&params), "1", false);
    int code = RUNNING;
    bool over = false;
    while (!over && code == RUNNING && !atomic_load(&m->stop)) {
        struct answer a = ask(m, &request);
        over = a.kind == ANSWER_RESULT || a.kind == ANSWER_ERROR;
        if (a.kind == ANSWER_RESULT) {
            note_success(m);
            judge(m, f, json_object_get(a.root, "result"));
            drop_siblings(m, f);
        } else if (a.kind == ANSWER_ERROR) {
            m->rejected++;
            miner_say(m, "rejected: block %d: %s", f->task->plan.t.height, buffer_text(&a.text));
        } else {
            code = after_failure(m, &a, "cannot submit the block");
        }
        answer_clear(&a);
    }
    buffer_clear(&request);
    buffer_clear(&params);
    buffer_clear(&block);
    return code;
}

int miner_run(struct miner *m)
{
    int64_t wanted = args_int(m->args, "blocks");
    int code = RUNNING;
    while (code == RUNNING && !m->contacted && !take_stop(m)) code = check_chain(m);
    bool need = true;
    int64_t fetched_us = 0;
    while (code == RUNNING && !atomic_load(&m->stop)) {
        if (need) {
            code = fetch(m);
            need = m->failures > 0;
            fetched_us = miner_now_us();
            if (need) continue;
        }
        pause_for(m, US_A_S, true);
        struct miner_find f = take_find(m);
        if (f.task) {
            if (code == RUNNING && !atomic_load(&m->stop)) code = submit(m, &f);
            miner_task_release(m, f.task);
            need = true;
        }
        need = need || atomic_load(&m->out_of_date) || miner_now_us() - fetched_us > (int64_t)REFRESH_S * US_A_S;
        if (wanted > 0 && m->found >= (uint64_t)wanted) code = MINER_DONE;
        miner_show_status(m);
    }
    atomic_store(&m->stop, true);
    return code == RUNNING ? MINER_DONE : code;
}
