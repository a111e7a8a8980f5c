/* Every reject reason of blocks: a valid block with exactly one rule broken, and blocks that break two. */
#include "fixture.h"

#include "script/script.h"

struct reason_row {
    const char *reason;
    const char *detail; /* what it starts with */
    enum verdict_kind kind;
    void (*break_rule)(struct draft *d);
};

static void none(struct draft *d)
{
    (void)d;
}

static void high_hash(struct draft *d)
{
    d->header.bits = 0x1d00ffff;
    d->no_mining = true;
}

static void target_above_limit(struct draft *d)
{
    d->header.bits = 0x2100ffff; /* nearly 2^256: any hash is below it */
    d->no_mining = true;
}

static void negative_target(struct draft *d)
{
    d->header.bits = 0x20ffffff;
    d->no_mining = true;
}

static void diffbits(struct draft *d)
{
    d->header.bits = 0x207ffffe;
}

static void too_old(struct draft *d)
{
    d->header.time = (uint32_t)header_median_time(d->prev);
}

static void too_new(struct draft *d)
{
    d->now_s = (int64_t)d->header.time - MAX_FUTURE_BLOCK_TIME_S - 1;
}

/* The block opens a period, and its parent is far ahead of its own predecessors. */
static void timewarp(struct draft *d)
{
    int32_t height = retarget_interval(&d->params);
    struct header_node *last = &d->chain[height - 1];
    d->params.enforce_bip94 = true;
    chain_link(last, last->prev, last->time + 5000, last->bits, last->version);
    d->prev = last;
    d->header.prev = last->hash;
    d->header.time = last->time - MAX_TIMEWARP_S - 1;
}

static void version_1(struct draft *d)
{
    d->header.version = 1;
}

static void version_2(struct draft *d)
{
    d->header.version = 2;
}

static void version_3(struct draft *d)
{
    d->header.version = 3;
}

static void version_negative(struct draft *d)
{
    d->header.version = -1;
}

static void signet_unsigned(struct draft *d)
{
    static const uint8_t op_0[] = {0x00};
    d->params.signet = true;
    d->params.signet_challenge = span_of(op_0, sizeof(op_0));
}

static void merkle_mismatch(struct draft *d)
{
    d->keep_root = true;
    memset(d->header.merkle_root, 7, 32);
}

/* Three transactions have the root of the same three with the last one twice. */
static void repeated_tx(struct draft *d)
{
    block_free(draft_build(d));
    d->keep_root = d->keep_commitment = true;
    struct draft_tx *t = draft_add(d, 1, 0);
    t->tx = d->txs[2].tx;
}

static void no_txs(struct draft *d)
{
    d->tx_count = 0;
}

static void pad_base(struct draft *d, size_t base_size)
{
    struct block *b = draft_build(d);
    cr_assert(b->base_size < base_size - 10);
    size_t more = base_size - b->base_size;
    block_free(b);
    /* The script of one byte grows, and its length takes four bytes more. */
    d->txs[1].out[0].script_pubkey = draft_bytes(d, 1 + more - 4, 0x6a);
    b = draft_build(d);
    cr_assert_eq(b->base_size, base_size);
    block_free(b);
}

/* No room is left for a witness in a block whose base has the full size. */
static void drop_witness(struct draft *d)
{
    d->txs[2].in[0].witness.count = 0;
    d->txs[0].in[0].witness.count = 0;
    d->txs[0].tx.out_count = 1;
    d->keep_commitment = true;
}

static void base_full(struct draft *d)
{
    drop_witness(d);
    pad_base(d, 1000000);
}

static void base_too_large(struct draft *d)
{
    drop_witness(d);
    pad_base(d, 1000001);
}

static void no_coinbase(struct draft *d)
{
    d->txs[0].in[0].prevout.index = 0;
}

static void second_coinbase(struct draft *d)
{
    d->txs[2].in[0].prevout = d->txs[0].in[0].prevout;
}

static void no_inputs(struct draft *d)
{
    d->txs[1].tx.in_count = 0; /* with outputs it would read as a segwit marker */
    d->txs[1].tx.out_count = 0;
}

