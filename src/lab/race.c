/* One race, block by block, by the dice that worlds of whole nodes use.
 *
 * The rules (the same in a world):
 *  1. Time begins when the payment is sent. The attacker's secret branch starts from the block before the payment and
 *     has PREMINE blocks then.
 *  2. For each block the dice give first the time until it, then whose it is: the attacker's with chance q.
 *  3. The others' first block contains the payment; their z-th is its z-th confirmation, and the merchant delivers.
 *  4. From then on, at any moment: is the secret branch longer (a tie is not enough), it is shown, and the payment is
 *     gone. So also at the moment of the z-th confirmation itself.
 *  5. Else, with a patience: is the secret branch that many blocks behind or more, the attacker gives up. Not before
 * the z-th confirmation.
 *  6. Else, with a budget: when both sides together have found that many since the beginning, it is over.
 * The depth of the reorganisation is what the others had at that moment. */
#include "lab/race.h"

#include "lab/dice.h"
#include "lab/setup.h"

static bool is_over(const struct race_rules *r, struct race_outcome *o)
{
    unsigned attacker = o->attacker_blocks + r->premine;
    if (o->honest_blocks >= r->z) {
        if (attacker > o->honest_blocks) return o->stolen = true;
        if (r->patience && o->honest_blocks - attacker >= r->patience) return true;
    }
    unsigned found = o->honest_blocks + o->attacker_blocks;
    return (r->budget && found >= r->budget) || found >= RACE_LONGEST;
}

struct race_outcome race_one(const struct race_rules *r, uint64_t seed)
{
    enum { TEN_MINUTES_US = 600 * 1000000 };
    struct race_outcome o = {0};
    struct lab_dice dice;
    lab_dice_init(&dice, seed);
    while (!is_over(r, &o)) {
        lab_dice_gap_us(&dice, TEN_MINUTES_US);
        if (lab_dice_share(&dice, LAB_PPM) < r->q_ppm) {
            o.attacker_blocks++;
        } else {
            o.honest_blocks++;
            if (o.honest_blocks == r->z) o.attacker_at_z = o.attacker_blocks;
        }
    }
    return o;
}
