/* Worlds of whole nodes: that a seed is a run, the theft as the merchant's own node tells it, partitions, eclipses,
 * majorities, what operators can do, and that coins and hashes come out right in the end. */
#include "lab/world.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "base/hex.h"
#include "lab/world_internal.h"

#define HOUR_US (3600 * INT64_C(1000000))

/* ---- helpers ---- */

static struct lab_setup setup_of(const char *const *pairs)
{
    struct lab_setup s = lab_setup_default();
    struct error e;
    for (; *pairs; pairs += 2)
        cr_assert(!lab_setup_set(&s, span_str(pairs[0]), span_str(pairs[1]), &e), "%s: %s", pairs[0], e.text);
    cr_assert(!lab_setup_check(&s, &e), "%s", e.text);
    return s;
}

#define SETUP(...) setup_of((const char *const[]){__VA_ARGS__, NULL})

static struct lab_world *world_of(struct lab_setup s)
{
    return lab_world_new(&s, "test");
}

static void order(struct lab_world *w, const char *line)
{
    struct lab_command c;
    struct error e;
    cr_assert(!lab_command_parse(&c, span_str(line), &e), "%s: %s", line, e.text);
    cr_assert(!lab_world_command(w, &c, &e), "%s: %s", line, e.text);
}

static void order_refused(struct lab_world *w, const char *line)
{
    struct lab_command c;
    struct error e;
    size_t before, after;
    uint8_t hash[2][32];
    lab_world_events(w, &before);
    lab_world_log_hash(w, hash[0]);
    cr_assert(!lab_command_parse(&c, span_str(line), &e));
    cr_assert_eq(lab_world_command(w, &c, &e), RESULT_INVALID, "%s was not refused", line);
    cr_assert(e.text[0]);
    lab_world_events(w, &after);
    lab_world_log_hash(w, hash[1]);
    cr_assert_eq(before, after);
    cr_assert_arr_eq(hash[0], hash[1], 32);
}

/* Until the first event of this kind (with this text, if given) after the FROM-th; its index. */
static size_t run_until(struct lab_world *w, size_t from, enum lab_event_kind kind, const char *text)
{
    for (;;) {
        size_t count;
        const struct lab_event *list = lab_world_events(w, &count);
        for (; from < count; from++)
            if (list[from].kind == kind && (!text || !strcmp(list[from].text, text))) return from;
        cr_assert(lab_world_step(w) || lab_world_events(w, &count) == NULL || from < count, "it ended before %s %s",
                  lab_event_name(kind), text ? text : "");
    }
}

static size_t count_events(struct lab_world *w, enum lab_event_kind kind, const char *text)
{
    size_t count, found = 0;
    const struct lab_event *list = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) found += list[i].kind == kind && (!text || !strcmp(list[i].text, text));
    return found;
}

static const struct lab_event *event_at(struct lab_world *w, size_t i)
{
    size_t count;
    const struct lab_event *list = lab_world_events(w, &count);
    cr_assert_lt(i, count);
    return &list[i];
}

static void settle_and_free(struct lab_world *w)
{
    uint8_t tip[32], coins[32];
    struct error e = {0};
    bool ok = lab_world_settle(w, tip, coins, &e);
    cr_assert(ok, "%s", e.text);
    cr_assert_null(lab_world_failure(w), "%s", lab_world_failure(w));
    lab_world_free(w);
}

static void hash_text(char out[65], const uint8_t hash[32])
{
    hex_encode_reversed(out, hash, 32);
}

/* ---- one seed, one run ---- */

Test(world, the_same_seed_is_the_same_run)
{
    uint8_t hash[3][32];
    for (unsigned i = 0; i < 3; i++) {
        struct lab_world *w =
            world_of(SETUP("honest", "2", "q", "40%", "pay", "10m", "strategy", "double", "seed", i < 2 ? "7" : "8"));
        order(w, "attack");
        cr_assert(lab_world_run(w, 6 * HOUR_US, 0) || lab_world_is_over(w));
        lab_world_log_hash(w, hash[i]);
        lab_world_free(w);
    }
    cr_assert_arr_eq(hash[0], hash[1], 32);
    cr_assert_arr_neq(hash[0], hash[2], 32);
}

