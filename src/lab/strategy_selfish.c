/* Selfish mining (Eyal and Sirer 2014, algorithm 1): what is found is kept, and shown just as far as it takes to throw
 * away what the others find. */
#include "lab/world_internal.h"

static void on_own(struct lab_world *w)
{
    /* Two branches of equal length were in the open: this one wins. */
    if (w->attack.raced) lab_attack_show(w, lab_tip_of(w, w->hideout)->height);
    w->attack.raced = false;
}

static void on_public(struct lab_world *w, int32_t height)
{
    int32_t own = lab_tip_of(w, w->hideout)->height, lead = own - (height - 1);
    w->attack.raced = false;
    if (lead <= 0) {
        lab_attack_follow(w);
    } else if (lead == 1) {
        lab_attack_show(w, own);
        w->attack.raced = true;
    } else {
        lab_attack_show(w, lead == 2 ? own : height);
    }
}

void lab_selfish_think(struct lab_world *w)
{
    struct lab_attack *a = &w->attack;
    if (lab_tip_of(w, w->hideout)->height > a->own_height) {
        on_own(w);
        a->own_height = lab_tip_of(w, w->hideout)->height;
    } else {
        int32_t public = lab_public_tip(w)->height;
        for (int32_t h = a->seen_height + 1; h <= public; h++) on_public(w, h);
    }
    a->seen_height = lab_public_tip(w)->height;
    a->own_height = lab_tip_of(w, w->hideout)->height;
}
