/* What a hostile host says and answers: shared by the two files that play it. */
#ifndef CAIRN_SIM_ACTOR_H
#define CAIRN_SIM_ACTOR_H

#include "sim/internal.h"

/* Its side of one connection. */
struct sim_actor_conn {
    size_t line;
    uint32_t loops[SIM_SCRIPT_DEPTH]; /* rounds left; 0: for ever */
    unsigned depth;
    uint32_t turn; /* counts what was scheduled: earlier ones do not hold */
    bool waiting, silent, no_verack;
    bool handshaking, version_sent, version_received, shaken;
    bool reading; /* a look at what arrived is scheduled */
    char serve[SIM_WORD];
    uint32_t read_rate; /* bytes a second; 0: all */
    int64_t read_from_us;
};

struct actor_end {
    struct sim *s;
    struct sim_link *link;
    unsigned side;
    struct sim_actor_conn *conn;
};

/* A number of the line's range. */
uint32_t actor_number(struct actor_end *end, const struct sim_line *line);
void actor_send_version(struct actor_end *end);
/* The instructions that send something. */
void actor_say(struct actor_end *end, const struct sim_line *line);
/* Those about transactions. */
void actor_say_tx(struct actor_end *end, const struct sim_line *line);
/* Answers the request for a transaction as the script wants it; false: no such one is known. */
bool actor_serve_tx(struct actor_end *end, const struct inv *inv);
void actor_send(struct actor_end *end, const struct message *m);
/* A message came. */
void actor_answer(struct actor_end *end, struct received *m);

#endif