/* Stepping, or running in slices, makes no difference. */
Test(world, slices_make_no_difference)
{
    uint8_t hash[2][32];
    for (unsigned i = 0; i < 2; i++) {
        struct lab_world *w = world_of(SETUP("honest", "2", "seed", "3"));
        if (i)
            for (int64_t t = 0; t < 5 * HOUR_US; t += HOUR_US / 7) lab_world_run(w, t, 0);
        lab_world_run(w, 5 * HOUR_US, 0);
        lab_world_log_hash(w, hash[i]);
        cr_assert_eq(lab_world_now_us(w), 5 * HOUR_US);
        lab_world_free(w);
    }
    cr_assert_arr_eq(hash[0], hash[1], 32);
}

/* ---- the theft ---- */

static json_t *ask(struct lab_world *w, uint32_t node, const char *request)
{
    struct buffer out = {0};
    json_error_t error;
    int status = lab_world_rpc(w, node, span_str(request), &out);
    cr_assert(status == 200 || status == 500, "status %d", status);
    json_t *root = json_loadb((const char *)out.data, out.len, 0, &error);
    cr_assert_not_null(root);
    buffer_clear(&out);
    return root;
}

static bool accepts(struct lab_world *w, const char *hex)
{
    char *request = NULL;
    cr_assert_gt(asprintf(&request, "{\"method\":\"testmempoolaccept\",\"params\":[[\"%s\"]]}", hex), 0);
    json_t *root = ask(w, 0, request);
    json_t *first = json_array_get(json_object_get(root, "result"), 0);
    bool allowed = json_is_true(json_object_get(first, "allowed"));
    json_decref(root);
    free(request);
    return allowed;
}

static char *raw_of(struct lab_world *w, uint32_t node, const char *txid)
{
    char request[160];
    snprintf(request, sizeof(request), "{\"method\":\"getrawtransaction\",\"params\":[\"%s\"]}", txid);
    json_t *root = ask(w, node, request);
    const char *hex = json_string_value(json_object_get(root, "result"));
    cr_assert_not_null(hex);
    char *out = strdup(hex);
    json_decref(root);
    return out;
}

/* Both transactions alone are as good as any; they spend one outpoint. */
static void check_both_valid(struct lab_world *w, const char *pay, const char *back)
{
    struct lab_world *other = world_of(SETUP("honest", "1", "q", "10%"));
    char *a = raw_of(w, w->merchant, pay), *b = raw_of(w, w->hideout, back);
    cr_assert(accepts(other, a));
    cr_assert(accepts(other, b));
    cr_assert(!accepts(w, b), "an honest node that has the payment takes the other one, too");
    cr_assert_arr_eq(a + 12, b + 12, 72, "they spend different outpoints");
    free(a);
    free(b);
    lab_world_free(other);
}

/* Confirmations 0, 1, ... in the merchant's book, then delivered, then lost. */
static void check_book(struct lab_world *w, unsigned z)
{
    size_t count;
    int64_t seen = 0;
    bool delivered = false, lost = false;
    const struct lab_event *list = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != LAB_EVENT_LEDGER || list[i].a != 0) continue;
        if (!strcmp(list[i].text, "lost")) {
            lost = true;
            continue;
        }
        cr_assert_eq(list[i].b, ++seen);
        delivered |= !strcmp(list[i].text, "delivered");
        cr_assert_eq(delivered, seen >= z);
    }
    cr_assert(delivered && lost);
}

static void check_after_theft(struct lab_world *w, const char *pay, const char *back, unsigned depth)
{
    char request[200];
    snprintf(request, sizeof(request), "{\"method\":\"gettxout\",\"params\":[\"%s\",0]}", pay);
    json_t *root = ask(w, w->merchant, request);
    cr_assert(json_is_null(json_object_get(root, "result")));
    json_decref(root);
    root = ask(w, w->merchant, "{\"method\":\"getreorgs\",\"params\":[1]}");
    json_t *reorg = json_array_get(json_object_get(root, "result"), 0), *tx;
    size_t i;
    bool named = false;
    cr_assert_eq(json_integer_value(json_object_get(reorg, "depth")), depth);
    json_array_foreach(json_object_get(reorg, "txs"), i, tx)
    {
        const char *id = json_string_value(json_object_get(tx, "txid"));
        const char *conflict = json_string_value(json_object_get(tx, "conflict"));
        if (!strcmp(id, pay)) named = conflict && !strcmp(conflict, back);
    }
    cr_assert(named, "getreorgs does not name the conflicting transaction");
    json_decref(root);
    root = ask(w, w->merchant, "{\"method\":\"getchaintips\",\"params\":[]}");
    bool fork = false;
    json_array_foreach(json_object_get(root, "result"), i, tx) fork |=
        !strcmp(json_string_value(json_object_get(tx, "status")), "valid-fork") &&
        json_integer_value(json_object_get(tx, "branchlen")) == (json_int_t)depth;
    cr_assert(fork, "getchaintips has no valid-fork of %u blocks", depth);
    json_decref(root);
}

