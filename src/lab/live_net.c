/* Who is connected to whom. */
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/live_internal.h"

static void add(struct lab_live *l, uint32_t from, uint32_t to)
{
    if (from == to) return;
    for (size_t i = 0; i < l->link_count; i++) {
        const struct live_link *k = &l->links[i];
        if ((k->from == from && k->to == to) || (k->from == to && k->to == from)) return;
    }
    l->links = mem_grow(l->links, &l->link_cap, l->link_count + 1, sizeof(*l->links));
    l->links[l->link_count++] = (struct live_link){.from = from, .to = to};
}

/* Two halves, as in virtual time: the honest ones in the middle, the watchers in turns, the merchant on the far side.
 */
static int side_of(const struct lab_live *l, uint32_t node)
{
    uint32_t honest = l->scenario.setup.honest;
    if (l->members[node].role == LAB_ROLE_HONEST) return node >= (honest + 1) / 2;
    if (l->members[node].role == LAB_ROLE_WATCHER) return (node - honest) % 2;
    return l->members[node].role == LAB_ROLE_MERCHANT;
}

static bool is_hidden(const struct lab_live *l)
{
    return l->eclipsed && !l->scenario.setup.honest_link;
}

/* A ring with a chord from each to the one opposite, and a path through each half of a partition: whoever leaves, the
 * rest stays one network. The hideout is in none of it; of an eclipsed merchant it is the only neighbour. */
void live_net_plan(struct lab_live *l)
{
    uint32_t *ring = mem_calloc(l->member_count, sizeof(*ring)), last[2] = {LAB_NONE, LAB_NONE};
    size_t count = 0;
    for (uint32_t i = 0; i < l->member_count; i++) {
        l->members[i].side = side_of(l, i);
        if (i != l->hideout) ring[count++] = i;
    }
    for (size_t i = 0; i < count; i++) add(l, ring[i], ring[(i + 1) % count]);
    for (size_t i = 0; i < count / 2; i++) add(l, ring[i], ring[i + count / 2]);
    for (size_t i = 0; i < count; i++) {
        uint32_t *before = &last[l->members[ring[i]].side];
        if (*before != LAB_NONE) add(l, *before, ring[i]);
        *before = ring[i];
    }
    if (l->eclipsed) {
        add(l, l->hideout, l->merchant);
        add(l, l->merchant, 0);
        add(l, l->merchant, l->outlet);
    }
    free(ring);
}

static bool wanted(const struct lab_live *l, const struct live_link *k)
{
    if (k->from == l->hideout || k->to == l->hideout) return is_hidden(l);
    bool shop = k->from == l->merchant || k->to == l->merchant;
    if (l->eclipsed && shop) {
        uint32_t other = k->from == l->merchant ? k->to : k->from;
        return l->scenario.setup.honest_link && (other == 0 || other == l->outlet);
    }
    return !l->partitioned || l->members[k->from].side == l->members[k->to].side;
}

void live_net_apply(struct lab_live *l)
{
    for (size_t i = 0; i < l->link_count; i++) {
        struct live_link *k = &l->links[i];
        bool up = wanted(l, k);
        if (up == k->up) continue;
        struct live_member *from = &l->members[k->from];
        uint16_t port = l->members[k->to].p2p_port;
        if (up)
            live_rpc_do(&from->rpc, "addnode", "\"127.0.0.1:%u\",\"onetry\"", port);
        else
            live_rpc_do(&from->rpc, "disconnectnode", "\"127.0.0.1:%u\"", port);
        k->up = up;
    }
}

void live_net_partition(struct lab_live *l)
{
    l->partitioned = true;
    live_net_apply(l);
    live_emit_text(l, LAB_EVENT_LINK, LAB_NONE, "partition");
    for (uint32_t i = 0; i < l->member_count; i++) {
        if (i == l->hideout) continue;
        live_emit(l, LAB_EVENT_SIDE, i)->a = l->members[i].side;
        live_emitted(l);
    }
}

void live_net_heal(struct lab_live *l)
{
    bool eclipsed = l->eclipsed;
    l->partitioned = l->eclipsed = false;
    live_net_apply(l);
    live_emit_text(l, LAB_EVENT_LINK, LAB_NONE, "heal");
    if (eclipsed) live_emit_text(l, LAB_EVENT_LINK, l->merchant, "freed");
}
