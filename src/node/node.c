/* The node: events in, notices spread, actions out. */
#include "node/node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/text.h"
#include "chain/chain_prune.h"
#include "index/index.h"
#include "mempool/fee_estimator.h"
#include "miner/block_template.h"
#include "node/peers.h"

#define REORGS_HASH UINT64_C(0x72656f726773) /* its keys are not those of others */

static void open_mempool(struct node *n)
{
    struct mempool_options options = n->options.mempool.max_bytes ? n->options.mempool : mempool_options_default();
    memcpy(options.seed, n->options.chain.seed, sizeof(options.seed));
    n->mempool = mempool_new(&options, n->chain, n->log);
    n->fees = fee_estimator_new(n->log);
    mempool_set_estimator(n->mempool, n->fees);
    mempool_set_time(n->mempool, node_time_s(n));
}

enum result node_open(struct node **out, const struct node_options *options, const struct chain_ports *ports,
                      int64_t now_us, struct log *log, struct error *e)
{
    struct node *n = mem_calloc(1, sizeof(*n));
    *out = NULL;
    n->options = *options;
    n->log = log;
    n->now_us = n->start_us = now_us;
    n->mock_time_s = options->mock_time_s;
    random_init(&n->random, options->chain.seed);
    n->reorgs = reorgs_new(hash_bytes(REORGS_HASH, options->chain.seed, sizeof(options->chain.seed)));
    enum result r = chain_open(&n->chain, &options->params, &options->chain, ports, node_time_s(n), log, e);
    if (!r && options->tx_index.ops) r = tx_index_open(&n->tx_index, options->tx_index, n->chain, log, e);
    if (!r && options->coin_stats.ops) r = coin_stats_index_open(&n->coin_stats, options->coin_stats, n->chain, log, e);
    if (!r && options->filters.ops) r = filter_index_open(&n->filters, options->filters, n->chain, log, e);
    if (r) {
        node_free(n);
        return r;
    }
    open_mempool(n);
    *out = n;
    return RESULT_OK;
}

void node_set_time(struct node *n, int64_t now_us)
{
    n->now_us = now_us;
    mempool_set_time(n->mempool, node_time_s(n));
}

void node_free(struct node *n)
{
    if (!n) return;
    node_close_peers(n);
    mempool_free(n->mempool);
    fee_estimator_free(n->fees);
    tx_index_free(n->tx_index);
    coin_stats_index_free(n->coin_stats);
    filter_index_free(n->filters);
    block_template_free(n->shared_template);
    reorgs_free(n->reorgs);
    chain_free(n->chain);
    free(n->actions);
    free(n);
}

static enum result flush_indexes(struct node *n, struct error *e)
{
    enum result r = RESULT_OK;
    if (n->tx_index) r = tx_index_flush(n->tx_index, e);
    if (!r && n->coin_stats) r = coin_stats_index_flush(n->coin_stats, e);
    if (!r && n->filters) r = filter_index_flush(n->filters, e);
    return r;
}

enum result node_close(struct node *n, struct error *e)
{
    enum result r = chain_flush(n->chain, true, e);
    if (!r) r = flush_indexes(n, e);
    node_free(n);
    return r;
}

/* ---- actions ---- */

static struct node_action *add_action(struct node *n, enum node_action_kind kind)
{
    n->actions = mem_grow(n->actions, &n->action_cap, n->action_count + 1, sizeof(*n->actions));
    struct node_action *a = &n->actions[n->action_count++];
    *a = (struct node_action){.kind = kind};
    return a;
}

bool node_take_action(struct node *n, struct node_action *out)
{
    if (!n->action_count) return false;
    *out = n->actions[0];
    memmove(n->actions, n->actions + 1, --n->action_count * sizeof(*n->actions));
    return true;
}

void node_stop(struct node *n)
{
    if (n->stop_wanted) return;
    n->stop_wanted = true;
    add_action(n, ACTION_STOP);
}

enum result node_fatal(struct node *n, enum result result, const struct error *e)
{
    log_error(n->log, "A fatal internal error occurred: %s", e->text);
    struct node_action *a = add_action(n, ACTION_FATAL);
    snprintf(a->text, sizeof(a->text), "%s", e->text);
    n->stop_wanted = true;
    return result;
}

enum result node_look_after_mempool(struct node *n, struct error *e)
{
    enum result r = mempool_failure(n->mempool, e);
    /* Coins that entrants spend stay in the cache until a block comes, however many they are. */
    if (!r) r = chain_flush_if_needed(n->chain, e);
    return r ? node_fatal(n, r, e) : RESULT_OK;
}

