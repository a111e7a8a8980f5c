/* Who is there, and who is connected to whom. */
#include "base/alloc.h"
#include "lab/world_internal.h"

enum { WARM_UP_S = 40, NEAR_US = 1000, FAR = 4, HALVES = 0 };

/* ---- members ---- */

static uint32_t add_member(struct lab_world *w, const struct lab_image *image, enum lab_role role, const char *name)
{
    struct sim_node *n = sim_add_node(w->sim);
    uint32_t i = n->index;
    sim_disk_close(&n->disk);
    sim_disk_copy(&n->disk, &image->disk);
    n->power = 0;
    w->members = mem_realloc(w->members, w->member_count + 1, sizeof(*w->members));
    w->members[w->member_count++] = (struct lab_member){.sim = n, .role = role};
    snprintf(w->members[i].name, sizeof(w->members[i].name), "%s", name);
    return i;
}

static void add_numbered(struct lab_world *w, const struct lab_image *image, enum lab_role role, const char *name,
                         unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char full[24];
        snprintf(full, sizeof(full), "%s %u", name, i);
        add_member(w, image, role, full);
    }
}

static void know(struct lab_world *w, uint32_t a, uint32_t b)
{
    sim_node_know(w->members[a].sim, w->members[b].sim);
}

static bool is_public(const struct lab_world *w, uint32_t i)
{
    enum lab_role role = w->members[i].role;
    return role == LAB_ROLE_HONEST || role == LAB_ROLE_WATCHER || (role == LAB_ROLE_MERCHANT && !w->eclipsed) ||
           i == w->outlet;
}

/* A ring of all public nodes, chords, and the outlet close to every miner. */
static void connect_public(struct lab_world *w)
{
    uint32_t *list = mem_calloc(w->member_count, sizeof(*list));
    size_t count = 0;
    for (uint32_t i = 0; i < w->member_count; i++)
        if (is_public(w, i)) list[count++] = i;
    for (size_t i = 0; i < count; i++) {
        if (count > 1) know(w, list[i], list[(i + 1) % count]);
        if (count > 4) know(w, list[i], list[random_below(&w->sim->random, count)]);
    }
    if (w->outlet != LAB_NONE && w->setup.strategy == LAB_STRATEGY_SELFISH)
        for (uint32_t i = 0; i < w->setup.honest; i++) know(w, i, w->outlet);
    free(list);
}

/* The attacker's relays hear of nobody but one another and the merchant, who finds them by itself: the seeds that it
 * asks know nobody else. */
static void connect_relays(struct lab_world *w, uint32_t first)
{
    for (uint32_t i = 0; i < LAB_RELAYS; i++) know(w, first + i, first + (i + 1) % LAB_RELAYS);
    struct sim_node *m = w->members[w->merchant].sim;
    m->discovers = true;
    w->sim->seed_pool = (struct sim_pool){.first = w->members[first].sim->host, .count = LAB_RELAYS};
    if (w->setup.honest_link) know(w, w->merchant, 0);
}

/* Where the attacker races with blocks of equal height, part of the network hears of its own at once. */
static int64_t latency_us(struct sim *s, uint32_t from, uint32_t to)
{
    struct lab_world *w = s->scenario;
    int64_t usual = s->swarm.latency_us;
    if (w->setup.strategy != LAB_STRATEGY_SELFISH || w->outlet == LAB_NONE) return usual;
    uint32_t outlet = w->members[w->outlet].sim->host;
    if (from != outlet && to != outlet) return usual;
    uint32_t other = (uint32_t)s->hosts[from == outlet ? to : from]->node;
    if (other >= w->setup.honest) return usual;
    return (uint64_t)other * LAB_PPM < (uint64_t)w->setup.honest * w->setup.gamma_ppm ? NEAR_US : FAR * usual;
}

static void copy_blocks(struct lab_world *w, const struct lab_image *image)
{
    struct sim *s = w->sim;
    for (size_t i = 0; i < LAB_IMAGE_BLOCKS; i++)
        sim_block_add(s, buffer_span(&image->blocks[i]), s->block_list[i], NULL);
    w->base_block = (uint32_t)s->block_count - 1;
    w->base_height = s->block_list[w->base_block]->height;
}

