/* What the literature says: exact figures of the race between an attacker and everybody else. Pure functions of
 * doubles.
 *
 * q: the attacker's share, p = 1 - q; z: confirmations the merchant waits for (a payment in the tip has 1). Three
 * conventions that are often mixed up:
 *  nakamoto  Nakamoto 2008, section 11: reaches a tie; the attacker's progress is Poisson (an approximation)
 *  paper     Rosenfeld 2014 (one block in hand, needs a longer chain) and Grunspan and Perez-Marco 2017 (nothing in
 * hand, a tie is enough): the same number, exact strict    what nodes do: strictly more work, nothing in hand */
#ifndef CAIRN_LAB_THEORY_H
#define CAIRN_LAB_THEORY_H

#include <stdbool.h>
#include <stddef.h>

double theory_nakamoto(double q, unsigned z);
double theory_paper(double q, unsigned z);
double theory_strict(double q, unsigned z);

/* The strict race with PREMINE blocks in hand (0, 1: then the paper's), an attacker who gives up when G or more behind
 * after the last confirmation (0: never), and a budget of BUDGET blocks of both sides (0: none). By recurrence. */
double theory_race(double q, unsigned z, unsigned premine, unsigned g, unsigned budget);

/* Nakamoto's case given that the z confirmations took KAPPA times their expected time (Grunspan and Perez-Marco). */
double theory_given_time(double q, unsigned z, double kappa);

/* Fewest confirmations with a chance below LIMIT; 0: none up to 100,000. */
unsigned theory_confirmations(double (*chance)(double q, unsigned z), double q, double limit);

/* The attacker's blocks when the z-th confirmation is found are negative binomial: the chance of exactly K. */
double theory_attacker_blocks(double q, unsigned z, unsigned k);

/* Of the attempts that succeed (strict): N blocks of both sides, D honest blocks thrown away; chances given success.
 * Arrays of COUNT, from 0 on; what is beyond is lost. G, BUDGET as above. */
void theory_depths(double q, unsigned z, unsigned g, unsigned budget, double *depth, double *blocks, size_t count);
struct theory_summary {
    double mean, median, p95;
};
struct theory_summary theory_summarise(const double *weights, size_t count);

/* Break-even value of a theft in block rewards (own blocks lost on failure against the value won), for the best
 * patience of 0-6, 8, 10, 12, 15, 20, z ... z+8. *G: which; here 0 is an attacker who
 * gives up at the last confirmation unless he is ahead then. */
double theory_break_even(double q, unsigned z, unsigned *g);

/* Cost of the attacker's blocks with rented hash power. */
struct theory_rent {
    double network_hash_per_s, price_per_th_day, coin_price, reward;
};
double theory_rent_cost(double attacker_blocks, const struct theory_rent *r);
/* Mean blocks that the attacker finds in one attempt with patience G. */
double theory_attacker_work(double q, unsigned z, unsigned g);

/* Selfish mining, Eyal and Sirer 2014: share of the chain, growth of the chain in honest blocks a unit, own blocks for
 * each ten minutes before the first retarget. */
double theory_selfish_share(double alpha, double gamma);
double theory_selfish_growth(double alpha);
double theory_selfish_rate(double alpha, double gamma);
double theory_selfish_threshold(double gamma);
/* The best strategy (Sapirshtein, Sompolinsky and Zohar 2016) by value iteration on a decision process cut off at
 * MAX_FORK: share of the chain. RANDOM_TIES: nodes choose between equal branches at random, Eyal and Sirer's
 * countermeasure. */
double theory_optimal_share(double alpha, double gamma, unsigned max_fork, bool random_ties);
/* The smallest share that the best strategy makes more of. */
double theory_optimal_threshold(double gamma, unsigned max_fork, bool random_ties);

/* Many equal miners, all linked, delay DELAY_S: share of blocks that end stale; and the attacker's share against those
 * that do not. */
double theory_stale_share(double delay_s, double interval_s);
double theory_effective_q(double q, double stale);

/* Clock alarms: chance that an honest network has no block for MINUTES; that z blocks take longer than MINUTES at
 * RATE blocks for each ten minutes (1: all honest; q: an eclipsing attacker alone). */
double theory_no_block(double minutes);
double theory_slow_blocks(unsigned z, double minutes, double rate);

#endif
