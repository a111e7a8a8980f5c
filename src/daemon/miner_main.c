/* cairn-miner: options, threads, the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "consensus/params.h"
#include "daemon/help.h"
#include "daemon/miner.h"

enum { GO_ON = -1, MOST_THREADS = 1024 };

static bool find_script(const struct args *args, struct buffer *script, struct buffer *error)
{
    const char *text = args_string(args, "address");
    const char *chain = args_chain(args)->name;
    struct destination dest;
    struct address_error why;
    if (!text || !*text) {
        buffer_put_str(error, "-address=<address> says whom the blocks pay; it is missing");
        return false;
    }
    if (!address_decode(&dest, text, &chain_params_find(chain)->prefixes, &why)) {
        buffer_printf(error, "-address=%s is no address of chain %s: %s", text, chain, why.message);
        return false;
    }
    destination_script(script, &dest);
    return true;
}

static bool find_threads(const struct args *args, unsigned *count, struct buffer *error)
{
    int64_t given = args_int(args, "threads");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (given < 0 || given > MOST_THREADS) {
        buffer_printf(error, "-threads must be from 0 to %d", MOST_THREADS);
        return false;
    }
    *count = given ? (unsigned)given : cores > 0 && cores <= MOST_THREADS ? (unsigned)cores : 1;
    return true;
}

static bool find_kernel(const struct args *args, const struct mine_kernel **kernel, struct buffer *error)
{
    const char *name = args_string(args, "kernel");
    if (!strcmp(name, "auto")) return (*kernel = miner_choose_kernel(error)) != NULL;
    *kernel = mine_kernel_find(name);
    if (!*kernel)
        buffer_printf(error, "-kernel=%s: there is none of that name; -benchmark lists them", name);
    else if (!(*kernel)->is_here())
        buffer_printf(error, "-kernel=%s: this processor cannot run it", name);
    else if (!mine_kernel_check(*kernel))
        buffer_printf(error, "-kernel=%s computes wrong hashes on this machine", name);
    else
        return true;
    return false;
}

/* Reads options and configuration; GO_ON, or the exit code. */
static int start(struct args *args, int argc, const char *const *argv)
{
    struct buffer text = {0};
    int code = MINER_USAGE;
    char *datadir = NULL;
    if (!args_parse_command_line(args, argc, argv, &text)) {
        fprintf(stderr, "%s\n", buffer_text(&text));
    } else if (help_answer(args, "miner", &text)) {
        fputs(buffer_text(&text), stdout);
        code = MINER_DONE;
    } else if (args->command_count) {
        fprintf(stderr, "Error: Command line contains unexpected token '%s'\n", args->command[0]);
    } else if (args_bool(args, "benchmark")) {
        code = miner_benchmark() ? MINER_DONE : MINER_USAGE;
    } else if (!(datadir = args_datadir(args))) {
        fprintf(stderr, "Error: Specified data directory \"%s\" does not exist.\n", args_string(args, "datadir"));
    } else if (!args_read_config_files(args, &text)) {
        fprintf(stderr, "Error reading configuration file: %s\n", buffer_text(&text));
    } else if (!args_select_chain(args, &text)) {
        fprintf(stderr, "Error: %s\n", buffer_text(&text));
    } else {
        code = GO_ON;
    }
    free(datadir);
    buffer_clear(&text);
    return code;
}

static bool open_miner(struct miner *m, struct buffer *error)
{
    struct error e = {0};
    uint64_t chance;
    if (!find_script(m->args, &m->script, error) || !find_threads(m->args, &m->thread_count, error) ||
        !find_kernel(m->args, &m->kernel, error))
        return false;
    m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->wake_fd < 0 || getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance)) {
        buffer_put_str(error, "the system gives no event descriptor or no chance");
        return false;
    }
    if (signals_open(&m->signals, &e) != RESULT_OK) {
        buffer_put_str(error, e.text);
        return false;
    }
    atomic_store(&m->next_extranonce, chance); /* two miners of one address do not try the same */
    m->terminal = isatty(STDOUT_FILENO);
    m->shown_us = miner_now_us();
    return true;
}

/* Makes the threads, runs, and joins them. */
static int work(struct miner *m)
{
    pthread_t *threads = mem_calloc(m->thread_count + 1, sizeof(*threads));
    unsigned made = 0;
    bool ok = true;
    for (unsigned i = 0; i <= m->thread_count && ok; i++) {
        ok = pthread_create(&threads[made], NULL, i ? miner_search : miner_long_poll, m) == 0;
        if (ok) made++;
    }
    int code = MINER_USAGE;
    if (ok) {
        miner_say(m, "%u threads, kernel %s, paying %s", m->thread_count, m->kernel->name,
                  args_string(m->args, "address"));
        code = miner_run(m);
    } else {
        miner_say(m, "error: cannot make %u threads", m->thread_count);
    }
    atomic_store(&m->stop, true);
    miner_set_task(m, NULL); /* wakes those that wait */
    for (unsigned i = 0; i < made; i++) pthread_join(threads[i], NULL);
    free(threads);
    if (ok) miner_say(m, "stopped: %llu blocks found", (unsigned long long)m->found);
    return code;
}

static void close_miner(struct miner *m)
{
    if (m->find.task) miner_task_release(m, m->find.task);
    signals_close(&m->signals);
    if (m->wake_fd >= 0) close(m->wake_fd);
    buffer_clear(&m->script);
    buffer_clear(&m->long_poll_id);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
}

int miner_main(int argc, const char *const *argv)
{
    struct args args;
    struct buffer error = {0};
    process_setup();
    args_init(&args, &options_miner, NULL);
    int code = start(&args, argc, argv);
    if (code == GO_ON) {
        struct miner m = {.args = &args, .signals = {.fd = -1}, .wake_fd = -1};
        pthread_mutex_init(&m.lock, NULL);
        pthread_cond_init(&m.changed, NULL);
        if (open_miner(&m, &error)) {
            code = work(&m);
        } else {
            fprintf(stderr, "error: %s\n", buffer_text(&error));
            code = MINER_USAGE;
        }
        close_miner(&m);
    }
    buffer_clear(&error);
    args_clear(&args);
    return code;
}
