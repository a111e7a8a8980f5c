/* Selfish mining as a walk between states: Eyal and Sirer 2014, algorithm 1, blocks without bytes. */
#include "base/random.h"
#include "lab/race.h"
#include "lab/setup.h"

struct fork {
    uint64_t secret; /* attacker's blocks since the fork, shown or not */
    uint64_t open;   /* the others' since then */
    bool tie;        /* one against one, both shown */
};

static void settle(struct fork *f, struct selfish_counts *c, uint64_t attacker, uint64_t honest, uint64_t stale)
{
    c->attacker += attacker;
    c->honest += honest;
    c->stale += stale;
    *f = (struct fork){0};
}

static void attacker_finds(struct fork *f, struct selfish_counts *c)
{
    f->secret++;
    if (f->tie) settle(f, c, 2, 0, 1);
}

static void others_find(struct fork *f, struct selfish_counts *c, bool on_attackers)
{
    if (f->tie) { /* one of the two blocks gets a child */
        settle(f, c, on_attackers, 1 + !on_attackers, 1);
        return;
    }
    f->open++;
    if (f->secret == 0)
        settle(f, c, 0, 1, 0);
    else if (f->secret == f->open)
        f->tie = true;
    else if (f->secret == f->open + 1) /* all is shown, and it is longer by one */
        settle(f, c, f->secret, 0, f->open);
    /* else one more block is shown; the others may build on either, but all of theirs will be thrown away */
}

void selfish_run(uint32_t alpha_ppm, uint32_t gamma_ppm, uint64_t seed, uint64_t events, struct selfish_counts *out)
{
    struct random random;
    struct fork f = {0};
    *out = (struct selfish_counts){.events = events};
    random_init_u64(&random, seed);
    for (uint64_t i = 0; i < events; i++) {
        if (random_below(&random, LAB_PPM) < alpha_ppm) {
            attacker_finds(&f, out);
            continue;
        }
        bool on_attackers = f.tie && random_below(&random, LAB_PPM) < gamma_ppm;
        others_find(&f, out, on_attackers);
    }
    if (f.secret > f.open)
        settle(&f, out, f.secret, 0, f.open);
    else
        settle(&f, out, 0, f.open, f.secret); /* a tie: the first seen stays */
}
