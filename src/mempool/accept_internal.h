/* Shared by the files that judge entrants. The order of the checks is part of the interface: it decides which of
 * several reasons is told. */
#ifndef CAIRN_MEMPOOL_ACCEPT_INTERNAL_H
#define CAIRN_MEMPOOL_ACCEPT_INTERNAL_H

#include "mempool/mempool_internal.h"

/* One that wants to enter, and what was learnt of it. */
struct candidate {
    const struct tx *tx;
    struct verdict verdict;
    struct mempool_entry draft;  /* the entry that it would be; its tx is borrowed */
    struct mempool_entry *entry; /* once it is staged */
    bool priced;                 /* the draft's fee and vsize are known */

    struct tx_out *spent; /* of the acceptance's arena, one for each input */
    coin_origin *origins;
    bool *loaded; /* its coin was not in the cache before */
    size_t looked_up;

    struct pool_set parents;   /* in the pool */
    struct pool_set conflicts; /* in the pool: who spends the same, and a sibling that has to go */
    bool sibling;              /* there is one among these */
};

/* What holds for those that are judged at once. */
struct accept_manner {
    unsigned flags;           /* of enum mempool_flag */
    bool may_replace;         /* conflicts are replaced, not refused */
    bool may_evict;           /* a sibling, too */
    bool package;             /* part of a package that enters: the caller makes room afterwards */
    bool rate_of_all;         /* they may pay for each other */
    struct fee_rate max_rate; /* who pays more is refused; 0: nobody */
};

/* Those that are judged at once. */
struct acceptance {
    struct mempool *m;
    struct accept_manner manner;
    int64_t time_s;
    struct arena arena;
    struct candidate *candidates;
    size_t count;
    size_t at; /* who is judged; those before it may be spent */
    bool staged;
    struct pool_set replaced; /* who leaves for them */
};

/* False, with the candidate's verdict. */
#define REFUSE(C, KIND, REASON, ...) verdict_fail(&(C)->verdict, (KIND), (REASON), __VA_ARGS__)

static inline struct fee_rate candidate_rate(const struct candidate *c)
{
    return fee_rate_of(mempool_modified_fee(&c->draft), c->draft.vsize);
}

/* ---- accept_coins.c ---- */

/* Finds what C spends: outputs of earlier candidates, of the pool (then who made them is a parent), of the chain.
 * *FOUND: all of it. */
MUST_USE enum result candidate_find_coins(struct acceptance *a, struct candidate *c, bool *found, struct error *e);

/* Coins that were loaded for C leave the cache again. What it spends is unknown afterwards. */
void candidate_forget_coins(struct acceptance *a, struct candidate *c);

/* ---- accept_checks.c ---- */

/* All that is cheap, up to fees and the topology of version 3. The verdict is the candidate's. */
MUST_USE enum result candidate_check(struct acceptance *a, struct candidate *c, struct error *e);

/* FEE for VSIZE is what the pool and relay want at least. */
MUST_USE bool accept_check_rate(struct mempool *m, amount_sat fee, uint64_t vsize, struct verdict *v);

/* Refuses who pays more than the user wanted. */
MUST_USE bool candidate_check_max_rate(const struct acceptance *a, struct candidate *c);

/* Dust of C's unconfirmed parents, those of the same package included, is spent by C. */
MUST_USE bool candidate_check_dust_spent(const struct acceptance *a, struct candidate *c);

/* ---- accept_scripts.c ---- */

/* Every input under the flags of policy, then, with BLOCK_RULES, under those of the next block. Signatures that are
 * good are remembered, and that all of it passed as a block will ask for it. */
MUST_USE bool candidate_check_scripts(struct acceptance *a, struct candidate *c, bool block_rules);

/* ---- accept.c ---- */

void acceptance_begin(struct acceptance *a, struct mempool *m, const struct tx *const *txs, size_t count,
                      int64_t time_s, const struct accept_manner *manner);
/* KEEP: the coins of what entered stay in the cache, for the block that will have it. */
void acceptance_end(struct acceptance *a, bool keep);

/* Begins staging if there is none yet. */
void acceptance_stage(struct acceptance *a);
/* Makes the entry and stages it. */
void acceptance_stage_add(struct acceptance *a, struct candidate *c);

/* Those that leave are added to OUT (may be NULL); then all candidates enter. */
void acceptance_commit(struct acceptance *a, struct mempool_outcome *out, bool counted_for_estimates);

/* OUT is C's part of the answer: fee and rate are told of what is good, and of what pays too little. */
void accept_fill_outcome(struct tx_outcome *out, const struct candidate *c);

/* One; the verdict to V and its answer to the AT-th of OUT (both may be NULL). */
MUST_USE enum result accept_single(struct mempool *m, const struct tx *tx, int64_t time_s,
                                   const struct accept_manner *manner, struct verdict *v, struct mempool_outcome *out,
                                   size_t at, struct error *e);

/* ---- accept_package.c ---- */

/* Rules for a package before any of it is judged. */
MUST_USE bool package_is_well_formed(const struct tx *const *txs, size_t count, struct verdict *v);

/* What became of candidates that were judged together. */
struct package_judgement {
    struct verdict package; /* what speaks against all; valid where each speaks for itself */
    size_t failed;          /* who has a verdict; SIZE_MAX: nobody */
    size_t accepted;        /* the first so many are good */
    const char *failure;    /* where somebody failed: in the words for the whole */
    amount_sat fee;         /* modified, of all */
    uint64_t vsize;
};

/* Judges all candidates together; what is good is staged. */
MUST_USE enum result package_judge(struct acceptance *a, const struct tx *const *txs, struct package_judgement *j,
                                   struct error *e);

/* ---- accept_replace.c ---- */

/* A parent and its child in the place of what they conflict with. */
MUST_USE bool package_check_replacement(struct acceptance *a, const struct package_judgement *all, struct verdict *v);

#endif
