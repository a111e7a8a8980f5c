/* Script checks of a block as jobs for the workers: a job is one input, so that none has to wait long for the last one.
 * The failure reported is that of the first input in block order, whichever job ends first. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "chain/chain_internal.h"
#include "chain/sig_cache.h"
#include "script/verify.h"

/* A transaction whose midstates are made by the first job that needs them. */
struct job_tx {
    struct script_tx made;
    const struct tx *tx;
    const struct tx_out *spent;
    uint8_t state; /* of enum midstates */
};

enum midstates { MIDSTATES_NONE, MIDSTATES_BEGUN, MIDSTATES_READY };

struct script_job {
    struct job_tx *tx;
    uint32_t input; /* of the transaction */
    uint32_t place; /* within the block */
};

struct script_run {
    struct job_batch batch;
    struct script_job *jobs;
    struct job_tx *txs;
    const struct tx_out *outs;
    unsigned flags;
    struct sig_verifier verifier;
    bool cached; /* VERIFIER is to be used */
    /* Place of the first failure so far in the high half, its error in the low one; UINT64_MAX: none. */
    uint64_t failure;
};

static void note_failure(struct script_run *run, uint32_t place, enum script_error error)
{
    uint64_t mine = (uint64_t)place << 32 | (uint32_t)error;
    uint64_t seen = __atomic_load_n(&run->failure, __ATOMIC_RELAXED);
    while (mine < seen &&
           !__atomic_compare_exchange_n(&run->failure, &seen, mine, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* The transaction with its midstates. While another thread is at them they are made in OWN: quicker than waiting. */
static const struct script_tx *with_midstates(struct job_tx *t, struct script_tx *own)
{
    uint8_t none = MIDSTATES_NONE;
    if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == MIDSTATES_READY) return &t->made;
    if (!__atomic_compare_exchange_n(&t->state, &none, MIDSTATES_BEGUN, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
        if (none == MIDSTATES_READY) return &t->made;
        script_tx_init(own, t->tx, t->spent);
        return own;
    }
    script_tx_init(&t->made, t->tx, t->spent);
    __atomic_store_n(&t->state, MIDSTATES_READY, __ATOMIC_RELEASE);
    return &t->made;
}

static void script_job_run(void *arg, size_t index)
{
    struct script_run *run = arg;
    const struct script_job *job = &run->jobs[index];
    if (__atomic_load_n(&run->failure, __ATOMIC_RELAXED) >> 32 < job->place) return;
    struct script_tx own;
    const struct script_tx *t = with_midstates(job->tx, &own);
    const struct sig_verifier *verifier = run->cached ? &run->verifier : NULL;
    enum script_error error = script_verify_input(t, job->input, run->flags, verifier);
    if (error != SCRIPT_ERR_OK) note_failure(run, job->place, error);
}

static size_t count_inputs(const struct block *block)
{
    size_t inputs = 0;
    for (size_t i = 1; i < block->tx_count; i++) inputs += block->txs[i].in_count;
    return inputs;
}

/* True where the whole transaction is known to verify under these flags. */
static bool known_good(const struct chain *c, const struct tx *tx, unsigned flags)
{
    if (sig_cache_is_empty(c->sig_cache)) return false;
    struct sig_key key;
    sig_cache_script_key(c->sig_cache, &key, &tx->wtxid, flags);
    return sig_cache_has(c->sig_cache, &key);
}

static void add_jobs(struct script_run *run, struct job_tx *t, uint32_t place)
{
    for (uint32_t i = 0; i < t->tx->in_count; i++)
        run->jobs[run->batch.count++] = (struct script_job){.tx = t, .input = i, .place = place + i};
}

struct script_run *script_run_start(struct chain *c, const struct block *block, const struct tx_out *outs,
                                    unsigned flags)
{
    struct script_run *run = mem_calloc(1, sizeof(*run));
    run->jobs = mem_alloc(count_inputs(block) * sizeof(*run->jobs));
    run->txs = mem_alloc(block->tx_count * sizeof(*run->txs));
    run->outs = outs;
    run->flags = flags;
    run->failure = UINT64_MAX;
    run->cached = !sig_cache_is_empty(c->sig_cache);
    if (run->cached) run->verifier = sig_cache_verifier(c->sig_cache);
    run->batch.run = script_job_run;
    run->batch.arg = run;
    uint32_t place = 0;
    for (size_t i = 1; i < block->tx_count; i++) {
        struct job_tx *t = &run->txs[i];
        t->tx = &block->txs[i];
        t->spent = outs + place;
        t->state = MIDSTATES_NONE;
        if (!known_good(c, t->tx, flags)) add_jobs(run, t, place);
        place += (uint32_t)t->tx->in_count;
    }
    workers_submit(&c->ports.workers, &run->batch);
    return run;
}

/* The transaction and its input at PLACE of the block. */
static const struct tx *input_at(const struct script_run *run, uint32_t place, uint32_t *input)
{
    for (size_t j = run->batch.count; j-- > 0;) {
        const struct script_job *job = &run->jobs[j];
        if (job->place != place) continue;
        *input = job->input;
        return job->tx->tx;
    }
    return NULL;
}

static void fill_verdict(const struct script_run *run, struct verdict *v)
{
    uint32_t input = 0;
    const struct tx *tx = input_at(run, (uint32_t)(run->failure >> 32), &input);
    char reason[sizeof(v->reason)], id[HASH_TEXT], spent[HASH_TEXT];
    snprintf(reason, sizeof(reason), "block-script-verify-flag-failed (%s)",
             script_error_text((enum script_error)(uint32_t)run->failure));
    const struct outpoint *prevout = &tx->in[input].prevout;
    verdict_fail(v, VERDICT_CONSENSUS, reason, "input %u of %s, spending %s:%u", input, txid_text(id, &tx->txid),
                 txid_text(spent, &prevout->txid), prevout->index);
}

bool script_run_finish(struct chain *c, struct script_run *run, struct verdict *v)
{
    workers_join(&c->ports.workers, &run->batch);
    bool good = run->failure == UINT64_MAX;
    if (!good && v) fill_verdict(run, v);
    free(run->jobs);
    free(run->txs);
    free(run);
    return good;
}
