/* Signet (BIP325): a block is signed by satisfying the network's challenge script.
 *
 * The solution (a scriptSig and a witness stack) hides in the coinbase's witness commitment output, as a push that
 * starts with four magic bytes. It is taken out, the merkle root recomputed without it, and what remains of the block
 * is signed through two virtual transactions. */
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "primitives/compact_size.h"
#include "script/script.h"
#include "script/verify.h"

enum {
    SIGNET_MAGIC_BYTES = 4,
    SIGNET_FLAGS = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY
};

static const uint8_t signet_magic_bytes[SIGNET_MAGIC_BYTES] = {0xec, 0xc7, 0xda, 0xa2};

/* Rewrites the instructions of SCRIPT to REST with the first solution cut down to its magic bytes. Returns the solution
 * (a part of SCRIPT); where there is none its data is NULL and REST is not to be used. */
static struct span take_solution(struct buffer *rest, struct span script)
{
    struct span solution = {0}, data;
    size_t pos = 0;
    uint8_t opcode;
    while (script_next(script, &pos, &opcode, &data)) {
        if (data.len == 0) {
            buffer_put_u8(rest, opcode);
            continue;
        }
        if (!solution.data && data.len > SIGNET_MAGIC_BYTES &&
            memcmp(data.data, signet_magic_bytes, SIGNET_MAGIC_BYTES) == 0) {
            solution = span_from(data, SIGNET_MAGIC_BYTES);
            data.len = SIGNET_MAGIC_BYTES;
        }
        script_put_push(rest, data);
    }
    return solution;
}

/* Reads scriptSig and witness stack; false where they do not fill SOLUTION exactly. The items live in the arena. */
static bool read_solution(struct tx_in *in, struct span solution, struct arena *arena)
{
    struct reader r = reader_of(solution);
    in->script_sig = read_span(&r, (size_t)read_compact_size(&r));
    uint64_t count = read_compact_size(&r);
    if (r.failed || count > reader_left(&r)) return false; /* an item takes at least a byte */
    struct span *items = arena_alloc_array(arena, (size_t)count, sizeof(*items));
    for (size_t i = 0; i < count; i++) items[i] = read_span(&r, (size_t)read_compact_size(&r));
    in->witness = (struct witness){.items = items, .count = (size_t)count};
    return !r.failed && reader_left(&r) == 0;
}

/* The merkle root with SCRIPT in place of the coinbase's output AT. */
static void modified_merkle_root(uint8_t root[32], const struct block *b, int at, struct span script)
{
    struct tx coinbase = b->txs[0];
    coinbase.raw = span_of(NULL, 0);
    coinbase.out = mem_dup(coinbase.out, coinbase.out_count * sizeof(*coinbase.out));
    coinbase.out[at].script_pubkey = script;
    tx_hash(&coinbase);
    uint8_t *leaves = mem_alloc(b->tx_count * 32);
    memcpy(leaves, coinbase.txid.bytes, 32);
    for (size_t i = 1; i < b->tx_count; i++) memcpy(leaves + 32 * i, b->txs[i].txid.bytes, 32);
    merkle_root(root, leaves, b->tx_count, NULL);
    free(leaves);
    free(coinbase.out);
}

/* The first virtual transaction's scriptSig: OP_0 and a push of what the signature covers. */
static void put_signed_data(struct buffer *out, const struct block *b, const uint8_t root[32])
{
    uint8_t data[4 + 32 + 32 + 4];
    put_le32(data, (uint32_t)b->header.version);
    memcpy(data + 4, b->header.prev.bytes, 32);
    memcpy(data + 36, root, 32);
    put_le32(data + 68, b->header.time);
    script_put_int(out, 0);
    script_put_push(out, span_of(data, sizeof(data)));
}

/* Whether INPUT (scriptSig and witness) of the second virtual transaction spends the first's output, CHALLENGE. */
static bool satisfies(struct span signed_data, struct tx_in input, struct span challenge)
{
    static const uint8_t op_return[] = {0x6a};
    struct tx_in funding_in = {.prevout = {.index = OUTPOINT_NULL}, .script_sig = signed_data};
    struct tx_out spent = {.script_pubkey = challenge};
    struct tx to_spend = {.in = &funding_in, .in_count = 1, .out = &spent, .out_count = 1};
    tx_hash(&to_spend);

    struct tx_out nothing = {.script_pubkey = {op_return, sizeof(op_return)}};
    struct tx to_sign = {.in = &input, .in_count = 1, .out = &nothing, .out_count = 1};
    input.prevout = (struct outpoint){.txid = to_spend.txid, .index = 0};
    to_sign.has_witness = input.witness.count > 0;
    tx_hash(&to_sign);

    struct script_tx t;
    script_tx_init(&t, &to_sign, &spent);
    return script_verify_input(&t, 0, SIGNET_FLAGS, NULL) == SCRIPT_ERR_OK;
}

bool signet_check_solution(const struct block *b, const struct chain_params *p)
{
    if (block_hash_equal(&b->hash, &p->genesis_hash)) return true;
    int at = block_witness_commitment(b);
    if (at < 0) return false;

    struct span commitment = b->txs[0].out[at].script_pubkey;
    struct buffer rest = {0}, signed_data = {0};
    struct arena arena = {0};
    struct tx_in input = {.sequence = 0};
    struct span solution = take_solution(&rest, commitment);
    /* Without a solution the challenge may still be one that needs none. */
    bool valid = !solution.data || read_solution(&input, solution, &arena);
    if (valid) {
        uint8_t root[32];
        modified_merkle_root(root, b, at, solution.data ? buffer_span(&rest) : commitment);
        put_signed_data(&signed_data, b, root);
        valid = satisfies(buffer_span(&signed_data), input, p->signet_challenge);
    }
    arena_clear(&arena);
    buffer_clear(&rest);
    buffer_clear(&signed_data);
    return valid;
}
