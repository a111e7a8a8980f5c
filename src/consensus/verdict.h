/* Verdicts: whether somebody's data obeys the rules, and if not, which rule and who is to blame. A failure of our own
 * machine is never a verdict. */
#ifndef CAIRN_CONSENSUS_VERDICT_H
#define CAIRN_CONSENSUS_VERDICT_H

#include <stdbool.h>

#include "base/compiler.h"

enum verdict_kind {
    VERDICT_VALID = 0,
    VERDICT_CONSENSUS, /* breaks a rule of consensus: this block or transaction can never become valid */
    VERDICT_MUTATED,   /* the bytes do not belong to the header (merkle root, witness commitment): the block may be fine
                        */
    VERDICT_INVALID_HEADER,      /* the header breaks a rule */
    VERDICT_INVALID_PREV,        /* builds on an invalid block */
    VERDICT_CACHED_INVALID,      /* known to be invalid from before */
    VERDICT_MISSING_PREV,        /* the parent is unknown */
    VERDICT_TIME_FUTURE,         /* too far in the future: may become valid */
    VERDICT_LOW_WORK,            /* too little work to be kept */
    VERDICT_MISSING_INPUTS,      /* a transaction spends what is not there (reported as CONSENSUS for a block) */
    VERDICT_PREMATURE,           /* a transaction that is not final yet, or spends a young coinbase */
    VERDICT_NOT_STANDARD,        /* valid, perhaps, but not what we relay */
    VERDICT_INPUTS_NOT_STANDARD, /* the same, for what it spends: others that spend it are refused, too */
    VERDICT_WITNESS_MUTATED,     /* the witness may not belong to it: the same transaction may come with a better one */
    VERDICT_WITNESS_STRIPPED,    /* it came without the witness that it must have */
    VERDICT_CONFLICT,            /* it, or another that spends the same, is in the pool or the chain already */
    VERDICT_MEMPOOL_POLICY,      /* refused for what is in the pool beside it */
    VERDICT_RECONSIDERABLE,      /* pays too little: it may come in beside others that pay for it */
};

struct verdict {
    enum verdict_kind kind;
    char reason[120]; /* Core's reject reason: "bad-txns-in-belowout"; empty when valid */
    char detail[400]; /* more for the log: "value in (1.00) < value out (2.00)"; may be empty */
};

static inline bool verdict_ok(const struct verdict *v)
{
    return v->kind == VERDICT_VALID;
}

/* Fills *V; DETAIL_FORMAT may be "". Returns false, so that a check can `return verdict_fail(...)`. */
bool verdict_fail(struct verdict *v, enum verdict_kind kind, const char *reason, const char *detail_format, ...)
    PRINTF_LIKE(4, 5);

/* "reason" or "reason, detail": how Core prints a state in its log. Writes at most SIZE bytes; returns OUT. */
char *verdict_text(char *out, unsigned long size, const struct verdict *v);

#endif
