/* The low-work presync beside a naive model that keeps everything, and streams of hostile headers. */
#include "p2p/presync.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/pow.h"
#include "wire/messages.h"

enum { PERIOD = 7, HELD = 60, START_TIME = 1300000000 };

struct stream {
    struct chain_params params;
    struct block_node start;
    struct block_header *headers;
    struct u256 *work; /* of the chain with each */
    size_t count;
    struct random random; /* the node's secret */
};

/* COUNT headers with BITS on a regtest genesis of our own; SALT makes them differ from other ones. */
static void stream_headers(struct stream *s, struct block_header *out, size_t count, uint32_t bits, uint32_t salt)
{
    struct block_hash prev = s->start.header.hash;
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct block_header){.version = 4, .prev = prev, .bits = bits, .nonce = salt};
        out[i].time = START_TIME + 600 * (uint32_t)(i + 1);
        block_header_hash(&prev, &out[i]);
    }
}

static void stream_init(struct stream *s, enum chain_type type, size_t count, uint64_t seed)
{
    *s = (struct stream){.params = *chain_params_get(type), .count = count};
    s->params.headers_commitment_period = PERIOD;
    s->params.headers_redownload_size = HELD;
    struct block_header genesis = {.version = 1, .time = START_TIME, .bits = s->params.pow_limit_bits};
    struct block_hash hash;
    block_header_hash(&hash, &genesis);
    header_node_link(&s->start.header, &genesis, &hash, NULL);
    s->headers = mem_alloc(count * sizeof(*s->headers));
    s->work = mem_alloc(count * sizeof(*s->work));
    stream_headers(s, s->headers, count, genesis.bits, 0);
    struct u256 work = s->start.header.chainwork;
    for (size_t i = 0; i < count; i++) s->work[i] = work = u256_add(work, pow_work(s->headers[i].bits));
    random_init_u64(&s->random, seed);
}

static void stream_free(struct stream *s)
{
    free(s->headers);
    free(s->work);
}

static struct presync *stream_sync(struct stream *s, const struct u256 *minimum)
{
    return presync_new(&s->params, &s->start, minimum, START_TIME + 100000000, &s->random);
}

static struct presync_result feed(struct presync *s, const struct block_header *headers, size_t count, bool full)
{
    struct presync_result r;
    presync_process(s, headers, count, full, &r);
    cr_assert(r.ok || (!r.request_more && !r.count));
    cr_assert_eq(presync_state(s) == PRESYNC_FINAL, !r.request_more);
    return r;
}

/* The header of the stream that the sync asks for next, going by the first hash of its locator. */
static size_t wanted(const struct stream *s, const struct presync *sync)
{
    struct block_hash locator[MAX_LOCATOR], hash;
    size_t count = presync_locator(sync, locator, MAX_LOCATOR);
    cr_assert_geq(count, 2);
    cr_assert(block_hash_equal(&locator[count - 1], &s->start.header.hash));
    if (block_hash_equal(&locator[0], &s->start.header.hash)) return 0;
    for (size_t i = 0; i < s->count; i++) {
        block_header_hash(&hash, &s->headers[i]);
        if (block_hash_equal(&locator[0], &hash)) return i + 1;
    }
    cr_assert_fail("an unknown header is asked for");
    return 0;
}

/* The first pass in messages of at most STEP headers until the work suffices. */
static void run_first_pass(const struct stream *s, struct presync *sync, size_t step)
{
    while (presync_state(sync) == PRESYNC_COUNTING) {
        size_t at = wanted(s, sync);
        size_t n = s->count - at < step ? s->count - at : step;
        cr_assert_gt(n, 0);
        struct presync_result r = feed(sync, s->headers + at, n, true);
        cr_assert(r.ok && r.request_more && !r.count);
        cr_assert_eq(presync_height(sync), (int)(at + n));
        cr_assert_eq(u256_cmp(presync_work(sync), s->work[at + n - 1]), 0);
        cr_assert_eq(presync_time(sync), s->headers[at + n - 1].time);
    }
    cr_assert_eq(presync_state(sync), PRESYNC_REDOWNLOAD);
}

/* What a naive sync that keeps all headers of the second pass would have given out after GIVEN of them. */
static size_t model_released(const struct stream *s, const struct u256 *minimum, size_t given)
{
    if (given && u256_cmp(s->work[given - 1], *minimum) >= 0) return given;
    return given > HELD ? given - HELD : 0;
}

