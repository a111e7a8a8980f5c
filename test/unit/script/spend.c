/* One input that spends one output. */
#include "spend.h"

#include <criterion/criterion.h>

#include "primitives/tx.h"

static struct txid credit_txid(struct span script_pubkey, amount_sat value)
{
    static const uint8_t sig[2] = {OP_0, OP_0};
    struct tx_in in = {.prevout = {.index = OUTPOINT_NULL}, .script_sig = span_of(sig, 2), .sequence = SEQUENCE_FINAL};
    struct tx_out out = {.value = value, .script_pubkey = script_pubkey};
    struct tx tx = {.version = 1, .in = &in, .in_count = 1, .out = &out, .out_count = 1};
    tx_hash(&tx);
    return tx.txid;
}

void spend_init(struct spend *s, struct span script_sig, struct span script_pubkey, struct witness witness,
                amount_sat value)
{
    struct arena arena = s->arena;
    *s = (struct spend){.arena = arena};
    s->in = (struct tx_in){.prevout = {.txid = credit_txid(script_pubkey, value)},
                           .script_sig = script_sig,
                           .sequence = SEQUENCE_FINAL,
                           .witness = witness};
    s->out = (struct tx_out){.value = value};
    s->spent = (struct tx_out){.value = value, .script_pubkey = script_pubkey};
    s->tx = (struct tx){
        .version = 1, .in = &s->in, .in_count = 1, .out = &s->out, .out_count = 1, .has_witness = witness.count > 0};
    tx_hash(&s->tx);
    script_tx_init(&s->t, &s->tx, &s->spent);
}

void spend_clear(struct spend *s)
{
    arena_clear(&s->arena);
}

enum script_error spend_verify(const struct spend *s, unsigned flags)
{
    enum script_error fast = script_verify_input(&s->t, 0, flags, NULL);
    enum script_error plain = script_verify_plain(s->in.script_sig, s->spent.script_pubkey, &s->in.witness, &s->t, 0,
                                                  s->spent.value, flags, NULL);
    cr_assert_eq(fast, plain, "short cut says %s, interpreter %s", script_error_name(fast), script_error_name(plain));
    return fast;
}

enum script_error run_text(const char *script_sig, const char *script_pubkey, unsigned flags)
{
    struct spend s = {0};
    struct span sig = script_text_parse(&s.arena, script_sig), pubkey = script_text_parse(&s.arena, script_pubkey);
    spend_init(&s, sig, pubkey, (struct witness){0}, 0);
    enum script_error e = spend_verify(&s, flags);
    spend_clear(&s);
    return e;
}
