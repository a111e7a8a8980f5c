/* Real headers: every one is accepted in its place, and refused with any of its bits changed. */
#include "fixture.h"

#include "consensus/merkle.h"
#include "consensus/pow.h"

enum {
    CONTEXT = MEDIAN_TIME_SPAN, /* made-up predecessors before a run that starts in the middle of a chain */
    BITS_EVERYWHERE = 8,        /* bits changed in every header */
    FULL_STRIDE = 64,           /* in each header of this stride every bit is changed */
};

struct run {
    const struct chain_params *params;
    int32_t start;
    struct header_node *nodes; /* CONTEXT made-up ones first where start > 0 */
    size_t made_up;
    size_t count; /* real ones */
    struct buffer raw;
};

static const struct header_node *run_prev(const struct run *r, size_t i)
{
    size_t at = r->made_up + i;
    return at ? &r->nodes[at - 1] : NULL;
}

/* A run that starts at height N has no ancestors here. Eleven made-up ones stand in, so that the median time exists;
 * the last of them has the hash that the first real header names. Their times are just before the run's first. */
static void make_up_context(struct run *r, const struct block_header *first)
{
    for (size_t i = 0; i < CONTEXT; i++) {
        struct block_header h = {.version = 4, .time = first->time - 7200, .bits = first->bits};
        struct block_hash hash = first->prev;
        if (i + 1 < CONTEXT) memset(hash.bytes, (int)i + 1, 32);
        header_node_link(&r->nodes[i], &h, &hash, i ? &r->nodes[i - 1] : NULL);
        r->nodes[i].height = r->start - CONTEXT + (int32_t)i;
    }
    r->made_up = CONTEXT;
}

/* A retarget needs the whole period before it; where the run does not hold it, the rule about bits cannot be asked. */
static bool context_known(const struct run *r, size_t i)
{
    int32_t interval = retarget_interval(r->params);
    if (r->start == 0) return i > 0;
    return (r->start + (int32_t)i) % interval != 0 || (int32_t)i >= interval;
}

/* Refused by proof of work, by its place in the chain, or by not linking to PREV. */
static bool refused(const struct run *r, size_t i, const struct block_header *h, int64_t now_s)
{
    struct verdict v = {.kind = VERDICT_VALID};
    struct block_hash hash;
    const struct header_node *prev = run_prev(r, i);
    block_header_hash(&hash, h);
    if (!header_check(h, &hash, r->params, &v)) return true;
    if (!prev || !block_hash_equal(&h->prev, &prev->hash)) return true;
    return context_known(r, i) && !header_check_context(h, prev, now_s, r->params, &v);
}

static void accept(struct run *r, size_t i, const struct block_header *h)
{
    struct verdict v = {.kind = VERDICT_VALID};
    struct block_hash hash;
    block_header_hash(&hash, h);
    int32_t height = r->start + (int32_t)i;
    cr_assert(header_check(h, &hash, r->params, &v), "%s %d: %s", r->params->name, height, v.reason);
    const struct header_node *prev = run_prev(r, i);
    if (prev) cr_assert(block_hash_equal(&h->prev, &prev->hash), "%s %d does not link", r->params->name, height);
    int64_t earliest = (int64_t)h->time - MAX_FUTURE_BLOCK_TIME_S;
    if (context_known(r, i)) {
        cr_assert(header_check_context(h, prev, earliest, r->params, &v), "%s %d: %s", r->params->name, height,
                  v.reason);
        cr_assert_not(header_check_context(h, prev, earliest - 1, r->params, &v));
        cr_assert_str_eq(v.reason, "time-too-new");
    }
    header_node_link(&r->nodes[r->made_up + i], h, &hash, prev);
    cr_assert_eq(r->nodes[r->made_up + i].height, height);
    struct u256 before = prev ? prev->chainwork : u256_from_u64(0);
    cr_assert_eq(u256_cmp(r->nodes[r->made_up + i].chainwork, u256_add(before, pow_work(h->bits))), 0);
    struct block_header again;
    header_node_header(&again, &r->nodes[r->made_up + i]);
    uint8_t a[HEADER_BYTES], b[HEADER_BYTES];
    block_header_write(a, h);
    block_header_write(b, &again);
    cr_assert_arr_eq(a, b, HEADER_BYTES, "%s %d changes when read back", r->params->name, height);
}