static void check_honest(size_t target, size_t step, uint64_t seed)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 900, seed);
    struct u256 minimum = s.work[target];
    struct presync *sync = stream_sync(&s, &minimum);
    run_first_pass(&s, sync, step);
    cr_assert_eq(wanted(&s, sync), 0);
    size_t given = 0, released = 0;
    while (presync_state(sync) == PRESYNC_REDOWNLOAD) {
        size_t n = s.count - given < step ? s.count - given : step;
        cr_assert_eq(wanted(&s, sync), given);
        struct presync_result r = feed(sync, s.headers + given, n, true);
        cr_assert(r.ok);
        cr_assert_null(r.why);
        given += n;
        cr_assert_eq(released + r.count, model_released(&s, &minimum, given));
        if (r.count) cr_assert_eq(memcmp(r.headers, s.headers + released, r.count * sizeof(*r.headers)), 0);
        released += r.count;
        free(r.headers);
    }
    cr_assert_eq(released, given);
    cr_assert_gt(released, target);
    presync_free(sync);
    stream_free(&s);
}

Test(presync, gives_out_what_a_naive_model_would)
{
    struct random random;
    random_init_u64(&random, 5);
    for (uint64_t seed = 0; seed < 60; seed++)
        check_honest(random_below(&random, 900), 1 + random_below(&random, 300), seed);
    check_honest(899, 900, 1);
    check_honest(0, 1, 2);
}

Test(presync, a_chain_that_ends_with_too_little_work_is_dropped)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 100, 1);
    struct u256 minimum = u256_add(s.work[99], u256_from_u64(1));
    struct presync *sync = stream_sync(&s, &minimum);
    cr_assert(feed(sync, s.headers, 50, true).request_more);
    struct presync_result r = feed(sync, s.headers + 50, 50, false);
    cr_assert(r.ok);
    cr_assert_str_eq(r.why, "incomplete headers message");
    cr_assert_eq(r.height, 100);
    cr_assert_eq(presync_state(sync), PRESYNC_FINAL);
    /* Over is over. */
    cr_assert_not(feed(sync, s.headers, 50, true).ok);
    struct block_hash hash;
    cr_assert_eq(presync_locator(sync, &hash, 1), 0);
    presync_free(sync);
    stream_free(&s);
}

Test(presync, enough_work_in_the_last_message_is_enough)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 100, 1);
    struct presync *sync = stream_sync(&s, &s.work[99]);
    cr_assert(feed(sync, s.headers, 100, false).request_more);
    cr_assert_eq(presync_state(sync), PRESYNC_REDOWNLOAD);
    struct presync_result r = feed(sync, s.headers, 100, false);
    cr_assert(r.ok);
    cr_assert_eq(r.count, 100);
    free(r.headers);
    presync_free(sync);
    stream_free(&s);
}

Test(presync, a_second_pass_that_ends_early_gives_nothing_more)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 200, 1);
    struct presync *sync = stream_sync(&s, &s.work[199]);
    run_first_pass(&s, sync, 200);
    struct presync_result r = feed(sync, s.headers, HELD, false);
    cr_assert(r.ok);
    cr_assert_eq(r.count, 0);
    cr_assert_str_eq(r.why, "incomplete headers message");
    cr_assert_eq(presync_state(sync), PRESYNC_FINAL);
    presync_free(sync);
    stream_free(&s);
}

Test(presync, messages_that_do_not_continue_end_it)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 200, 1);
    struct presync *sync = stream_sync(&s, &s.work[199]);
    cr_assert(feed(sync, s.headers, 50, true).ok);
    struct presync_result r = feed(sync, s.headers + 51, 50, true);
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.why, "non-continuous headers");
    presync_free(sync);
    sync = stream_sync(&s, &s.work[199]);
    run_first_pass(&s, sync, 200);
    cr_assert(feed(sync, s.headers, 50, true).ok);
    r = feed(sync, s.headers + 49, 50, true);
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.why, "non-continuous headers");
    presync_free(sync);
    stream_free(&s);
}

/* Mainnet: the target may change at every 2016th header only, and there by a factor of four. */
Test(presync, a_jump_of_difficulty_ends_it)
{
    struct stream s;
    struct block_header forged[100];
    stream_init(&s, CHAIN_MAIN, 100, 1);
    struct presync *sync = stream_sync(&s, &s.work[99]);
    memcpy(forged, s.headers, sizeof(forged));
    forged[99].bits = 0x1c00ffff;
    struct presync_result r = feed(sync, forged, 100, true);
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.why, "invalid difficulty transition");
    cr_assert_eq(r.height, 100);
    presync_free(sync);
    sync = stream_sync(&s, &s.work[99]);
    run_first_pass(&s, sync, 100);
    r = feed(sync, forged, 100, true);
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.why, "invalid difficulty transition");
    presync_free(sync);
    stream_free(&s);
}

