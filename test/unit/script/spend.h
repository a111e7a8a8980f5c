/* One input that spends one output: the pair of transactions that script tests verify. */
#ifndef CAIRN_TEST_SCRIPT_SPEND_H
#define CAIRN_TEST_SCRIPT_SPEND_H

#include "script/interp.h"
#include "support/script_text.h"

struct spend {
    struct arena arena;
    struct tx_in in;
    struct tx_out out;
    struct tx_out spent;
    struct tx tx;
    struct script_tx t;
};

/* The spend of an output with SCRIPT_PUBKEY and VALUE that a crediting transaction of fixed form makes. */
void spend_init(struct spend *s, struct span script_sig, struct span script_pubkey, struct witness witness,
                amount_sat value);
void spend_clear(struct spend *s);

/* Verifies by both ways, with and without short cuts; they must agree. */
enum script_error spend_verify(const struct spend *s, unsigned flags);

/* SCRIPT run on an empty stack as scriptPubKey. */
enum script_error run_text(const char *script_sig, const char *script_pubkey, unsigned flags);

#endif