static struct block_header header_at(const struct run *r, size_t i)
{
    struct reader reader = reader_of(span_of(r->raw.data + i * HEADER_BYTES, HEADER_BYTES));
    struct block_header h;
    block_header_read(&h, &reader);
    return h;
}

static void run_load(struct run *r, const char *name, enum chain_type type, int32_t start)
{
    *r = (struct run){.params = chain_params_get(type), .start = start};
    r->raw = data_read(CAIRN_TEST_DATA, name);
    r->count = r->raw.len / HEADER_BYTES;
    r->nodes = mem_calloc(r->count + CONTEXT, sizeof(*r->nodes));
    struct block_header first = header_at(r, 0);
    if (start > 0) make_up_context(r, &first);
    for (size_t i = 0; i < r->count; i++) {
        struct block_header h = header_at(r, i);
        accept(r, i, &h);
    }
}

static void run_free(struct run *r)
{
    free(r->nodes);
    buffer_clear(&r->raw);
}

static size_t flip_bits(const struct run *r, struct random *random)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        uint8_t *raw = r->raw.data + i * HEADER_BYTES;
        int64_t now_s = header_at(r, i).time;
        bool all = i % FULL_STRIDE == 0;
        unsigned changes = all ? HEADER_BYTES * 8 : BITS_EVERYWHERE;
        for (unsigned c = 0; c < changes; c++) {
            unsigned bit = all ? c : (unsigned)random_below(random, HEADER_BYTES * 8);
            raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct block_header h = header_at(r, i);
            cr_assert(refused(r, i, &h, now_s), "%s %d with bit %u changed", r->params->name, r->start + (int)i, bit);
            raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
            count++;
        }
    }
    return count;
}

Test(consensus_headers, runs)
{
    static const struct {
        const char *name;
        enum chain_type type;
        int32_t start;
    } runs[] = {
        {"headers/mainnet-0-10236.headers.zst", CHAIN_MAIN, 0},
        {"headers/mainnet-586656-589289.headers.zst", CHAIN_MAIN, 586656},
        {"headers/signet-0-2015.headers.zst", CHAIN_SIGNET, 0},
        {"headers/testnet4-141120-143136.headers.zst", CHAIN_TESTNET4, 141120},
    };
    if (!data_present(CAIRN_TEST_DATA, "headers")) return;
    size_t accepted = 0, changed = 0;
    struct random random;
    random_init_u64(&random, 20260101);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        struct run r;
        run_load(&r, runs[i].name, runs[i].type, runs[i].start);
        accepted += r.count;
        changed += flip_bits(&r, &random);
        run_free(&r);
    }
    print_count("headers accepted", accepted);
    print_count("headers with one bit changed, refused", changed);
}

/* testnet4's period of mostly easiest blocks: before BIP94 the next period would have started from the last header. */
Test(consensus_headers, bip94_keeps_the_difficulty)
{
    if (!data_present(CAIRN_TEST_DATA, "headers")) return;
    struct run r;
    run_load(&r, "headers/testnet4-141120-143136.headers.zst", CHAIN_TESTNET4, 141120);
    struct chain_params older = *r.params;
    older.enforce_bip94 = false;
    size_t last = r.count - 1;
    struct block_header h = header_at(&r, last);
    cr_assert_eq(pow_next_bits(run_prev(&r, last), h.time, r.params), h.bits);
    cr_assert_neq(pow_next_bits(run_prev(&r, last), h.time, &older), h.bits);
    size_t easiest = 0;
    for (size_t i = 0; i < r.count; i++) easiest += header_at(&r, i).bits == r.params->pow_limit_bits;
    cr_assert_gt(easiest, 0u);
    /* BIP94's other rule, at the same place. */
    struct verdict v = {.kind = VERDICT_VALID};
    h.time = run_prev(&r, last)->time - MAX_TIMEWARP_S;
    cr_assert(header_check_context(&h, run_prev(&r, last), h.time, r.params, &v), "%s", v.reason);
    h.time--;
    cr_assert_not(header_check_context(&h, run_prev(&r, last), h.time, r.params, &v));
    cr_assert_str_eq(v.reason, "time-timewarp-attack");
    print_count("testnet4 headers at the limit before a BIP94 retarget", easiest);
    run_free(&r);
}