Test(world, a_really_signed_theft)
{
    char pay[65], back[65];
    struct lab_world *w = world_of(
        SETUP("honest", "2", "q", "60%", "confirmations", "2", "pay", "4m", "strategy", "double", "seed", "2"));
    order(w, "attack");
    size_t i = run_until(w, 0, LAB_EVENT_CONFLICT, NULL);
    hash_text(pay, lab_world_order(w, 0)->txid);
    memcpy(back, event_at(w, i)->text, sizeof(back));
    check_both_valid(w, pay, back);
    run_until(w, 0, LAB_EVENT_ATTACK, "won");
    struct lab_outcome o = lab_world_outcome(w);
    cr_assert(o.over && o.stolen);
    cr_assert_eq(lab_world_order(w, 0)->state, LAB_ORDER_LOST);
    hash_text(pay, lab_world_order(w, 0)->txid);
    char named[65];
    hash_text(named, lab_world_order(w, 0)->conflict);
    cr_assert_str_eq(named, back);
    check_book(w, 2);
    check_after_theft(w, pay, back, o.depth);
    while (lab_world_step(w)) continue;
    /* What was thrown out and does not conflict is in a block again, soon. */
    cr_assert_eq(w->missing_count, 0);
    size_t count;
    const struct lab_event *list = lab_world_events(w, &count);
    for (size_t k = 0; k < count; k++)
        if (list[k].kind == LAB_EVENT_RETURNED) cr_assert_leq(list[k].a, 2, "%lld blocks", (long long)list[k].a);
    settle_and_free(w);
}

/* Payments of the losing half go back to the pool, and into blocks again. Returns how many. */
static size_t heal_with_payments(const char *seed)
{
    struct lab_world *w = world_of(SETUP("honest", "4", "pay", "2m", "seed", seed));
    lab_world_run(w, HOUR_US / 6, 0);
    order(w, "partition");
    lab_world_run(w, 3 * HOUR_US, 0);
    order(w, "heal");
    lab_world_run(w, 6 * HOUR_US, 0);
    size_t count, dropped = 0, returned = count_events(w, LAB_EVENT_RETURNED, NULL);
    const struct lab_event *list = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != LAB_EVENT_DROPPED) continue;
        cr_assert_eq(list[i].a, 0, "nobody spent anything twice");
        dropped++;
    }
    cr_assert_eq(returned, dropped);
    settle_and_free(w);
    return dropped;
}

Test(world, what_does_not_conflict_comes_back)
{
    static const char *const seeds[] = {"1", "2", "3", "4"};
    size_t dropped = 0;
    for (size_t i = 0; i < 4; i++) dropped += heal_with_payments(seeds[i]);
    cr_assert_gt(dropped, 3);
}

/* The depth of the losing side is what it mined. */
Test(world, a_partition_heals)
{
    struct lab_world *w = world_of(SETUP("honest", "4", "seed", "11"));
    order(w, "partition");
    lab_world_run(w, 4 * HOUR_US, 0);
    struct sim_block *a = lab_tip_of(w, 0), *b = lab_tip_of(w, 3);
    cr_assert_neq(a, b);
    struct sim_block *loser = a->height < b->height ? a : b;
    cr_assert_neq(a->height, b->height, "take a seed without a tie");
    int mined = loser->height - w->base_height;
    size_t mark;
    lab_world_events(w, &mark);
    order(w, "heal");
    lab_world_run(w, 6 * HOUR_US, 0);
    size_t reorg = run_until(w, mark, LAB_EVENT_REORG, NULL);
    cr_assert_geq(event_at(w, reorg)->a, mined);
    cr_assert_eq(lab_tip_of(w, 0), lab_tip_of(w, 3));
    settle_and_free(w);
}

