/* Signet solutions (BIP325): the default signet's first blocks, and made-up ones under other challenges. */
#include "fixture.h"

#include "script/script.h"

enum { SIGNET_BLOCKS = 11 };

static struct span next_block(struct reader *r)
{
    read_span(r, 4);
    return read_span(r, read_le32(r));
}

/* Where the solution begins in the raw block: after the magic that opens its push. */
static size_t solution_at(struct span raw, size_t *len)
{
    static const uint8_t magic[] = {0xec, 0xc7, 0xda, 0xa2};
    for (size_t i = 1; i + 4 < raw.len; i++)
        if (memcmp(raw.data + i, magic, 4) == 0) {
            *len = raw.data[i - 1] - 4u;
            return i + 4;
        }
    cr_assert_fail("no solution");
    return 0;
}

static const char *judge_raw(struct span raw, const struct chain_params *p)
{
    static struct verdict v;
    v = (struct verdict){.kind = VERDICT_VALID};
    struct block *b = block_parse(raw);
    cr_assert(b);
    bool ok = block_check(b, p, 0, &v);
    cr_assert_eq(ok, verdict_ok(&v));
    block_free(b);
    return v.reason;
}

Test(consensus_signet, first_blocks)
{
    if (!data_present(CAIRN_TEST_DATA, "signet blocks")) return;
    const struct chain_params *p = chain_params_get(CHAIN_SIGNET);
    struct buffer file = data_read(CAIRN_TEST_DATA, "blocks/signet-0-10.dat");
    struct reader r = reader_of(buffer_span(&file));
    size_t blocks = 0, solutions = 0, refused = 0;
    while (reader_left(&r)) {
        struct span raw = next_block(&r);
        cr_assert_str_eq(judge_raw(raw, p), "", "block %zu", blocks);
        if (blocks++ == 0) continue; /* genesis needs no solution */
        solutions++;
        size_t len, at = solution_at(raw, &len);
        uint8_t *bytes = (uint8_t *)(uintptr_t)raw.data;
        for (size_t i = at; i < at + len; i++) {
            bytes[i] ^= 1;
            cr_assert_str_eq(judge_raw(raw, p), "bad-signet-blksig", "block %zu byte %zu", blocks - 1, i);
            bytes[i] ^= 1;
            refused++;
        }
        bytes[at - 1] ^= 1; /* no solution at all */
        cr_assert_str_eq(judge_raw(raw, p), "bad-signet-blksig");
        bytes[at - 1] ^= 1;
    }
    cr_assert_eq(blocks, (size_t)SIGNET_BLOCKS);
    buffer_clear(&file);
    print_count("signet solutions", solutions);
    print_count("signet solutions with one byte changed, refused", refused);
}

/* Each block's solution is for that block: header fields and the other transactions are covered. */
Test(consensus_signet, what_is_covered)
{
    if (!data_present(CAIRN_TEST_DATA, "signet blocks")) return;
    const struct chain_params *p = chain_params_get(CHAIN_SIGNET);
    struct buffer file = data_read(CAIRN_TEST_DATA, "blocks/signet-0-10.dat");
    struct reader r = reader_of(buffer_span(&file));
    next_block(&r);
    struct block *b = block_parse(next_block(&r));
    cr_assert(signet_check_solution(b, p));
    b->header.version ^= 1;
    cr_assert_not(signet_check_solution(b, p));
    b->header.version ^= 1;
    b->header.prev.bytes[0] ^= 1;
    cr_assert_not(signet_check_solution(b, p));
    b->header.prev.bytes[0] ^= 1;
    b->header.time ^= 1;
    cr_assert_not(signet_check_solution(b, p));
    b->header.time ^= 1;
    b->header.nonce ^= 1; /* not covered: the nonce is found after signing */
    cr_assert(signet_check_solution(b, p));
    b->header.merkle_root[0] ^= 1; /* computed anew, without the solution */
    cr_assert(signet_check_solution(b, p));
    b->txs[0].lock_time ^= 1;
    cr_assert_not(signet_check_solution(b, p));
    b->txs[0].lock_time ^= 1;
    b->txs[0].out[0].value--;
    cr_assert_not(signet_check_solution(b, p));
    block_free(b);
    buffer_clear(&file);
    print_count("what a signet solution covers", 8);
}

