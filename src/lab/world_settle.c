/* The end of a trial: everybody must come to one tip and one set of coins, somebody new among them who gets it all by
 * the protocol, and no coin may have come from nowhere. */
#include "base/alloc.h"
#include "base/hex.h"
#include "consensus/block_check.h"
#include "lab/world_internal.h"

enum { SETTLE_HOURS = 12, WHY = 200 };

static bool is_at(const struct sim_node *n, const struct sim_block *tip)
{
    return n->node && block_hash_equal(&chain_tip(n->node->chain)->header.hash, &tip->hash);
}

static bool all_at_one_tip(const struct lab_world *w, const struct sim_node *fresh)
{
    struct sim_block *tip = lab_public_tip(w);
    for (uint32_t i = 0; i < w->member_count; i++)
        if (!is_at(w->members[i].sim, tip)) return false;
    return !fresh || is_at(fresh, tip);
}

/* Nobody mines for a second minute: what is in doubt is decided by one more honest block. */
static bool agree(struct lab_world *w, const struct sim_node *fresh)
{
    struct sim *s = w->sim;
    int64_t end = s->now_us + SETTLE_HOURS * SIM_HOUR_US, patience = s->now_us + SIM_MINUTE_US;
    while (!all_at_one_tip(w, fresh) && s->now_us < end && !w->report.failed) {
        if (w->hideout != LAB_NONE) lab_attack_follow(w);
        int64_t until = s->now_us + SIM_SECOND_US;
        sim_loop(s, until);
        if (s->now_us < patience || all_at_one_tip(w, fresh)) continue;
        patience = s->now_us + 10 * SIM_MINUTE_US;
        lab_mine_on(w, 0, false, false);
    }
    return all_at_one_tip(w, fresh);
}

/* The coins of a node, as its RPC tells; false where it does not answer. */
static bool coins_of(struct lab_world *w, uint32_t node, uint8_t hash[32], int64_t *total_sat)
{
    json_t *info = lab_call(w, node, NULL, 0, "gettxoutsetinfo", "[s]", "hash_serialized_3");
    const char *text = json_string_value(json_object_get(info, "hash_serialized_3"));
    bool ok = text && hex_decode_reversed(hash, 32, text);
    double total = json_number_value(json_object_get(info, "total_amount")) * (double)COIN_SAT;
    *total_sat = (int64_t)(total + 0.5);
    json_decref(info);
    return ok;
}

static int64_t issued(const struct lab_world *w, int32_t height)
{
    int64_t sum = 0;
    for (int32_t h = 1; h <= height; h++) sum += block_subsidy(h, &w->sim->params);
    return sum;
}

static struct sim_node *add_fresh(struct lab_world *w)
{
    struct sim_node *n = sim_add_node(w->sim);
    n->power = 0;
    sim_disk_make_safe(&n->disk);
    sim_node_know(n, w->members[0].sim);
    sim_node_start(n);
    return n;
}

static bool check_coins(struct lab_world *w, uint8_t coins[32], struct error *e)
{
    int64_t total, expected = issued(w, lab_public_tip(w)->height);
    uint8_t other[32];
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (!coins_of(w, i, i ? other : coins, &total)) {
            error_set(e, RESULT_INVALID, "%s does not say what its coins are", w->members[i].name);
            return false;
        }
        if (total != expected) {
            error_set(e, RESULT_INVALID, "%s has %lld satoshis, but %lld were issued", w->members[i].name,
                      (long long)total, (long long)expected);
            return false;
        }
        if (i && memcmp(coins, other, 32) != 0) {
            error_set(e, RESULT_INVALID, "%s has other coins than %s", w->members[i].name, w->members[0].name);
            return false;
        }
    }
    return true;
}

bool lab_world_settle(struct lab_world *w, uint8_t tip[32], uint8_t coins[32], struct error *e)
{
    if (w->attack.active) lab_attack_end(w, "leaves");
    w->over = true; /* nothing is told any more */
    w->mining++;    /* nobody finds anything by chance */
    struct sim_node *fresh = add_fresh(w);
    if (!agree(w, fresh) || w->report.failed) {
        error_set(e, RESULT_INVALID, "%s", w->report.failed ? w->report.why : "the nodes did not come to one tip");
        return false;
    }
    memcpy(tip, lab_public_tip(w)->hash.bytes, 32);
    if (!check_coins(w, coins, e)) return false;
    uint8_t other[32];
    int64_t total;
    w->members = mem_realloc(w->members, w->member_count + 1, sizeof(*w->members));
    w->members[w->member_count++] = (struct lab_member){.sim = fresh, .role = LAB_ROLE_WATCHER, .name = "fresh"};
    bool ok = coins_of(w, (uint32_t)w->member_count - 1, other, &total);
    if (ok && !memcmp(coins, other, 32)) return true;
    error_set(e, RESULT_INVALID, "a fresh node has other coins");
    return false;
}