static void no_outputs(struct draft *d)
{
    d->txs[1].tx.out_count = 0;
}

static void negative_output(struct draft *d)
{
    d->txs[1].out[0].value = -1;
}

static void huge_output(struct draft *d)
{
    d->txs[1].out[0].value = MAX_MONEY_SAT + 1;
}

static void huge_total(struct draft *d)
{
    d->txs[1].out[0].value = MAX_MONEY_SAT;
    d->txs[1].out[1] = (struct tx_out){.value = 1};
    d->txs[1].tx.out_count = 2;
}

static void duplicate_input(struct draft *d)
{
    d->txs[1].in[1].prevout = d->txs[1].in[0].prevout;
}

static void short_coinbase(struct draft *d)
{
    d->txs[0].in[0].script_sig.len = 1;
}

static void long_coinbase(struct draft *d)
{
    d->txs[0].in[0].script_sig = draft_bytes(d, 101, 0);
}

static void null_prevout(struct draft *d)
{
    d->txs[1].in[1].prevout = d->txs[0].in[0].prevout;
}

static void legacy_sigops(struct draft *d, size_t count)
{
    d->txs[1].out[0].script_pubkey = draft_bytes(d, count, 0xac);
}

static void sigops_full(struct draft *d)
{
    legacy_sigops(d, 20000);
}

static void sigops_over(struct draft *d)
{
    legacy_sigops(d, 20001);
}

static void lock_at_height(struct draft *d)
{
    d->txs[1].tx.lock_time = DRAFT_HEIGHT;
}

static void lock_before_height(struct draft *d)
{
    d->txs[1].tx.lock_time = DRAFT_HEIGHT - 1;
}

static void lock_at_median(struct draft *d)
{
    d->txs[1].tx.lock_time = (uint32_t)header_median_time(d->prev);
}

static void lock_before_median(struct draft *d)
{
    d->txs[1].tx.lock_time = (uint32_t)header_median_time(d->prev) - 1;
}

static void wrong_height(struct draft *d)
{
    struct draft_tx *t = &d->txs[0];
    uint8_t *script =
        memcpy(arena_alloc(&d->arena, t->in[0].script_sig.len), t->in[0].script_sig.data, t->in[0].script_sig.len);
    script[1] ^= 1;
    t->in[0].script_sig.data = script;
}

static void nonce_size(struct draft *d)
{
    d->txs[0].items[0][0] = draft_bytes(d, 33, 0x5a);
}

static void nonce_two_items(struct draft *d)
{
    d->txs[0].items[0][1] = draft_bytes(d, 32, 0);
    d->txs[0].in[0].witness.count = 2;
}

static void nonce_missing(struct draft *d)
{
    d->txs[0].in[0].witness.count = 0;
}

static void commitment_mismatch(struct draft *d)
{
    d->keep_commitment = true;
}

static void uncommitted_witness(struct draft *d)
{
    d->txs[0].tx.out_count = 1;
    d->txs[0].in[0].witness.count = 0;
    d->keep_commitment = true;
}

static void witness_before_segwit(struct draft *d)
{
    d->params.buried[BURIED_SEGWIT] = DRAFT_HEIGHT + 1;
}

static void pad_weight(struct draft *d, uint64_t weight)
{
    struct block *b = draft_build(d);
    size_t more = (size_t)(weight - block_weight(b));
    block_free(b);
    d->txs[2].items[0][0] = draft_bytes(d, 1 + more - 4, 1);
    b = draft_build(d);
    cr_assert_eq(block_weight(b), weight);
    block_free(b);
}

static void weight_full(struct draft *d)
{
    pad_weight(d, MAX_BLOCK_WEIGHT);
}

static void weight_over(struct draft *d)
{
    pad_weight(d, MAX_BLOCK_WEIGHT + 1);
}

static void young_coinbase(struct draft *d)
{
    d->txs[1].origins[0] = coin_origin_of(DRAFT_HEIGHT - 99, true);
}

static void ripe_coinbase(struct draft *d)
{
    d->txs[1].origins[0] = coin_origin_of(DRAFT_HEIGHT - 100, true);
}