struct made_block {
    struct tx_in in;
    struct tx_out out;
    struct tx txs[2];
    struct block block;
    struct buffer script;
};

/* A block of two transactions; its commitment output ends with the instructions MORE (hex). */
static void make_block(struct made_block *m, const char *more)
{
    memset(m, 0, sizeof(*m));
    m->in.prevout.index = OUTPOINT_NULL;
    buffer_put_str(&m->script, "\x6a\x24\xaa\x21\xa9\xed");
    memset(buffer_extend(&m->script, 32), 0xff, 32);
    cr_assert(hex_decode_append(&m->script, more, strlen(more)));
    m->out.script_pubkey = buffer_span(&m->script);
    m->txs[0] = (struct tx){.version = 2, .in = &m->in, .in_count = 1, .out = &m->out, .out_count = 1};
    m->txs[1] = m->txs[0];
    m->block.txs = m->txs;
    m->block.tx_count = 2;
}

static bool solves(const char *challenge, const char *more)
{
    struct made_block m;
    struct buffer script = {0};
    struct chain_params p = *chain_params_get(CHAIN_SIGNET);
    cr_assert(hex_decode_append(&script, challenge, strlen(challenge)));
    chain_params_set_signet_challenge(&p, buffer_span(&script));
    make_block(&m, more);
    bool ok = signet_check_solution(&m.block, &p);
    buffer_clear(&m.script);
    buffer_clear(&script);
    return ok;
}

Test(consensus_signet, made_up_solutions)
{
    static const struct {
        const char *challenge, *more;
        bool valid;
    } rows[] = {
        {"51", "", true}, /* OP_TRUE needs no solution */
        {"00", "", false},
        {"", "", false},                 /* an empty stack is no success */
        {"51", "04ecc7daa2", true},      /* the magic alone is no solution either */
        {"51", "06ecc7daa20151", false}, /* ends before the witness */
        {"51", "07ecc7daa2015100", true},
        {"51", "08ecc7daa201510000", false},                  /* a byte too many */
        {"51", "05ecc7daa200", false},                        /* no witness count */
        {"51", "06ecc7daa20000", true},                       /* both empty */
        {"51", "07ecc7daa2fd0000", false},                    /* a length in too long a form */
        {"51", "06ecc7daa200ff", false},                      /* a count that ends early */
        {"51", "08ecc7daa200010100", false},                  /* a witness for an output that takes none */
        {"51", "0aecc7daa200fe00000020", false},              /* more items than bytes */
        {"87", "09ecc7daa20251510051", false},                /* left over again */
        {"87", "08ecc7daa202515100", true},                   /* 1 1 EQUAL */
        {"87", "08ecc7daa202515200", false},                  /* 1 2 EQUAL */
        {"87", "08ecc7daa20251510008ecc7daa202515200", true}, /* only the first counts */
        {"87", "08ecc7daa20251520008ecc7daa202515100", false},
        {"87", "4c08ecc7daa202515100", true},   /* pushed in a longer form */
        {"87", "0008ecc7daa202515100", true},   /* after other instructions */
        {"87", "5108ecc7daa20251510001", true}, /* a broken push after it */
        {"87", "0208ecc7daa202515100", false},  /* within other data */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_assert_eq(solves(rows[i].challenge, rows[i].more), rows[i].valid, "row %zu", i);
    print_count("made-up signet solutions", ARRAY_LEN(rows));
}

/* Without transactions or commitment there is nothing to find a solution in; genesis needs none. */
Test(consensus_signet, no_commitment)
{
    static const uint8_t op_true[] = {0x51};
    struct chain_params p = *chain_params_get(CHAIN_SIGNET);
    chain_params_set_signet_challenge(&p, span_of(op_true, 1));
    struct made_block m;
    make_block(&m, "");
    cr_assert(signet_check_solution(&m.block, &p));
    m.out.script_pubkey.len = 37;
    cr_assert_not(signet_check_solution(&m.block, &p));
    m.block.tx_count = 0;
    cr_assert_not(signet_check_solution(&m.block, &p));
    m.block.hash = p.genesis_hash;
    cr_assert(signet_check_solution(&m.block, &p));
    buffer_clear(&m.script);
    print_count("blocks without a commitment", 4);
}