/* ---- an attacker who gives up ---- */

Test(world, patience_and_budget)
{
    struct lab_world *w = world_of(
        SETUP("honest", "1", "q", "10%", "confirmations", "1", "patience", "2", "strategy", "double", "seed", "1"));
    order(w, "attack");
    run_until(w, 0, LAB_EVENT_ATTACK, "gave up");
    struct lab_outcome o = lab_world_outcome(w);
    cr_assert(o.over && !o.stolen);
    cr_assert_geq(o.honest_blocks, o.attacker_blocks + 2);
    while (lab_world_step(w)) continue;
    cr_assert_str_eq(event_at(w, run_until(w, 0, LAB_EVENT_END, NULL))->text, "gave up");
    settle_and_free(w);

    w = world_of(SETUP("honest", "1", "q", "10%", "confirmations", "6", "budget", "4", "strategy", "double"));
    order(w, "attack");
    run_until(w, 0, LAB_EVENT_ATTACK, "out of blocks");
    o = lab_world_outcome(w);
    cr_assert_eq(o.honest_blocks + o.attacker_blocks, 4);
    settle_and_free(w);
}

Test(world, a_block_in_hand)
{
    struct lab_world *w =
        world_of(SETUP("honest", "1", "q", "10%", "confirmations", "1", "premine", "1", "strategy", "double"));
    order(w, "attack");
    cr_assert_eq(lab_tip_of(w, w->hideout)->height, w->base_height + 1);
    cr_assert_eq(lab_world_outcome(w).attacker_blocks, 0);
    settle_and_free(w);
}

/* ---- majorities ---- */

static unsigned blocks_by_honest(struct lab_world *w)
{
    unsigned honest = 0;
    for (struct sim_block *b = lab_public_tip(w); lab_block_id(w, b); b = b->parent)
        honest += !w->facts[lab_block_id(w, b)].attacker;
    return honest;
}

Test(world, a_majority_takes_all)
{
    struct lab_world *w = world_of(SETUP("honest", "2", "q", "80%", "confirmations", "2", "seed", "5"));
    lab_world_run(w, HOUR_US, 0);
    order(w, "attack takeover");
    lab_world_run(w, 20 * HOUR_US, 0);
    run_until(w, 0, LAB_EVENT_ATTACK, "publishes");
    lab_world_run(w, 21 * HOUR_US, 0);
    /* Nobody else's block since the fork is in the chain, but for the last ones that are not yet replaced. */
    unsigned honest = 0;
    for (struct sim_block *b = lab_tip_of(w, w->hideout); b->height > w->attack.fork->height; b = b->parent)
        honest += !w->facts[lab_block_id(w, b)].attacker;
    cr_assert_eq(honest, 0);
    settle_and_free(w);
}

Test(world, a_majority_censors)
{
    struct lab_world *w = world_of(SETUP("honest", "2", "q", "85%", "pay", "20m", "seed", "6"));
    order(w, "attack censor");
    lab_world_run(w, 24 * HOUR_US, 0);
    cr_assert_gt(blocks_by_honest(w), 5, "blocks that do not pay the merchant are left alone");
    order(w, "pay 1");
    lab_world_run(w, 48 * HOUR_US, 0);
    cr_assert_lt(lab_world_order(w, 0)->confirmations, 6);
    cr_assert_neq(lab_world_order(w, 0)->state, LAB_ORDER_DELIVERED);
    /* When it leaves the payment gets through. */
    order(w, "leave");
    run_until(w, 0, LAB_EVENT_LEDGER, "delivered");
    settle_and_free(w);
}

Test(world, empty_blocks)
{
    struct lab_world *w = world_of(SETUP("honest", "2", "q", "75%", "pay", "10m", "seed", "5"));
    order(w, "attack empty");
    lab_world_run(w, 12 * HOUR_US, 0);
    for (size_t i = 1; i < lab_world_block_count(w); i++) {
        struct lab_block b = lab_world_block(w, (uint32_t)i);
        if (b.attacker) cr_assert_eq(b.txs, 0);
    }
    settle_and_free(w);
}