static void input_out_of_range(struct draft *d)
{
    d->txs[1].spent[0].value = MAX_MONEY_SAT + 1;
}

static void input_sum_out_of_range(struct draft *d)
{
    d->txs[1].spent[0].value = MAX_MONEY_SAT;
}

static void below_out(struct draft *d)
{
    d->txs[1].out[0].value = 2 * COIN_SAT + 1;
}

static void fees_out_of_range(struct draft *d)
{
    d->txs[1].spent[0].value = MAX_MONEY_SAT - COIN_SAT;
    d->txs[2].spent[0].value = MAX_MONEY_SAT;
}

/* A relative lock of BLOCKS on a coin of the previous block. */
static void relative_lock(struct draft *d, uint32_t blocks)
{
    d->txs[1].in[0].sequence = blocks;
    d->txs[1].origins[0] = coin_origin_of(DRAFT_HEIGHT - 1, false);
}

static void relative_lock_met(struct draft *d)
{
    relative_lock(d, 1);
}

static void relative_lock_open(struct draft *d)
{
    relative_lock(d, 2);
}

static void relative_lock_negative_version(struct draft *d)
{
    relative_lock(d, 2);
    d->txs[1].tx.version = -1;
}

static void relative_lock_version_1(struct draft *d)
{
    relative_lock(d, 2);
    d->txs[1].tx.version = 1;
}

static void relative_lock_before_csv(struct draft *d)
{
    relative_lock(d, 2);
    d->params.buried[BURIED_CSV] = DRAFT_HEIGHT + 1;
}

/* Witness sigops cost one each: COUNT of them in a P2WSH spend. */
static void witness_sigops(struct draft *d, size_t count)
{
    uint8_t *program = (uint8_t *)(uintptr_t)draft_bytes(d, 34, 9).data;
    program[0] = 0;
    program[1] = 32;
    d->txs[2].spent[0].script_pubkey = span_of(program, 34);
    d->txs[2].items[0][0] = draft_bytes(d, count, 0xac);
}

static void sigop_cost_full(struct draft *d)
{
    witness_sigops(d, 80000);
}

static void sigop_cost_over(struct draft *d)
{
    witness_sigops(d, 80001);
}

static void coinbase_too_much(struct draft *d)
{
    d->txs[0].out[0].value++;
}

static void coinbase_less(struct draft *d)
{
    d->txs[0].out[0].value = 0;
}