/* The tip moved from BEFORE: tell peers and shell, this only of the last of several moves between two looks. */
static void note_tip(struct node *n, struct block_node *before)
{
    n->tip_changes++;
    const struct block_node *tip = chain_tip(n->chain);
    struct node_action *a = n->action_count ? &n->actions[n->action_count - 1] : NULL;
    if (!a || a->kind != ACTION_BLOCK_TIP) a = add_action(n, ACTION_BLOCK_TIP);
    a->hash = tip->header.hash;
    a->height = tip->header.height;
    a->initial_download = chain_is_initial_download(n->chain, node_time_s(n));
    while (before && !chain_contains(n->chain, before)) before = block_node_prev(before);
    if (n->p2p && before) p2p_on_tip(n->p2p, before); /* none: genesis was connected */
}

static void add_alert(struct node *n, enum warning_kind kind)
{
    struct node_action *a = add_action(n, ACTION_ALERT);
    snprintf(a->text, sizeof(a->text), "%s", n->warnings.text[kind]);
}

/* Looks for something to warn of; while catching up nobody is bothered. */
static void update_warnings(struct node *n)
{
    if (chain_is_initial_download(n->chain, node_time_s(n))) return;
    unsigned fresh = warnings_update(&n->warnings, n->chain);
    for (int k = 0; k < WARNING_KINDS; k++) {
        if (!(fresh >> k & 1)) continue;
        log_warning(n->log, "%s", n->warnings.text[k]);
        add_alert(n, (enum warning_kind)k);
    }
}

static void raise_reorg_alarm(struct node *n, struct reorg *o)
{
    char old_tip[HASH_TEXT], new_tip[HASH_TEXT];
    o->alarm = true;
    reorgs_set_alarm(n->reorgs, o->new_height);
    warnings_set_reorg(&n->warnings, o);
    log_warning(
        n->log,
        "Reorganisation of %u blocks: from %s at height %d to %s at height %d; payments reversed: %llu, of them "
        "in conflict with the new branch: %zu",
        o->depth, block_hash_text(old_tip, &o->old_tip), o->old_height, block_hash_text(new_tip, &o->new_tip),
        o->new_height, (unsigned long long)reorg_reversed(o), o->fates[REORG_CONFLICTED]);
    add_alert(n, WARNING_REORGANISATION);
}

/* The chain rests: was that a reorganisation? What the operator ordered alarms nobody. */
static void note_reorg(struct node *n, bool by_operator)
{
    int64_t time_us = n->mock_time_s ? n->mock_time_s * 1000000 : n->now_us;
    struct reorg *o = reorgs_end(n->reorgs, chain_tip(n->chain), n->mempool, time_us);
    if (o) {
        o->by_operator = by_operator;
        if (n->options.reorg_alarm && o->depth > n->options.reorg_alarm && !o->loading && !by_operator)
            raise_reorg_alarm(n, o);
    }
    if (!reorgs_alarm_holds(n->reorgs, chain_height(n->chain))) warnings_set_reorg(&n->warnings, NULL);
}

/* ---- notices ---- */

static void log_tip(struct node *n)
{
    const struct block_node *tip = chain_tip(n->chain);
    char hash[HASH_TEXT], date[TEXT_TIME];
    log_info(n->log,
             "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%llu date='%s' progress=%f "
             "cache=%.1fMiB(%zutxo)",
             block_hash_text(hash, &tip->header.hash), tip->header.height, (unsigned)tip->header.version,
             log2(u256_to_double(tip->header.chainwork)), (unsigned long long)tip->chain_tx_count,
             text_time(date, tip->header.time), chain_progress(n->chain, tip, node_time_s(n)),
             (double)coins_memory(n->chain->coins) / (1 << 20), coins_cached(n->chain->coins));
}

/* Spreads one notice: the pool first, then indexes, then peers and shell. */
static enum result spread(struct node *n, const struct notice *notice, struct error *e)
{
    enum result r = RESULT_OK;
    if (notice->kind == NOTICE_CONNECTED) mempool_on_connected(n->mempool, notice->block, notice->node);
    if (notice->kind == NOTICE_DISCONNECTED) mempool_on_disconnected(n->mempool, notice->block);
    if (n->tx_index) r = tx_index_on_notice(n->tx_index, notice, e);
    if (!r && n->coin_stats) r = coin_stats_index_on_notice(n->coin_stats, notice, e);
    if (!r && n->filters) r = filter_index_on_notice(n->filters, notice, e);
    if (notice->kind == NOTICE_CONNECTED || notice->kind == NOTICE_DISCONNECTED) log_tip(n);
    if (!r && n->p2p) p2p_on_notice(n->p2p, notice);
    return r;
}

/* Indexes first: after a crash they must not stand at blocks that are gone. */
static enum result prune_if_due(struct node *n, struct error *e)
{
    if (!chain_prune_due(n->chain)) return RESULT_OK;
    enum result r = flush_indexes(n, e);
    return r ? r : chain_prune(n->chain, e);
}