/* What a share of 45% gets of the chain by keeping blocks back is more than its share. */
Test(world, selfish_mining_pays)
{
    struct lab_world *w = world_of(SETUP("honest", "4", "merchant", "no", "q", "45%", "gamma", "100%", "seed", "9",
                                         "strategy", "selfish", "latency", "200ms"));
    order(w, "attack");
    lab_world_run(w, 100 * HOUR_US, 0);
    struct sim_block *tip = lab_public_tip(w);
    unsigned all = (unsigned)(tip->height - w->base_height), honest = blocks_by_honest(w);
    cr_assert_gt((all - honest) * 100, all * 50, "%u of %u blocks are honest", honest, all);
    cr_assert_lt(all, w->outcome.honest_blocks + w->outcome.attacker_blocks);
    settle_and_free(w);
}

/* ---- the eclipse ---- */

Test(world, an_eclipsed_merchant_is_always_robbed)
{
    for (unsigned seed = 1; seed <= 3; seed++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", seed);
        struct lab_world *w = world_of(SETUP("honest", "2", "q", "10%", "confirmations", "2", "eclipsed", "yes", "seed",
                                             text, "strategy", "double", "alarm-minutes", "60"));
        lab_world_run(w, 2 * HOUR_US, 0); /* until then it sees what all see */
        cr_assert_gt(lab_tip_of(w, w->merchant)->height, w->base_height + 3);
        order(w, "attack");
        run_until(w, 0, LAB_EVENT_ATTACK, "won");
        cr_assert(lab_world_outcome(w).stolen);
        while (lab_world_step(w)) continue;
        settle_and_free(w);
    }
}

/* One connection to an honest node is enough: the race is the usual one. */
Test(world, one_honest_link_is_enough)
{
    struct lab_world *w = world_of(SETUP("honest", "2", "q", "5%", "confirmations", "3", "eclipsed", "yes",
                                         "honest-link", "yes", "seed", "2", "strategy", "double", "patience", "4"));
    order(w, "attack");
    run_until(w, 0, LAB_EVENT_ATTACK, "gave up");
    cr_assert_eq(lab_world_order(w, 0)->state, LAB_ORDER_DELIVERED);
    cr_assert_eq(lab_tip_of(w, w->merchant), lab_tip_of(w, 0));
    lab_world_free(w);
}

/* ---- defence ---- */

Test(world, operators_call_a_branch_invalid)
{
    struct lab_world *w = world_of(
        SETUP("honest", "2", "q", "45%", "confirmations", "2", "strategy", "double", "seed", "3", "reorg-alarm", "1"));
    order(w, "attack");
    run_until(w, 0, LAB_EVENT_ATTACK, "won");
    cr_assert_gt(count_events(w, LAB_EVENT_ALARM, "reorganisation"), 0);
    order(w, "leave");
    order(w, "invalidate");
    for (struct sim_block *b = lab_tip_of(w, w->merchant); lab_block_id(w, b); b = b->parent)
        cr_assert(!w->facts[lab_block_id(w, b)].was_secret);
    cr_assert_neq(lab_tip_of(w, w->merchant), lab_tip_of(w, w->outlet));
    order(w, "reconsider");
    cr_assert_eq(lab_tip_of(w, w->merchant)->height, lab_tip_of(w, w->outlet)->height);
    order_refused(w, "reconsider");
    settle_and_free(w);
}

/* A limit of depth stops the theft; and a longer partition than that never heals. */
Test(world, a_limit_of_depth_and_its_price)
{
    struct lab_world *w = world_of(SETUP("honest", "4", "max-reorg", "2", "seed", "11"));
    order(w, "partition");
    lab_world_run(w, 5 * HOUR_US, 0);
    order(w, "heal");
    lab_world_run(w, 24 * HOUR_US, 0);
    cr_assert_neq(lab_tip_of(w, 0), lab_tip_of(w, 3), "two histories for ever");
    cr_assert_gt(lab_tip_of(w, 0)->height, w->base_height + 10);
    lab_world_free(w);
}

/* ---- orders that make no sense ---- */

Test(world, what_makes_no_sense_is_refused)
{
    struct lab_world *w = world_of(SETUP("honest", "1", "merchant", "no"));
    order_refused(w, "attack double");
    order_refused(w, "leave");
    order_refused(w, "give-up");
    order_refused(w, "publish");
    order_refused(w, "partition");
    order_refused(w, "pay 1");
    order_refused(w, "invalidate");
    order_refused(w, "power 30%");
    order(w, "end");
    cr_assert(lab_world_is_over(w));
    order_refused(w, "heal");
    lab_world_free(w);
}