static const struct reason_row rows[] = {
    {"", "", VERDICT_VALID, none},
    {"high-hash", "proof of work failed", VERDICT_INVALID_HEADER, high_hash},
    {"high-hash", "proof of work failed", VERDICT_INVALID_HEADER, target_above_limit},
    {"high-hash", "proof of work failed", VERDICT_INVALID_HEADER, negative_target},
    {"bad-diffbits", "incorrect proof of work", VERDICT_INVALID_HEADER, diffbits},
    {"time-too-old", "block's timestamp is too early", VERDICT_INVALID_HEADER, too_old},
    {"time-timewarp-attack", "block's timestamp is too early on diff adjustment block", VERDICT_INVALID_HEADER,
     timewarp},
    {"time-too-new", "block timestamp too far in the future", VERDICT_TIME_FUTURE, too_new},
    {"bad-version(0x00000001)", "rejected nVersion=0x00000001 block", VERDICT_INVALID_HEADER, version_1},
    {"bad-version(0x00000002)", "rejected nVersion=0x00000002 block", VERDICT_INVALID_HEADER, version_2},
    {"bad-version(0x00000003)", "rejected nVersion=0x00000003 block", VERDICT_INVALID_HEADER, version_3},
    {"bad-version(0xffffffff)", "rejected nVersion=0xffffffff block", VERDICT_INVALID_HEADER, version_negative},
    {"bad-signet-blksig", "signet block signature validation failure", VERDICT_CONSENSUS, signet_unsigned},
    {"bad-txnmrklroot", "hashMerkleRoot mismatch", VERDICT_MUTATED, merkle_mismatch},
    {"bad-txns-duplicate", "duplicate transaction", VERDICT_MUTATED, repeated_tx},
    {"bad-blk-length", "size limits failed", VERDICT_CONSENSUS, no_txs},
    {"", "", VERDICT_VALID, base_full},
    {"bad-blk-length", "size limits failed", VERDICT_CONSENSUS, base_too_large},
    {"bad-cb-missing", "first tx is not coinbase", VERDICT_CONSENSUS, no_coinbase},
    {"bad-cb-multiple", "more than one coinbase", VERDICT_CONSENSUS, second_coinbase},
    {"bad-txns-vin-empty", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, no_inputs},
    {"bad-txns-vout-empty", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, no_outputs},
    {"bad-txns-vout-negative", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, negative_output},
    {"bad-txns-vout-toolarge", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, huge_output},
    {"bad-txns-txouttotal-toolarge", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, huge_total},
    {"bad-txns-inputs-duplicate", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, duplicate_input},
    {"bad-cb-length", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, short_coinbase},
    {"bad-cb-length", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, long_coinbase},
    {"bad-txns-prevout-null", "Transaction check failed (tx hash ", VERDICT_CONSENSUS, null_prevout},
    {"", "", VERDICT_VALID, sigops_full},
    {"bad-blk-sigops", "out-of-bounds SigOpCount", VERDICT_CONSENSUS, sigops_over},
    {"bad-txns-nonfinal", "non-final transaction", VERDICT_CONSENSUS, lock_at_height},
    {"", "", VERDICT_VALID, lock_before_height},
    {"bad-txns-nonfinal", "non-final transaction", VERDICT_CONSENSUS, lock_at_median},
    {"", "", VERDICT_VALID, lock_before_median},
    {"bad-cb-height", "block height mismatch in coinbase", VERDICT_CONSENSUS, wrong_height},
    {"bad-witness-nonce-size", "CheckWitnessMalleation : invalid witness reserved value size", VERDICT_MUTATED,
     nonce_size},
    {"bad-witness-nonce-size", "CheckWitnessMalleation : invalid witness reserved value size", VERDICT_MUTATED,
     nonce_two_items},
    {"bad-witness-nonce-size", "CheckWitnessMalleation : invalid witness reserved value size", VERDICT_MUTATED,
     nonce_missing},
    {"bad-witness-merkle-match", "CheckWitnessMalleation : witness merkle commitment mismatch", VERDICT_MUTATED,
     commitment_mismatch},
    {"unexpected-witness", "CheckWitnessMalleation : unexpected witness data found", VERDICT_MUTATED,
     uncommitted_witness},
    {"unexpected-witness", "CheckWitnessMalleation : unexpected witness data found", VERDICT_MUTATED,
     witness_before_segwit},
    {"", "", VERDICT_VALID, weight_full},
    {"bad-blk-weight", "ContextualCheckBlock : weight limit failed", VERDICT_CONSENSUS, weight_over},
    {"bad-txns-premature-spend-of-coinbase", "tried to spend coinbase at depth 99 in transaction ", VERDICT_CONSENSUS,
     young_coinbase},
    {"", "", VERDICT_VALID, ripe_coinbase},
    {"bad-txns-inputvalues-outofrange", " in transaction ", VERDICT_CONSENSUS, input_out_of_range},
    {"bad-txns-inputvalues-outofrange", " in transaction ", VERDICT_CONSENSUS, input_sum_out_of_range},
    {"bad-txns-in-belowout", "value in (2.00) < value out (2.00000001) in transaction ", VERDICT_CONSENSUS, below_out},
    {"bad-txns-accumulated-fee-outofrange", "accumulated fee in the block out of range", VERDICT_CONSENSUS,
     fees_out_of_range},
    {"", "", VERDICT_VALID, relative_lock_met},
    {"bad-txns-nonfinal", "contains a non-BIP68-final transaction ", VERDICT_CONSENSUS, relative_lock_open},
    {"bad-txns-nonfinal", "contains a non-BIP68-final transaction ", VERDICT_CONSENSUS, relative_lock_negative_version},
    {"", "", VERDICT_VALID, relative_lock_version_1},
    {"", "", VERDICT_VALID, relative_lock_before_csv},
    {"", "", VERDICT_VALID, sigop_cost_full},
    {"bad-blk-sigops", "too many sigops", VERDICT_CONSENSUS, sigop_cost_over},
    {"bad-cb-amount", "coinbase pays too much (actual=2500003001 vs limit=2500003000)", VERDICT_CONSENSUS,
     coinbase_too_much},
    {"", "", VERDICT_VALID, coinbase_less},
};

