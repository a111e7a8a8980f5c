/* The low-work presync alone: headers of three chains that part, in any order, cut and damaged, in messages that are
 * full or not. What it gives out must be one chain from the start, held back as deep as it should be and only after the
 * work was counted; memory stays bounded; an honest peer always comes to its end with every header. */
#include "p2p/presync.h"

#include <stdlib.h>

#include "base/check.h"
#include "consensus/pow.h"
#include "wire/messages.h"

enum { CHAINS = 3, LENGTH = 700, START_TIME = 1300000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct chains {
    struct block_node start;
    struct block_header headers[CHAINS][LENGTH];
    struct block_hash hashes[CHAINS][LENGTH];
};

/* Chains 1 and 2 are chain 0 up to here. */
static const int parts[CHAINS] = {LENGTH, 40, 333};

static const struct chains *chains(const struct chain_params *p)
{
    static struct chains c;
    if (c.headers[0][0].time) return &c;
    struct block_header first = {.version = 1, .time = START_TIME, .bits = p->pow_limit_bits};
    struct block_hash hash;
    block_header_hash(&hash, &first);
    header_node_link(&c.start.header, &first, &hash, NULL);
    for (int chain = 0; chain < CHAINS; chain++) {
        struct block_hash prev = hash;
        for (int i = 0; i < LENGTH; i++) {
            struct block_header *h = &c.headers[chain][i];
            *h = (struct block_header){.version = 4, .prev = prev, .bits = p->pow_limit_bits};
            h->nonce = i < parts[chain] ? 0 : (uint32_t)chain;
            h->time = START_TIME + 600 * (uint32_t)(i + 1);
            block_header_hash(&prev, h);
            c.hashes[chain][i] = prev;
        }
    }
    return &c;
}

struct run {
    struct reader in;
    const struct chains *c;
    struct chain_params params;
    struct presync *s;
    struct u256 minimum;
    bool honest;             /* so far the peer was */
    struct block_hash given; /* the last header that was given out */
    struct u256 given_work;
    size_t given_count;
};

static uint8_t next(struct run *r)
{
    return reader_left(&r->in) ? read_u8(&r->in) : 0;
}

/* Index of the header that an honest peer with CHAIN sends next. */
static int wanted(const struct run *r, int chain)
{
    struct block_hash locator[MAX_LOCATOR];
    size_t count = presync_locator(r->s, locator, MAX_LOCATOR);
    CHECK(count <= MAX_LOCATOR && (count > 0 || presync_state(r->s) == PRESYNC_FINAL));
    for (size_t k = 0; k < count; k++)
        for (int i = 0; i < LENGTH; i++)
            if (block_hash_equal(&locator[k], &r->c->hashes[chain][i])) return i + 1;
    return 0;
}

static void check_given(struct run *r, const struct presync_result *out, enum presync_state before)
{
    CHECK(out->ok || out->count == 0);
    CHECK(out->count == 0 || before == PRESYNC_REDOWNLOAD);
    for (size_t i = 0; i < out->count; i++) {
        CHECK(block_hash_equal(&out->headers[i].prev, &r->given));
        block_header_hash(&r->given, &out->headers[i]);
        r->given_work = u256_add(r->given_work, pow_work(out->headers[i].bits));
        if (r->honest) CHECK(block_hash_equal(&r->given, &r->c->hashes[0][r->given_count]));
        r->given_count++;
    }
}

/* Says COUNT headers; false once the sync is over. */
static bool say(struct run *r, const struct block_header *headers, size_t count, bool full)
{
    struct presync_result out;
    enum presync_state before = presync_state(r->s), after;
    int32_t height = presync_height(r->s);
    presync_process(r->s, headers, count, full, &out);
    after = presync_state(r->s);
    check_given(r, &out, before);
    CHECK(after >= before && presync_height(r->s) >= height);
    CHECK(out.why == NULL || after == PRESYNC_FINAL);
    CHECK(!out.request_more || after != PRESYNC_FINAL);
    if (after == PRESYNC_REDOWNLOAD) CHECK(u256_cmp(presync_work(r->s), r->minimum) >= 0);
    size_t most = ((size_t)r->params.headers_redownload_size + MAX_HEADERS) * 48 + LENGTH / 8 + 8192;
    CHECK(presync_memory(r->s) <= most);
    if (r->honest && count) CHECK(out.ok && !out.why);
    if (r->honest && after == PRESYNC_FINAL) CHECK(u256_cmp(r->given_work, r->minimum) >= 0);
    free(out.headers);
    return after != PRESYNC_FINAL;
}

/* One message; the byte HOW says of what kind. */
static bool message(struct run *r)
{
    struct block_header headers[LENGTH];
    uint8_t how = next(r);
    int chain = how % 4 % CHAINS, from = wanted(r, chain), count = 1 + next(r) * (how & 4 ? 1 : 5);
    if (how & 64) from += (int8_t)next(r);
    if (from < 0) from = 0;
    if (from > LENGTH) from = LENGTH;
    if (count > LENGTH - from) count = LENGTH - from;
    memcpy(headers, r->c->headers[chain] + from, (size_t)count * sizeof(headers[0]));
    bool full = from + count < LENGTH;
    if (how & 16) full = !full;
    r->honest = r->honest && chain == 0 && !(how & (16 | 32 | 64)) && from < LENGTH;
    if (how & 32 && count) {
        struct block_header *h = &headers[next(r) * 3 % count];
        uint8_t what = next(r);
        if (what < 64)
            h->nonce ^= what;
        else if (what < 128)
            h->bits ^= what;
        else
            h->prev.bytes[what % 32] ^= what;
    }
    return say(r, headers, (size_t)count, full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum chain_type types[] = {CHAIN_REGTEST, CHAIN_MAIN, CHAIN_TESTNET4};
    struct run r = {.in = reader_of(span_of(data, size)), .honest = true};
    struct random random;
    r.params = *chain_params_get(types[next(&r) % ARRAY_LEN(types)]);
    r.c = chains(chain_params_get(CHAIN_REGTEST));
    r.params.headers_commitment_period = 1 + next(&r) % 40;
    r.params.headers_redownload_size = next(&r);
    r.given = r.c->start.header.hash;
    r.given_work = r.c->start.header.chainwork;
    struct u256 each = pow_work(r.c->headers[0][0].bits);
    r.minimum = r.given_work;
    for (unsigned headers = 1 + next(&r) * 2u; headers > 0; headers--) r.minimum = u256_add(r.minimum, each);
    uint8_t age = next(&r);
    /* A clock that is too far behind for the chain leaves no room for its commitments. */
    int64_t now_s = START_TIME + (age < 8 ? age * INT64_C(50) : INT64_C(100000000));
    if (age < 8) r.honest = false;
    random_init_u64(&random, next(&r));
    r.s = presync_new(&r.params, &r.c->start, &r.minimum, now_s, &random);
    while (reader_left(&r.in) && message(&r)) continue;
    if (presync_state(r.s) == PRESYNC_FINAL) {
        CHECK(!presync_locator(r.s, (struct block_hash[1]){0}, 1));
        r.honest = false;
        CHECK(!say(&r, r.c->headers[0], 5, true));
    }
    presync_free(r.s);
    return 0;
}