Test(world, hash_power_comes_and_goes)
{
    struct lab_world *w = world_of(SETUP("honest", "2", "q", "20%", "seed", "6"));
    lab_world_run(w, 30 * HOUR_US, 0);
    int before = lab_public_tip(w)->height - w->base_height;
    order(w, "miners 10");
    lab_world_run(w, 60 * HOUR_US, 0);
    int after = lab_public_tip(w)->height - w->base_height - before;
    cr_assert_gt(after, before * 2, "%d blocks, then %d", before, after);
    order(w, "power 0%");
    lab_world_run(w, 61 * HOUR_US, 0);
    settle_and_free(w);
}

/* The merchant's clock warns at the minute, and not when blocks come in time. */
Test(world, the_clock_warns)
{
    struct lab_world *w = world_of(
        SETUP("honest", "1", "seed", "1", "alarm-minutes", "25", "alarm-span-minutes", "20", "confirmations", "4"));
    order(w, "pay 2");
    size_t i = run_until(w, 0, LAB_EVENT_ALARM, "slow confirmations");
    cr_assert_eq(event_at(w, i)->at_us, HOUR_US / 3);
    cr_assert_eq(event_at(w, i)->a, 20);
    lab_world_run(w, 20 * HOUR_US, 0);
    size_t count, alarms = 0;
    int64_t last_block = 0;
    const struct lab_event *list = lab_world_events(w, &count);
    for (size_t k = 0; k < count; k++) {
        if (list[k].kind == LAB_EVENT_TIP && list[k].node == w->merchant) last_block = list[k].at_us;
        if (list[k].kind != LAB_EVENT_ALARM || strcmp(list[k].text, "no block") != 0) continue;
        cr_assert_eq(list[k].at_us - last_block, HOUR_US / 60 * 25);
        alarms++;
    }
    cr_assert(alarms > 2 && alarms < 40, "%zu alarms", alarms);
    lab_world_free(w);
}

/* ---- selfish mining, against the algorithm on the same dice ---- */

struct selfish_model {
    unsigned attacker, honest, lead; /* in the chain; and kept secret */
    bool race;
};

/* Eyal and Sirer 2014 with gamma 0: of two equal branches the others take their own. */
static void model_block(struct selfish_model *m, bool attacker)
{
    if (attacker) {
        if (m->race)
            m->attacker += 2;
        else
            m->lead++;
        m->race = false;
    } else if (m->race) {
        m->honest += 2;
        m->race = false;
    } else if (m->lead == 0) {
        m->honest++;
    } else if (m->lead == 1) {
        m->race = true;
        m->lead = 0;
    } else {
        m->attacker += m->lead == 2 ? 2 : 1;
        m->lead -= m->lead == 2 ? 2 : 1;
    }
}

Test(world, selfish_mining_is_the_algorithm)
{
    enum { BLOCKS = 400 };
    struct lab_setup s = SETUP("honest", "3", "merchant", "no", "q", "40%", "gamma", "0%", "seed", "12", "strategy",
                               "selfish", "latency", "20ms", "budget", "0");
    struct selfish_model m = {0};
    struct lab_dice dice;
    lab_dice_init(&dice, s.seed);
    for (unsigned i = 0; i < BLOCKS || m.race; i++) {
        lab_dice_gap_us(&dice, s.block_us);
        model_block(&m, lab_dice_share(&dice, LAB_PPM) < s.q_ppm);
    }
    struct lab_world *w = world_of(s);
    order(w, "attack");
    while (w->outcome.honest_blocks + w->outcome.attacker_blocks < BLOCKS) cr_assert(lab_world_step(w));
    lab_world_run(w, lab_world_now_us(w) + 2000000, 0);
    order(w, "publish");
    lab_world_run(w, lab_world_now_us(w) + 5000000, 0);
    unsigned honest = blocks_by_honest(w);
    cr_assert_eq(honest, m.honest);
    cr_assert_eq((unsigned)(lab_public_tip(w)->height - w->base_height) - honest, m.attacker + m.lead);
    settle_and_free(w);
}
