/* cairn-lab cost: what a theft must be worth, in blocks lost and in hash power rented. All prices are asked for: there
 * is no live data. */
#include <math.h>
#include <stdio.h>

#include "base/compiler.h"
#include "lab/cli_numbers.h"
#include "lab/setup.h"
#include "lab/theory.h"
#include "rpc/json_writer.h"

enum { Z_SEARCHED = 1000 };

struct inputs {
    struct numbers q, z;
    struct theory_rent rent;
    double value; /* coins; 0: not said */
    bool has_prices;
};

/* Fewest confirmations at which this payment is not worth stealing; 0: none. */
static unsigned needed(double q, double rewards)
{
    unsigned low = 0, high = 1, g;
    if (q >= 0.5) return 0; /* who never gives up loses nothing */
    while (theory_break_even(q, high, &g) <= rewards) {
        if (high == Z_SEARCHED) return 0;
        low = high;
        high = high * 2 < Z_SEARCHED ? high * 2 : Z_SEARCHED;
    }
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (theory_break_even(q, middle, &g) > rewards)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void print_inputs(const struct inputs *in)
{
    printf("A block is worth %g coins (--reward)", in->rent.reward);
    if (in->has_prices)
        printf(", a coin %g (--coin); the network has\n%g EH/s (--hashrate); a TH/s rents at %g a day (--price)",
               in->rent.coin_price, in->rent.network_hash_per_s / 1e18, in->rent.price_per_th_day);
    printf(".\nThese are what was asked for, not what the market says today.\n\n");
}

static void print_break_even(const struct inputs *in)
{
    printf("Value from which a theft pays, in block rewards: strict convention, best\n"
           "patience, own blocks that are thrown away on failure are the price.\n\n      q");
    for (unsigned k = 0; k < in->z.count; k++) {
        char head[16];
        snprintf(head, sizeof(head), "z=%u", in->z.of[k]);
        printf(" %9s", head);
    }
    printf("\n");
    for (unsigned i = 0; i < in->q.count; i++) {
        printf("%5.1f %%", (double)in->q.of[i] / 1e4);
        for (unsigned k = 0; k < in->z.count; k++) {
            unsigned g;
            printf(" %9.3g", theory_break_even((double)in->q.of[i] / LAB_PPM, in->z.of[k], &g));
        }
        printf("\n");
    }
}

/* Break-even in coins and money, and what the same attempts cost with power that is rented. */
struct both {
    unsigned patience;
    double rewards, coins, money;
    double chance, blocks, rent, rent_a_theft;
};

static struct both both_figures(const struct inputs *in, double q, unsigned z)
{
    struct both b;
    b.rewards = theory_break_even(q, z, &b.patience);
    b.coins = b.rewards * in->rent.reward;
    b.money = b.coins * in->rent.coin_price;
    unsigned patience = b.patience ? b.patience : 1;
    b.chance = theory_race(q, z, 0, patience, 0);
    b.blocks = theory_attacker_work(q, z, patience);
    b.rent = theory_rent_cost(b.blocks, &in->rent);
    b.rent_a_theft = b.rent / b.chance;
    return b;
}

static void print_both(const struct inputs *in)
{
    printf("\nBoth ways to count. Own miners: the value from which it pays. Rented: the mean\n"
           "rent of one attempt, and of as many as one success takes.\n\n"
           "      q    z  gives up  chance %% own: coins      money  rent: one    a theft\n");
    for (unsigned i = 0; i < in->q.count; i++)
        for (unsigned k = 0; k < in->z.count; k++) {
            struct both b = both_figures(in, (double)in->q.of[i] / LAB_PPM, in->z.of[k]);
            printf("%5.1f %% %4u %9u %9.3g %10.4g %10.4g %10.4g %10.4g\n", (double)in->q.of[i] / 1e4, in->z.of[k],
                   b.patience, 100 * b.chance, b.coins, b.money, b.rent, b.rent_a_theft);
        }
}

static void print_needed(const struct inputs *in)
{
    printf("\nA payment of %g coins is not worth stealing with\n", in->value);
    for (unsigned i = 0; i < in->q.count; i++) {
        unsigned z = needed((double)in->q.of[i] / LAB_PPM, in->value / in->rent.reward);
        if (z)
            printf("  %3u confirmation%s against %g %%\n", z, z == 1 ? " " : "s", (double)in->q.of[i] / 1e4);
        else
            printf("  no number of confirmations up to %u against %g %%\n", Z_SEARCHED, (double)in->q.of[i] / 1e4);
    }
}

static void cell_json(struct json_writer *j, const struct inputs *in, double q, unsigned z)
{
    struct both b = both_figures(in, q, z);
    jw_object(j);
    jw_kv_double(j, "q", q);
    jw_kv_uint(j, "z", z);
    jw_kv_uint(j, "patience", b.patience);
    if (isfinite(b.rewards)) {
        jw_kv_double(j, "break_even_rewards", b.rewards);
        jw_kv_double(j, "break_even_coins", b.coins);
    }
    jw_kv_double(j, "chance", b.chance);
    jw_kv_double(j, "attacker_blocks", b.blocks);
    if (in->has_prices && b.chance > 0) {
        jw_kv_double(j, "break_even_money", b.money);
        jw_kv_double(j, "rent", b.rent);
        jw_kv_double(j, "rent_a_theft", b.rent_a_theft);
    }
    jw_object_end(j);
}

static void print_json(const struct inputs *in)
{
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    jw_object(&j);
    jw_kv_double(&j, "reward", in->rent.reward);
    if (in->has_prices) {
        jw_kv_double(&j, "coin", in->rent.coin_price);
        jw_kv_double(&j, "hashrate", in->rent.network_hash_per_s / 1e18);
        jw_kv_double(&j, "price", in->rent.price_per_th_day);
    }
    jw_kv_array(&j, "cells");
    for (unsigned i = 0; i < in->q.count; i++)
        for (unsigned k = 0; k < in->z.count; k++) cell_json(&j, in, (double)in->q.of[i] / LAB_PPM, in->z.of[k]);
    jw_array_end(&j);
    if (in->value > 0) {
        jw_kv_double(&j, "value", in->value);
        jw_kv_array(&j, "needed");
        for (unsigned i = 0; i < in->q.count; i++) {
            jw_object(&j);
            jw_kv_double(&j, "q", (double)in->q.of[i] / LAB_PPM);
            jw_kv_uint(&j, "z", needed((double)in->q.of[i] / LAB_PPM, in->value / in->rent.reward));
            jw_object_end(&j);
        }
        jw_array_end(&j);
    }
    jw_object_end(&j);
    printf("%s\n", buffer_text(&out));
    buffer_clear(&out);
}

/* The subsidy from 2024 to 2028, without fees, where nothing is said. */
static const double reward_2024 = 3.125;

int lab_cli_cost(struct lab_cli_args *a)
{
    static const char me[] = "cost";
    struct inputs in = {
        .q = {.of = {50000, 100000, 150000, 200000, 250000, 300000, 350000, 400000, 450000, 490000}, .count = 10},
        .z = {.of = {1, 2, 3, 6, 10, 20}, .count = 6},
        .rent = {.network_hash_per_s = -1, .price_per_th_day = -1, .coin_price = -1, .reward = reward_2024},
    };
    struct theory_rent *r = &in.rent;
    if (!numbers_take_shares(a, "--q", LAB_PPM - 1, &in.q)) return lab_cli_wrong(me, "--q wants shares: 10%,30%");
    if (!numbers_take_counts(a, "--z", 1, Z_SEARCHED, &in.z))
        return lab_cli_wrong(me, "--z wants numbers from 1 to 1000: 1,2,6");
    if (!numbers_take_real(a, "--hashrate", &r->network_hash_per_s))
        return lab_cli_wrong(me, "--hashrate wants EH/s of the network");
    if (r->network_hash_per_s > 0) r->network_hash_per_s *= 1e18;
    if (!numbers_take_real(a, "--price", &r->price_per_th_day))
        return lab_cli_wrong(me, "--price wants the rent of a TH/s for a day");
    if (!numbers_take_real(a, "--coin", &r->coin_price)) return lab_cli_wrong(me, "--coin wants the price of a coin");
    if (!numbers_take_real(a, "--reward", &r->reward) || r->reward <= 0)
        return lab_cli_wrong(me, "--reward wants the coins of a block, fees included");
    if (!numbers_take_real(a, "--value", &in.value)) return lab_cli_wrong(me, "--value wants the coins of a payment");
    bool json = numbers_take_flag(a, "--json");
    if (!lab_cli_done(me, a)) return 2;
    int given = (r->network_hash_per_s >= 0) + (r->price_per_th_day >= 0) + (r->coin_price >= 0);
    if (given && given < 3) return lab_cli_wrong(me, "--hashrate, --price and --coin belong together");
    in.has_prices = given == 3;
    if (json) {
        print_json(&in);
        return 0;
    }
    print_inputs(&in);
    print_break_even(&in);
    if (in.has_prices)
        print_both(&in);
    else
        printf("\nWith --hashrate, --price and --coin: the same in money, and the rent beside it.\n");
    if (in.value > 0) print_needed(&in);
    return 0;
}