/* More than six blocks a second since the start cannot be: the first pass keeps no more bits than that. */
Test(presync, no_chain_is_too_long_for_its_memory)
{
    struct stream s;
    enum { SECONDS = 100, MOST = 6 * (SECONDS + MAX_FUTURE_BLOCK_TIME_S) / PERIOD };
    stream_init(&s, CHAIN_REGTEST, (MOST + 2) * PERIOD, 1);
    struct u256 minimum = u256_add(s.work[s.count - 1], u256_from_u64(1));
    struct presync *sync = presync_new(&s.params, &s.start, &minimum, START_TIME + SECONDS, &s.random);
    size_t empty = presync_memory(sync);
    cr_assert_eq(presync_max_commitments(sync), MOST);
    struct presync_result r = {.ok = true};
    for (size_t at = 0; at < s.count && r.ok; at += 1000) {
        r = feed(sync, s.headers + at, s.count - at < 1000 ? s.count - at : 1000, true);
        cr_assert_leq(presync_memory(sync), empty + MOST / 8 + 4096);
    }
    cr_assert_not(r.ok);
    cr_assert_str_eq(r.why, "exceeded max commitments");
    cr_assert_gt(r.height, MOST * PERIOD);
    cr_assert_leq(r.height, (MOST + 1) * PERIOD);
    cr_assert_eq(presync_memory(sync), empty, "nothing is kept after the end");
    presync_free(sync);
    /* A clock before the start's: no room at all. */
    sync = presync_new(&s.params, &s.start, &minimum, START_TIME - 100000, &s.random);
    cr_assert_eq(presync_max_commitments(sync), 0);
    cr_assert_not(feed(sync, s.headers, 100, true).ok);
    presync_free(sync);
    stream_free(&s);
}

/* The second pass holds back no more than it must. */
Test(presync, the_second_pass_is_bounded)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 9000, 1);
    struct presync *sync = stream_sync(&s, &s.work[8999]);
    size_t empty = presync_memory(sync);
    run_first_pass(&s, sync, MAX_HEADERS);
    for (size_t at = 0; presync_state(sync) == PRESYNC_REDOWNLOAD; at += 1000) {
        struct presync_result r = feed(sync, s.headers + at, 1000, true);
        cr_assert(r.ok);
        free(r.headers);
        cr_assert_leq(presync_memory(sync), empty + 4096 + 48 * (HELD + MAX_HEADERS));
    }
    presync_free(sync);
    stream_free(&s);
}

/* One chain is shown, another one sent: none of it comes through, and where it is found out depends on the secret. */
Test(presync, another_chain_in_the_second_pass_is_found_out)
{
    struct stream s;
    struct block_header *other = mem_alloc(600 * sizeof(*other));
    unsigned at_rest[PERIOD] = {0}, mismatches = 0;
    stream_init(&s, CHAIN_REGTEST, 600, 1);
    stream_headers(&s, other, 600, s.headers[0].bits, 1);
    for (uint64_t seed = 0; seed < 200; seed++) {
        random_init_u64(&s.random, seed);
        struct presync *sync = stream_sync(&s, &s.work[599]);
        run_first_pass(&s, sync, 600);
        struct presync_result r = feed(sync, other, 599, true);
        /* Eight to nine bits are compared before the first one of 60 held back would go: one in 256 comes so far. */
        if (!r.ok) {
            cr_assert_str_eq(r.why, "commitment mismatch");
            at_rest[r.height % PERIOD]++;
            mismatches++;
        }
        free(r.headers);
        presync_free(sync);
    }
    cr_assert_eq(mismatches, 200);
    for (size_t i = 0; i < PERIOD; i++) cr_assert_gt(at_rest[i], 5, "no commitment at heights with rest %zu", i);
    free(other);
    stream_free(&s);
}

/* A longer chain with less work in it: after the last bit, what is left unproven does not come through. */
Test(presync, commitments_run_out_where_the_second_chain_is_longer)
{
    struct stream s;
    stream_init(&s, CHAIN_REGTEST, 800, 1);
    /* The same headers with the work of a quarter: the second pass needs more of them than the first saw. */
    struct presync *sync = stream_sync(&s, &s.work[399]);
    struct block_header *strong = mem_dup(s.headers, 400 * sizeof(*strong));
    struct block_hash prev = s.start.header.hash;
    for (size_t i = 0; i < 100; i++) {
        strong[i].prev = prev;
        strong[i].bits = 0x2003ffff; /* with 32 times the work */
        block_header_hash(&prev, &strong[i]);
    }
    cr_assert(feed(sync, strong, 100, true).ok);
    cr_assert_eq(presync_state(sync), PRESYNC_REDOWNLOAD);
    struct presync_result r = feed(sync, s.headers, 300, true);
    cr_assert_not(r.ok);
    cr_assert(!strcmp(r.why, "commitment overrun") || !strcmp(r.why, "commitment mismatch"));
    cr_assert_leq(r.height, 100 + PERIOD);
    presync_free(sync);
    free(strong);
    stream_free(&s);
}