static void expect(const struct reason_row *row, struct draft *d)
{
    struct block *b = draft_build(d);
    struct verdict v;
    amount_sat fees;
    bool ok = judge(d, b, &fees, &v);
    cr_assert_eq(ok, row->kind == VERDICT_VALID, "expected '%s', got '%s'", row->reason, v.reason);
    cr_assert_str_eq(v.reason, row->reason, "expected '%s', got '%s' (%s)", row->reason, v.reason, v.detail);
    cr_assert_eq(v.kind, row->kind, "%s: kind %d", row->reason, v.kind);
    cr_assert(strncmp(v.detail, row->detail, strlen(row->detail)) == 0, "%s: %s", row->reason, v.detail);
    char text[300];
    verdict_text(text, sizeof(text), &v);
    if (ok) {
        cr_assert_str_eq(text, "Valid");
        cr_assert_eq(fees, 3000);
    } else {
        cr_assert(strlen(text) == strlen(v.reason) + 2 + strlen(v.detail));
    }
    block_free(b);
}

Test(consensus_reasons, one_broken_rule_each)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct draft d;
        draft_init(&d);
        /* A coinbase that pays the highest allowed value has no room for these fees. */
        rows[i].break_rule(&d);
        expect(&rows[i], &d);
        draft_clear(&d);
    }
    print_count("reject reasons, one broken rule each", ARRAY_LEN(rows));
}

/* The details that name a transaction name the right one. */
Test(consensus_reasons, details_name_the_transaction)
{
    static void (*const breaks[])(struct draft *) = {negative_output, below_out, relative_lock_open, young_coinbase};
    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        struct draft d;
        draft_init(&d);
        breaks[i](&d);
        struct block *b = draft_build(&d);
        struct verdict v;
        amount_sat fees;
        char id[HASH_TEXT];
        cr_assert_not(judge(&d, b, &fees, &v));
        cr_assert(strstr(v.detail, txid_text(id, &b->txs[1].txid)), "%s", v.detail);
        block_free(b);
        draft_clear(&d);
    }
    print_count("details with a txid", ARRAY_LEN(breaks));
}

/* Where two rules are broken the one that comes first is named. */
Test(consensus_reasons, order)
{
    static const struct {
        const char *reason;
        void (*first)(struct draft *);
        void (*second)(struct draft *);
    } pairs[] = {
        {"bad-diffbits", diffbits, too_old},
        {"time-too-old", too_old, too_new},
        {"time-timewarp-attack", timewarp, too_new},
        {"time-too-new", too_new, version_1},
        {"bad-version(0x00000001)", version_1, merkle_mismatch},
        {"bad-signet-blksig", signet_unsigned, merkle_mismatch},
        {"bad-txnmrklroot", merkle_mismatch, no_coinbase},
        {"bad-txnmrklroot", merkle_mismatch, no_txs},
        {"bad-blk-length", base_too_large, no_coinbase},
        {"bad-cb-missing", no_coinbase, negative_output},
        {"bad-cb-multiple", second_coinbase, negative_output},
        {"bad-txns-vout-negative", negative_output, sigops_over},
        {"bad-txns-vout-negative", negative_output, duplicate_input},
        {"bad-blk-sigops", sigops_over, lock_at_height},
        {"bad-txns-nonfinal", lock_at_height, wrong_height},
        {"bad-cb-height", wrong_height, nonce_size},
        {"bad-witness-nonce-size", nonce_size, commitment_mismatch},
        {"bad-blk-weight", weight_over, young_coinbase},
        {"bad-txns-premature-spend-of-coinbase", young_coinbase, below_out},
        {"bad-txns-in-belowout", below_out, relative_lock_open},
        {"bad-txns-accumulated-fee-outofrange", fees_out_of_range, sigop_cost_over},
        {"bad-txns-nonfinal", relative_lock_open, sigop_cost_over},
        {"bad-blk-sigops", sigop_cost_over, coinbase_too_much},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct draft d;
        draft_init(&d);
        pairs[i].second(&d);
        pairs[i].first(&d);
        struct block *b = draft_build(&d);
        struct verdict v;
        amount_sat fees;
        cr_assert_not(judge(&d, b, &fees, &v));
        cr_assert_str_eq(v.reason, pairs[i].reason, "pair %zu: expected %s, got %s", i, pairs[i].reason, v.reason);
        block_free(b);
        draft_clear(&d);
    }
    print_count("two broken rules, the first named", ARRAY_LEN(pairs));
}