void lab_net_init(struct lab_world *w, const struct lab_image *image)
{
    copy_blocks(w, image);
    w->sim->latency_us = latency_us;
    add_numbered(w, image, LAB_ROLE_HONEST, "honest", w->setup.honest);
    add_numbered(w, image, LAB_ROLE_WATCHER, "watcher", w->setup.watchers);
    if (w->setup.merchant) w->merchant = add_member(w, image, LAB_ROLE_MERCHANT, "merchant");
    if (w->setup.q_ppm) {
        w->outlet = add_member(w, image, LAB_ROLE_OUTLET, "outlet");
        w->hideout = add_member(w, image, LAB_ROLE_HIDEOUT, "hideout");
    }
    w->observer = w->merchant != LAB_NONE ? w->merchant : 0;
    w->eclipsed = w->setup.eclipsed && w->merchant != LAB_NONE && w->hideout != LAB_NONE;
    if (w->eclipsed) {
        uint32_t first = (uint32_t)w->member_count;
        add_numbered(w, image, LAB_ROLE_OUTLET, "relay", LAB_RELAYS);
        connect_relays(w, first);
    }
    connect_public(w);
}

/* ---- start ---- */

static bool all_connected(const struct lab_world *w)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        const struct sim_node *n = w->members[i].sim;
        size_t want = n->discovers ? LAB_RELAYS : n->host_count;
        if (n->peer_count < (want < 2 ? want : 2)) return false;
    }
    return true;
}

void lab_net_start(struct lab_world *w)
{
    struct sim *s = w->sim;
    for (uint32_t i = 0; i < w->member_count; i++) sim_node_start(w->members[i].sim);
    for (unsigned second = 1; second <= WARM_UP_S; second++) {
        sim_loop(s, second * SIM_SECOND_US);
        if (second >= 4 && all_connected(w)) break;
    }
}

/* ---- changes ---- */

static unsigned side_of(const struct lab_world *w, uint32_t i)
{
    if (w->members[i].role == LAB_ROLE_HONEST) return i >= (w->setup.honest + 1) / 2;
    if (w->members[i].role == LAB_ROLE_WATCHER) return (i - w->setup.honest) % 2;
    return w->members[i].role == LAB_ROLE_MERCHANT;
}

void lab_net_partition(struct lab_world *w)
{
    struct sim *s = w->sim;
    for (uint32_t i = 0; i < w->member_count; i++) {
        struct sim_host *h = s->hosts[w->members[i].sim->host];
        h->side = (h->side & ~1u) | side_of(w, i);
    }
    s->partitions[HALVES] = (struct sim_partition){.active = true};
    lab_emit_text(w, LAB_EVENT_LINK, LAB_NONE, "partition");
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (w->members[i].role == LAB_ROLE_HIDEOUT) continue;
        lab_emit(w, LAB_EVENT_SIDE, i)->a = side_of(w, i);
        lab_emitted(w);
    }
}

void lab_net_heal(struct lab_world *w)
{
    if (w->sim->partitions[HALVES].active) {
        w->sim->partitions[HALVES].active = false;
        sim_links_resume(w->sim);
    }
    lab_emit_text(w, LAB_EVENT_LINK, LAB_NONE, "heal");
    if (w->eclipsed) lab_net_free_merchant(w);
}

/* A friend tells the merchant where honest nodes are. */
void lab_net_free_merchant(struct lab_world *w)
{
    struct sim_node *m = w->members[w->merchant].sim;
    if (!w->eclipsed) return;
    w->eclipsed = false;
    lab_emit_text(w, LAB_EVENT_LINK, w->merchant, "freed");
    for (uint32_t i = 0; i < w->setup.honest && i < 2; i++) {
        char at[ENDPOINT_TEXT];
        sim_node_set_clock(m);
        p2p_add_node(m->node->p2p, endpoint_text(at, &w->sim->hosts[w->members[i].sim->host]->at), false);
        sim_node_pump(m);
    }
}

void lab_net_set_latency(struct lab_world *w, int64_t us)
{
    struct sim *s = w->sim;
    s->swarm.latency_us = us;
    for (size_t i = 0; i < s->link_count; i++)
        if (s->links[i]->used)
            s->links[i]->latency_us = latency_us(s, s->links[i]->side[0].host, s->links[i]->side[1].host);
}
