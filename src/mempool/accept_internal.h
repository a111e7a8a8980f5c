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

/* One call of mempool_accept. */
struct acceptance {
    struct mempool *m;
    unsigned flags; /* of enum mempool_flag */
    int64_t time_s;
    bool may_replace; /* conflicts and siblings, too */
    struct arena arena;
    struct candidate *candidates;
    size_t count;
    size_t at; /* who is judged; those before it may be spent */
    bool staged;
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

/* Dust of C's unconfirmed parents, those of the same package included, is spent by C. */
MUST_USE bool candidate_check_dust_spent(const struct acceptance *a, struct candidate *c);

/* ---- accept_scripts.c ---- */

/* Every input under the flags of policy, then, with BLOCK_RULES, under those of the next block. Signatures that are
 * good are remembered, and that all of it passed as a block will ask for it. */
MUST_USE bool candidate_check_scripts(struct acceptance *a, struct candidate *c, bool block_rules);

/* ---- accept.c ---- */

/* Begins staging if there is none yet. */
void acceptance_stage(struct acceptance *a);
/* Makes the entry and stages it. */
void acceptance_stage_add(struct acceptance *a, struct candidate *c);

/* ---- accept_package.c ---- */

/* Judges all candidates together, as a test. What speaks against all goes to *PACKAGE; *FAILED is the one that has a
 * verdict (SIZE_MAX: none), and the first *ACCEPTED are good. */
MUST_USE enum result package_test(struct acceptance *a, const struct tx *const *txs, struct verdict *package,
                                  size_t *failed, size_t *accepted, struct error *e);

#endif
