/* cairn-miner: searches for blocks with the processor, for any node that serves getblocktemplate.
 *
 * Three kinds of thread: the first one asks for templates, sends blocks, prints and takes signals; searchers hash; one
 * waits for the node to say that the template is out of date. */
#ifndef CAIRN_DAEMON_MINER_H
#define CAIRN_DAEMON_MINER_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "crypto/sha256d_mine.h"
#include "daemon/args.h"
#include "daemon/cli.h"
#include "daemon/process.h"
#include "miner/mine_work.h"

/* The exit codes. */
enum miner_exit {
    MINER_DONE = 0,        /* the blocks asked for are found, or a signal came */
    MINER_USAGE = 1,       /* options that make no sense */
    MINER_REFUSED = 2,     /* the node refuses: password, chain, rules, signet challenge */
    MINER_UNREACHABLE = 3, /* -retries used up */
};

/* The whole program. */
int miner_main(int argc, const char *const *argv);

/* --- for the files of this room --- */

/* Work: shared by the searchers, freed with the last reference. */
struct miner_task {
    struct mine_plan plan;
    uint64_t generation;
    int64_t born_us; /* monotonic: when the template came */
    atomic_bool spent;
    int refs; /* under the miner's lock */
};

struct miner_find {
    struct miner_task *task;
    uint8_t header[HEADER_BYTES];
    uint64_t extranonce;
};

struct miner {
    const struct args *args;
    const struct mine_kernel *kernel;
    unsigned thread_count;
    struct buffer script; /* scriptPubKey that is paid */

    struct signals signals;
    int wake_fd; /* an eventfd: there is a find, or the template is out of date */
    atomic_bool stop;
    atomic_bool out_of_date;
    _Atomic uint64_t generation; /* of the task that counts */
    _Atomic uint64_t next_extranonce;
    _Atomic uint64_t hashes;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct miner_task *task; /* NULL: nothing to do */
    struct miner_find find;  /* task NULL: none */
    struct buffer long_poll_id;

    /* The first thread's. */
    bool terminal;
    bool live_line; /* the cursor stands behind it */
    bool contacted; /* the node answered before */
    unsigned failures;
    uint64_t found, rejected;
    int64_t shown_us;
    uint64_t shown_hashes;
    double rate; /* hashes a second */
};

int64_t miner_now_us(void); /* monotonic */

/* Fills T from the result of getblocktemplate, which came with the rules of chain CHAIN. False, and a sentence, where
 * it cannot be used. LONG_POLL_ID is set where there is one. */
MUST_USE bool miner_read_template(const json_t *result, const char *chain, bool version_rolling,
                                  struct mine_template *t, struct buffer *long_poll_id, struct buffer *error);
/* A getblocktemplate request; LONG_POLL_ID NULL: answer at once. */
void miner_template_request(struct buffer *out, bool signet, const char *long_poll_id);

/* Searchers: T_TAKEN replaces what they do at once; NULL lets them rest. */
void miner_set_task(struct miner *m, struct miner_task *t_taken);
void miner_task_release(struct miner *m, struct miner_task *t);
/* The threads' bodies; ARG is the miner. */
void *miner_search(void *arg);
void *miner_long_poll(void *arg);
void miner_wake(struct miner *m);

/* Asks for templates and sends blocks until something ends it; the exit code. */
int miner_run(struct miner *m);

/* What is printed: a line that stays, and on a terminal one that lives. */
void miner_say(struct miner *m, const char *format, ...) PRINTF_LIKE(2, 3);
void miner_show_status(struct miner *m);
/* "12.3 MH/s", "4.5 hours". */
void miner_put_rate(struct buffer *out, double hashes_a_second);
void miner_put_duration(struct buffer *out, double seconds);

/* The fastest kernel that works here, by a short trial. */
const struct mine_kernel *miner_choose_kernel(struct buffer *error);
/* -benchmark: prints what each kernel does against OpenSSL; false where one is wrong. */
bool miner_benchmark(void);

#endif
