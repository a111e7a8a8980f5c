/* The majority that others' blocks mean nothing to: it calls them invalid in its own node (invalidateblock), mines on
 * what is left, and shows its branch whenever that has more work. Censorship is the same against some blocks only. */
#include "lab/world_internal.h"
#include "primitives/block.h"

static void refuse(struct lab_world *w, const struct sim_block *b)
{
    struct sim_node *h = w->members[w->hideout].sim;
    struct block_node *known = chain_find(h->node->chain, &b->hash);
    struct error e;
    if (!known || known->status & BLOCK_ANY_FAILURE) return;
    sim_node_set_clock(h);
    if (node_invalidate(h->node, known, &e)) sim_fail(w->sim, "the hideout broke: %s", e.text);
    sim_node_pump(h);
}

void lab_takeover_begin(struct lab_world *w)
{
    /* Old blocks, too: as many as the merchant waits for, as far as they were found in this world. */
    struct sim_block *b = lab_tip_of(w, w->hideout), *first = NULL;
    for (unsigned i = 0; i < w->setup.confirmations && lab_block_id(w, b); i++, b = b->parent)
        if (!w->facts[lab_block_id(w, b)].attacker) first = b;
    if (first) refuse(w, first);
    w->attack.fork = lab_tip_of(w, w->hideout);
}

bool lab_pays_merchant(const struct tx *tx)
{
    struct buffer script = {0};
    bool pays = false;
    lab_owner_script(&script, LAB_OWNER_MERCHANT);
    for (size_t o = 0; o < tx->out_count; o++) pays |= span_equal(tx->out[o].script_pubkey, buffer_span(&script));
    buffer_clear(&script);
    return pays;
}

static bool pays_victim(const struct sim_block *b)
{
    struct block *block = block_parse(buffer_span(&b->raw));
    bool pays = false;
    for (size_t t = 0; block && t < block->tx_count; t++) pays |= lab_pays_merchant(&block->txs[t]);
    block_free(block);
    return pays;
}

static bool tolerates(const struct lab_world *w, const struct sim_block *b)
{
    if (w->facts[lab_block_id(w, b)].attacker) return true;
    return w->attack.strategy == LAB_STRATEGY_CENSOR && !pays_victim(b);
}

void lab_takeover_think(struct lab_world *w)
{
    struct sim_block *public = lab_public_tip(w), *first = NULL;
    const struct chain *c = w->members[w->hideout].sim->node->chain;
    lab_attack_follow(w);
    /* The lowest of the public branch that it does not like, and has not refused. */
    for (struct sim_block *b = public; lab_block_id(w, b) && b->height > w->attack.fork->height; b = b->parent) {
        const struct block_node *known = chain_find(c, &b->hash);
        struct lab_fact *fact = &w->facts[lab_block_id(w, b)];
        if (fact->tolerated || (known && known->status & BLOCK_ANY_FAILURE)) break;
        fact->tolerated = tolerates(w, b);
        if (!fact->tolerated) first = b;
    }
    if (first) refuse(w, first);
    struct sim_block *own = lab_tip_of(w, w->hideout);
    if (own->height <= public->height) return;
    const struct sim_block *up = own;
    while (up->height > public->height) up = up->parent;
    if (up != public) {
        struct lab_event *e = lab_emit(w, LAB_EVENT_ATTACK, w->hideout);
        e->a = own->height - public->height;
        snprintf(e->text, LAB_TEXT, "publishes");
        lab_emitted(w);
    }
    lab_attack_show(w, own->height);
}