/* Templates are checked without proof of work, signet solution and merkle root. */
Test(consensus_reasons, flags_leave_checks_out)
{
    struct draft d;
    draft_init(&d);
    signet_unsigned(&d);
    merkle_mismatch(&d);
    d.header.bits = 0x1d00ffff;
    d.no_mining = true;
    struct block *b = draft_build(&d);
    struct verdict v = {.kind = VERDICT_VALID};
    cr_assert(block_check(b, &d.params, BLOCK_CHECK_NO_POW | BLOCK_CHECK_NO_MERKLE, &v));
    cr_assert_not(block_check(b, &d.params, BLOCK_CHECK_NO_POW, &v));
    cr_assert_str_eq(v.reason, "bad-txnmrklroot");
    cr_assert_not(block_check(b, &d.params, BLOCK_CHECK_NO_MERKLE, &v));
    cr_assert_str_eq(v.reason, "high-hash");
    block_free(b);
    draft_clear(&d);
}

/* Transactions from the limit on are not looked at, nor then the coinbase's value. */
Test(consensus_reasons, spends_up_to_a_limit)
{
    struct draft d;
    draft_init(&d);
    coinbase_too_much(&d);
    struct block *b = draft_build(&d);
    struct header_node node;
    header_node_link(&node, &b->header, &b->hash, d.prev);
    struct verdict v = {.kind = VERDICT_VALID};
    amount_sat fees;
    struct block_spends spends = {.outs = d.txs[1].spent, .origins = d.txs[1].origins, .count = 2};
    cr_assert(block_check_spends(b, &node, &spends, 2, 0, &d.params, &fees, &v));
    cr_assert_eq(fees, 1000);
    spends.count = 0;
    cr_assert(block_check_spends(b, &node, &spends, 1, 0, &d.params, &fees, &v));
    cr_assert_eq(fees, 0);
    block_free(b);
    draft_clear(&d);
}

/* Altered bytes are told from a bad block; a block without coinbase may hide inner nodes as 64-byte transactions. */
Test(consensus_reasons, mutated)
{
    static const struct {
        void (*change)(struct draft *);
        bool check_witness, mutated;
    } cases[] = {
        {none, true, false},
        {none, false, true}, /* a witness where none is expected */
        {merkle_mismatch, true, true},
        {repeated_tx, true, true},
        {nonce_size, true, true},
        {commitment_mismatch, true, true},
        {negative_output, true, false},
        {no_coinbase, true, false},
        {drop_witness, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct draft d;
        draft_init(&d);
        cases[i].change(&d);
        struct block *b = draft_build(&d);
        cr_assert_eq(block_is_mutated(b, cases[i].check_witness), cases[i].mutated, "case %zu", i);
        block_free(b);
        draft_clear(&d);
    }
    struct draft d;
    draft_init(&d);
    no_coinbase(&d);
    d.txs[1].tx.in_count = 1; /* 4 + 1 + 41 + 1 + 8 + 1 + script + 4 */
    d.txs[1].out[0].script_pubkey = draft_bytes(&d, 4, 0x51);
    struct block *b = draft_build(&d);
    cr_assert_eq(b->txs[1].base_size, 64);
    cr_assert(block_is_mutated(b, true));
    block_free(b);
    draft_clear(&d);
    print_count("mutated blocks", ARRAY_LEN(cases) + 1);
}