/* Headers of whole blocks: also testnet3's 20-minute rule. */
static size_t check_block_file(const char *name, enum chain_type type, struct header_node *nodes, size_t max)
{
    struct buffer file = data_read(CAIRN_TEST_DATA, name);
    struct reader reader = reader_of(buffer_span(&file));
    struct run r = {.params = chain_params_get(type), .nodes = nodes};
    while (reader_left(&reader) > 0) {
        cr_assert_lt(r.count, max);
        uint8_t magic[4];
        read_bytes(&reader, magic, 4);
        cr_assert_arr_eq(magic, r.params->magic, 4);
        struct block *b = block_parse(read_span(&reader, read_le32(&reader)));
        cr_assert(b);
        accept(&r, r.count, &b->header);
        struct verdict v = {.kind = VERDICT_VALID};
        cr_assert(block_check(b, r.params, 0, &v), "%s %zu: %s", name, r.count, v.reason);
        if (r.count > 0)
            cr_assert(block_check_context(b, &nodes[r.count - 1], r.params, &v), "%s %zu: %s", name, r.count, v.reason);
        else
            cr_assert(span_equal(b->raw, r.params->genesis_raw) && block_hash_equal(&b->hash, &r.params->genesis_hash));
        cr_assert_not(block_is_mutated(b, true));
        block_free(b);
        r.count++;
    }
    buffer_clear(&file);
    return r.count;
}

enum { MOST_BLOCKS = 4001 };

Test(consensus_headers, block_files)
{
    if (!data_present(CAIRN_TEST_DATA, "blocks")) return;
    static const struct {
        const char *name;
        enum chain_type type;
        size_t count;
    } files[] = {
        {"blocks/mainnet-0-599.dat", CHAIN_MAIN, 600},
        {"blocks/mainnet-alt-0-2016.dat", CHAIN_MAIN, 2017},
        {"blocks/testnet3-0-4000.dat", CHAIN_TESTNET3, 4001},
        {"blocks/signet-0-10.dat", CHAIN_SIGNET, 11},
    };
    size_t total = 0;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct header_node *nodes = mem_calloc(MOST_BLOCKS, sizeof(*nodes));
        size_t count = check_block_file(files[i].name, files[i].type, nodes, MOST_BLOCKS);
        cr_assert_eq(count, files[i].count);
        total += count;
        free(nodes);
    }
    print_count("blocks of whole chains, checked in order", total);
}

/* Two testnet3 headers with valid work that leave the chain at heights 1 and 2. */
Test(consensus_headers, testnet3_forks)
{
    if (!data_present(CAIRN_TEST_DATA, "testnet3 forks")) return;
    struct header_node *nodes = mem_calloc(MOST_BLOCKS, sizeof(*nodes));
    check_block_file("blocks/testnet3-0-4000.dat", CHAIN_TESTNET3, nodes, MOST_BLOCKS);
    struct run r = {.params = chain_params_get(CHAIN_TESTNET3)};
    r.raw = data_read(CAIRN_TEST_DATA, "headers/testnet3-fork-1-2.headers.zst");
    struct header_node forks[2];
    for (size_t i = 0; i < 2; i++) {
        struct block_header h = header_at(&r, i);
        const struct header_node *prev = i && block_hash_equal(&h.prev, &forks[0].hash) ? &forks[0] : &nodes[i];
        cr_assert(block_hash_equal(&h.prev, &prev->hash), "fork %zu", i);
        struct block_hash hash;
        block_header_hash(&hash, &h);
        struct verdict v = {.kind = VERDICT_VALID};
        cr_assert(header_check(&h, &hash, r.params, &v) && header_check_context(&h, prev, h.time, r.params, &v), "%s",
                  v.reason);
        header_node_link(&forks[i], &h, &hash, prev);
        cr_assert_eq(forks[i].height, (int32_t)i + 1);
        const struct header_node *fork = header_fork(&forks[i], &nodes[4000]);
        cr_assert(fork == prev || fork == &nodes[0]);
    }
    print_count("testnet3 fork headers", 2);
    buffer_clear(&r.raw);
    free(nodes);
}