static void check_stop_height(struct node *n)
{
    if (n->options.stop_at_height && chain_height(n->chain) >= n->options.stop_at_height) node_stop(n);
}

/* What run_steps is asked for and what it finds. */
struct steps {
    const struct block *given;
    unsigned limit;                      /* blocks; 0: none */
    const struct block_hash *invalid_of; /* may be NULL: this block's failure is copied to `verdict` */
    struct verdict *verdict;
    bool by_operator; /* invalidateblock and the like */
    bool more;        /* the limit was reached before the best chain */
};

static enum result one_step(struct node *n, struct steps *s, bool *more, struct error *e)
{
    struct notice notice;
    enum result r = chain_step(n->chain, node_time_s(n), s->given, &notice, e);
    if (!r) reorgs_on_notice(n->reorgs, &notice);
    if (!r && notice.kind != NOTICE_NONE) r = spread(n, &notice, e);
    if (!r && notice.kind == NOTICE_INVALID && s->invalid_of &&
        block_hash_equal(s->invalid_of, &notice.node->header.hash))
        *s->verdict = notice.verdict;
    *more = notice.kind != NOTICE_NONE;
    notice_clear(&notice);
    if (!r) r = chain_flush_if_needed(n->chain, e);
    if (!r) r = prune_if_due(n, e);
    check_stop_height(n);
    return r;
}

static enum result run_steps(struct node *n, struct steps *s, struct error *e)
{
    struct block_node *before = chain_tip(n->chain);
    enum result r;
    bool more;
    reorgs_begin(n->reorgs, before, n->importing || chain_is_initial_download(n->chain, node_time_s(n)));
    for (unsigned done = 1;; done++) {
        r = one_step(n, s, &more, e);
        if (r || !more) break;
        bool pause = n->stop_wanted || (s->limit && done >= s->limit);
        if (!pause || chain_in_reorg(n->chain)) continue;
        s->more = true;
        break;
    }
    if (r) return node_fatal(n, r, e);
    mempool_settle(n->mempool);
    r = node_look_after_mempool(n, e);
    if (r) return r;
    note_reorg(n, s->by_operator);
    if (chain_tip(n->chain) != before) note_tip(n, before);
    update_warnings(n);
    return RESULT_OK;
}

enum result node_activate(struct node *n, const struct block *given, struct error *e)
{
    return run_steps(n, &(struct steps){.given = given}, e);
}

enum result node_advance(struct node *n, unsigned blocks, bool *more, struct error *e)
{
    return node_advance_with(n, NULL, blocks, more, e);
}

enum result node_advance_with(struct node *n, const struct block *given, unsigned blocks, bool *more, struct error *e)
{
    struct steps s = {.given = given, .limit = blocks};
    enum result r = run_steps(n, &s, e);
    *more = s.more;
    return r;
}

enum result node_submit_block(struct node *n, const struct block *b, bool *is_new, struct verdict *v, struct error *e)
{
    struct block_node *node;
    enum result r = chain_accept_block(n->chain, b, node_time_s(n), ACCEPT_REQUESTED, NULL, &node, is_new, v, e);
    if (r) return node_fatal(n, r, e);
    if (!verdict_ok(v)) return RESULT_OK;
    /* Of a block that we have, these bytes were not compared with those that we keep: only its header need be equal. */
    const struct block *given = *is_new ? b : NULL;
    if (*is_new && n->p2p) p2p_block_accepted(n->p2p, node, b);
    return run_steps(n, &(struct steps){.given = given, .invalid_of = &b->hash, .verdict = v}, e);
}

/* The operator has chosen. */
static enum result activate_choice(struct node *n, struct error *e)
{
    return run_steps(n, &(struct steps){.by_operator = true}, e);
}

enum result node_invalidate(struct node *n, struct block_node *b, struct error *e)
{
    chain_invalidate(n->chain, b);
    return activate_choice(n, e);
}

enum result node_reconsider(struct node *n, struct block_node *b, struct error *e)
{
    chain_reconsider(n->chain, b);
    return activate_choice(n, e);
}

enum result node_precious(struct node *n, struct block_node *b, struct error *e)
{
    chain_precious(n->chain, b);
    return activate_choice(n, e);
}

enum result node_prune(struct node *n, int32_t height, struct error *e)
{
    enum result r = flush_indexes(n, e);
    if (!r) r = chain_prune_to(n->chain, height, e);
    return r ? node_fatal(n, r, e) : RESULT_OK;
}

void node_set_importing(struct node *n, bool importing)
{
    n->importing = importing;
    n->chain->loading = importing;
    if (n->p2p) p2p_set_importing(n->p2p, importing);
}

enum result node_maintain(struct node *n, struct error *e)
{
    enum result r = chain_flush(n->chain, false, e);
    if (!r) r = prune_if_due(n, e);
    return r ? node_fatal(n, r, e) : RESULT_OK;
}
