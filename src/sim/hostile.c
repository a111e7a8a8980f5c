/* Hostile hosts: they speak through the same links and the same codec as nodes do, and run a script on each connection.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "sim/actor.h"

enum { MAX_STEPS = 200, YIELD_US = 20000, HANDSHAKE_WAIT_US = 30000000, READ_EVERY_US = 250000 };

struct sim_actor *sim_add_actor(struct sim *s, const uint8_t ip[4], const struct sim_script *script)
{
    s->actors = mem_grow(s->actors, &s->actor_cap, s->actor_count + 1, sizeof(*s->actors));
    struct sim_actor *a = &s->actors[s->actor_count];
    struct sim_host *h = sim_add_host(s, ip);
    *a = (struct sim_actor){.index = (uint32_t)s->actor_count, .host = h->index, .script = script};
    h->actor = (int32_t)s->actor_count++;
    h->up = h->listening = true;
    return a;
}

static struct sim_actor *actor_of(struct sim *s, struct sim_link *link, unsigned side)
{
    return &s->actors[s->hosts[link->side[side].host]->actor];
}

static void schedule(struct sim *s, struct actor_end *end, int64_t after_us)
{
    struct sim_actor_conn *c = end->conn;
    c->waiting = true;
    sim_at(s, s->now_us + after_us, EV_ACTOR, end->link->index, end->side | ++c->turn << 1, end->link->generation);
}

/* ---- one instruction ---- */

static void begin_handshake(struct actor_end *end, const char *how)
{
    struct sim_actor_conn *c = end->conn;
    c->silent = !strcmp(how, "silent");
    c->no_verack = !strcmp(how, "version");
    if (c->silent) return;
    actor_send_version(end);
    if (!strcmp(how, "twice")) actor_send_version(end);
    c->handshaking = !c->shaken;
}

static void do_repeat(struct actor_end *end, const struct sim_line *line)
{
    struct sim_actor_conn *c = end->conn;
    CHECK(c->depth < SIM_SCRIPT_DEPTH);
    c->loops[c->depth++] = actor_number(end, line);
}

/* True where the loop goes round for ever: then others get a turn. */
static bool do_end(struct actor_end *end, const struct sim_line *line)
{
    struct sim_actor_conn *c = end->conn;
    uint32_t *left = &c->loops[c->depth - 1];
    if (*left != 1) {
        if (*left) --*left;
        c->line = line->jump + 1;
        return true;
    }
    c->depth--;
    return false;
}

/* Does the line; false where the script is to stop for now. */
static bool step(struct actor_end *end, const struct sim_line *line)
{
    struct sim *s = end->s;
    struct sim_actor_conn *c = end->conn;
    switch (line->op) {
    case DO_HANDSHAKE:
        begin_handshake(end, line->word);
        if (c->handshaking) schedule(s, end, HANDSHAKE_WAIT_US);
        return !c->handshaking;
    case DO_WAIT: schedule(s, end, actor_number(end, line) * SIM_SECOND_US + 1); return false;
    case DO_REPEAT: do_repeat(end, line); return true;
    case DO_END:
        if (!do_end(end, line)) return true;
        schedule(s, end, YIELD_US);
        return false;
    case DO_SERVE: snprintf(c->serve, sizeof(c->serve), "%s", line->word); return true;
    case DO_READ:
        c->read_rate = actor_number(end, line);
        c->read_from_us = s->now_us;
        return true;
    case DO_CLOSE: sim_close(s, end->link, end->side, sim_chance(s, 300)); return false;
    default: actor_say(end, line); return true;
    }
}

static void run(struct actor_end *end)
{
    struct sim *s = end->s;
    const struct sim_script *script = actor_of(s, end->link, end->side)->script;
    for (unsigned steps = 0; steps < MAX_STEPS; steps++) {
        struct sim_side *side = &end->link->side[end->side];
        if (!side->open || side->actor != end->conn) return;
        if (end->conn->line >= script->count) return;
        /* A reader that is slow must not make us say ever more. */
        if (side->queued > 8 * MESSAGE_PAYLOAD_MAX / 2) {
            schedule(s, end, SIM_SECOND_US);
            return;
        }
        const struct sim_line *line = &script->lines[end->conn->line++];
        if (!step(end, line)) return;
    }
    schedule(s, end, YIELD_US);
}

/* ---- events ---- */

void sim_actor_open(struct sim *s, struct sim_link *link, unsigned side)
{
    struct sim_actor_conn *c = link->side[side].actor = mem_calloc(1, sizeof(*c));
    snprintf(c->serve, sizeof(c->serve), "honest");
    if (side == 1) actor_of(s, link, side)->connected++;
    struct actor_end end = {.s = s, .link = link, .side = side, .conn = c};
    run(&end);
}

void sim_actor_closed(struct sim *s, struct sim_link *link, unsigned side)
{
    struct sim_actor *a = actor_of(s, link, side);
    if (a->connected) a->connected--;
    free(link->side[side].actor);
    link->side[side].actor = NULL;
}

void sim_actor_received(struct sim *s, struct sim_link *link, unsigned side, struct received *m)
{
    struct actor_end end = {.s = s, .link = link, .side = side, .conn = link->side[side].actor};
    struct sim_actor_conn *c = end.conn;
    if (c->silent) return;
    actor_answer(&end, m);
    if (link->side[side].actor == c && c->handshaking && c->shaken) {
        c->handshaking = false;
        run(&end);
    }
}

size_t sim_actor_appetite(struct sim *s, struct sim_link *link, unsigned side)
{
    struct sim_actor_conn *c = link->side[side].actor;
    if (!c->read_rate) return SIZE_MAX;
    int64_t since = s->now_us - c->read_from_us;
    int64_t allowed = since * c->read_rate / SIM_SECOND_US;
    if (allowed <= 0) {
        if (!c->reading) {
            c->reading = true;
            sim_at(s, s->now_us + READ_EVERY_US * 4, EV_ACTOR, link->index, side | UINT32_C(1) << 31, link->generation);
        }
        return 0;
    }
    c->read_from_us = s->now_us;
    return (size_t)allowed;
}

/* A connection of its own to one of the nodes, now and then. */
static void dial(struct sim *s, struct sim_actor *a)
{
    sim_at(s, s->now_us + sim_poisson_us(s, s->dial_every_us), EV_ACTOR_DIAL, a->index, 0, 0);
    if (a->connected >= a->dials || !s->node_count) return;
    const struct sim_node *n = s->nodes[random_below(&s->random, s->node_count)];
    a->connected++;
    sim_dial(s, a->host, &s->hosts[n->host]->at, 0, 0);
}

void sim_actor_on_event(struct sim *s, const struct sim_event *e)
{
    if (e->kind == EV_ACTOR_DIAL) {
        dial(s, &s->actors[e->a]);
        return;
    }
    struct sim_link *link = sim_link_of(s, e->a, e->c);
    unsigned side = e->b & 1;
    if (!link || !link->side[side].open || !link->side[side].actor) return;
    struct actor_end end = {.s = s, .link = link, .side = side, .conn = link->side[side].actor};
    if (e->b >> 31) {
        end.conn->reading = false;
        sim_read(s, link, side);
        return;
    }
    if ((e->b >> 1) != (end.conn->turn & 0x3fffffff)) return;
    end.conn->waiting = false;
    if (end.conn->handshaking) return; /* they never answered */
    run(&end);
}
