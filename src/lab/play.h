/* A scenario played on a world: its cues, what a user orders besides, and the way back: a play is made anew from its
 * seed and gets the same orders at the same places. */
#ifndef CAIRN_LAB_PLAY_H
#define CAIRN_LAB_PLAY_H

#include "lab/scenario.h"
#include "lab/source.h"
#include "lab/world.h"

struct lab_play;

/* The scenario is copied. */
struct lab_play *lab_play_new(const struct lab_scenario *scenario);
void lab_play_free(struct lab_play *p);

/* One more event; false: over. */
bool lab_play_step(struct lab_play *p);
/* Until this instant, or (BUDGET_MS > 0) for about so long of real time. False: over. */
bool lab_play_run(struct lab_play *p, int64_t until_us, int budget_ms);
MUST_USE enum result lab_play_command(struct lab_play *p, struct span line, struct error *e);
/* A JSON-RPC request to a node (lab_world_rpc). CHANGES: it may change what the node does; then the way back repeats
 * it.
 */
int lab_play_rpc(struct lab_play *p, uint32_t node, struct span request, bool changes, struct buffer *out);
/* Back to when there were SEQ events, or to the last place before where the world stood still: events of one instant
 * that one thing brought about come together. What was ordered after that is forgotten. Replays; the log's hash there
 * is what it was. */
MUST_USE enum result lab_play_rewind(struct lab_play *p, uint64_t seq, struct error *e);
struct lab_world *lab_play_world(struct lab_play *p);
const struct lab_scenario *lab_play_scenario(const struct lab_play *p);
/* The first cue of the file that the world refused, and why; NULL: none. */
const char *lab_play_refused(const struct lab_play *p);

/* A source (source.h) of a play of its own. */
struct lab_source lab_play_source_new(void);
void lab_play_source_free(struct lab_source *s);

#endif
