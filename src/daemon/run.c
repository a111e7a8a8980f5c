/* The loop of the engine's thread: requests, signals, imports, timers, and what the node wants done. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/daemon.h"
#include "index/index.h"
#include "node/peers.h"
#include "rpc/server.h"

enum {
    MAINTAIN_EVERY_US = 600 * 1000000LL,
    TRIM_EVERY_US = 5 * 1000000LL,
    CATCH_UP_BLOCKS = 20,
    ACTIVATE_BLOCKS = 10,
    IDLE_MS = 1000
};

static void take_signals(struct daemon *d)
{
    for (;;) {
        switch (signals_take(&d->signals)) {
        case SIGNAL_NONE: return;
        case SIGNAL_STOP: d->stop = true; break;
        case SIGNAL_REOPEN: log_sink_reopen(&d->log); break;
        }
    }
}

static void take_actions(struct daemon *d)
{
    struct node_action a;
    char hash[HASH_TEXT];
    while (node_take_action(d->node, &a)) {
        switch (a.kind) {
        case ACTION_BLOCK_TIP:
            if (!a.initial_download && args_is_set(&d->args, "blocknotify"))
                notify_block(d->commands, args_string(&d->args, "blocknotify"), block_hash_text(hash, &a.hash));
            break;
        case ACTION_ALERT:
            if (args_is_set(&d->args, "alertnotify"))
                notify_alert(d->commands, args_string(&d->args, "alertnotify"), a.text);
            break;
        case ACTION_STOP: d->stop = true; break;
        case ACTION_FATAL:
            d->stop = d->failed = true;
            snprintf(d->fatal, sizeof(d->fatal), "%s", a.text);
            break;
        }
    }
}

static void finish_loading(struct daemon *d)
{
    d->node->loaded = true;
    size_t count;
    const char **commands = args_list(&d->args, "startupnotify", &count);
    for (size_t i = 0; i < count; i++) command_run(d->commands, commands[i]);
    free(commands);
    if (args_bool(&d->args, "stopafterblockimport")) {
        log_info(&d->log.log, "Stopping after block import");
        log_info(&d->log.log, "initload thread exit");
        d->stop = true;
    }
}

/* One block of the import. True while there is more. */
static bool import_some(struct daemon *d, struct progress *p)
{
    struct error e;
    bool done, reindexing = d->node->chain->reindexing;
    if (import_step(d->import, &done, &e)) return false;
    if (!done) {
        progress_show(p, d);
        return true;
    }
    progress_end(p, d);
    if (reindexing) log_info(&d->log.log, "Reindexing finished");
    import_free(d->import);
    d->import = NULL;
    if (!node_maintain(d->node, &e)) finish_loading(d);
    return false;
}

/* Some blocks towards the best chain (after -reindex-chainstate all of it). True while there is more. */
static bool activate_some(struct daemon *d, struct progress *p)
{
    struct error e;
    bool more;
    if (node_advance(d->node, ACTIVATE_BLOCKS, &more, &e)) return false;
    if (more) {
        progress_show(p, d);
        return true;
    }
    d->activated = true;
    if (!d->import) finish_loading(d);
    return false;
}

/* A slice of the indexes' catching up. True while there is more. */
static bool index_some(struct daemon *d)
{
    struct error e;
    bool tx_synced = true, coins_synced = true, filters_synced = true;
    enum result r = RESULT_OK;
    if (d->node->tx_index) r = tx_index_catch_up(d->node->tx_index, CATCH_UP_BLOCKS, &tx_synced, &e);
    if (!r && d->node->coin_stats)
        r = coin_stats_index_catch_up(d->node->coin_stats, CATCH_UP_BLOCKS, &coins_synced, &e);
    if (!r && d->node->filters) r = filter_index_catch_up(d->node->filters, CATCH_UP_BLOCKS, &filters_synced, &e);
    if (r) node_fatal(d->node, r, &e);
    d->indexes_synced = tx_synced && coins_synced && filters_synced;
    return !r && !d->indexes_synced;
}

/* What follows the chain's own loading: the indexes, the pool. True while there is more. */
static bool load_more(struct daemon *d)
{
    bool more = !d->indexes_synced && index_some(d);
    return (!d->stop && mempool_load_some(d)) || more;
}

/* Milliseconds, at most LIMIT, until something is LEFT_US away. */
static int until_ms(int64_t left_us, int limit)
{
    if (left_us <= 0) return 0;
    return left_us >= limit * 1000LL ? limit : (int)((left_us + 999) / 1000);
}

static void wait_for_events(struct daemon *d, bool busy)
{
    int timeout = busy ? 0 : IDLE_MS;
    int64_t deadline = d->rpc ? rpc_server_deadline(d->rpc) : 0;
    if (deadline) timeout = until_ms(deadline - clock_us(), timeout);
    if (d->network) timeout = until_ms(network_deadline_us(d) - clock_steady_us(), timeout);
    struct pollfd fds[] = {{.fd = d->signals.fd, .events = POLLIN},
                           {.fd = d->queue.event_fd, .events = POLLIN},
                           {.fd = network_fd(d), .events = POLLIN}}; /* negative: not looked at */
    poll(fds, ARRAY_LEN(fds), timeout);
}

/* What has its time: writing the state, giving back memory. The instants of the last ones are the caller's. */
static void maintain(struct daemon *d, int64_t *written_us, int64_t *trimmed_us)
{
    struct error e;
    int64_t now_us = clock_steady_us();
    if (now_us - *written_us > MAINTAIN_EVERY_US && !node_maintain(d->node, &e)) *written_us = clock_steady_us();
    if (now_us - *trimmed_us < TRIM_EVERY_US) return;
    *trimmed_us = now_us;
    process_give_back_memory();
}

void daemon_run(struct daemon *d)
{
    struct progress progress;
    int64_t written_us = clock_steady_us(), trimmed_us = written_us;
    bool busy = true;
    progress_begin(&progress, d);
    while (!d->stop) {
        node_set_clock(d->node, clock_us(), clock_steady_us());
        busy = false;
        if (!d->activated)
            busy = activate_some(d, &progress);
        else if (d->import)
            busy = import_some(d, &progress);
        else
            busy = load_more(d);
        busy |= network_serve(d);
        node_set_clock(d->node, clock_us(), clock_steady_us());
        busy |= rpc_serve(d);
        take_actions(d);
        take_signals(d);
        network_save(d);
        fees_save(d);
        if (!d->stop) maintain(d, &written_us, &trimmed_us);
        if (!d->stop) wait_for_events(d, busy || d->import || d->node->action_count);
    }
}
