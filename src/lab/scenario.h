/* A scenario: a small readable file with settings, a story and what is to be explained.
 *
 *   title = Double spend
 *   about = Two sentences on what it shows.
 *   question = ...            (lessons)
 *   answer = ...              (lessons: what it shows, when all is said)
 *   expect = stolen           (the outcome that this seed has; checked by `cairn-lab check`)
 *
 *   [figures]                 (what is to be measured, see figures.h; checked by `cairn-lab check`)
 *   deepest-reorganisation = 7
 *
 *   [setup]
 *   honest = 3
 *   q = 30%
 *
 *   [story]
 *   at 0m: say There are three honest miners and a merchant. Watch their tips.
 *   at 30m: attack
 *   on delivered: say The goods are gone. Now the attacker only needs to get ahead.
 *   on stolen: say ...
 *   at 1d: end
 *
 * A line that begins with # is a comment; behind a setting or a figure a # after a blank is one, too. A line that
 * begins with a blank goes on with the text before. `at 30m` counts from the beginning; `on EVENT` holds for the first
 * time that it happens: start, payment, confirmed, delivered, leads, publishes, stolen, gave-up, out-of-blocks,
 * reorganisation, alarm, partition, heal, settled (after a heal or a reorganisation all nodes of the network have one
 * tip again). */
#ifndef CAIRN_LAB_SCENARIO_H
#define CAIRN_LAB_SCENARIO_H

#include "lab/event.h"
#include "lab/setup.h"

enum { LAB_NAME = 64, LAB_PROSE = 1200, LAB_CUES_MAX = 400, LAB_FIGURES_MAX = 12, LAB_SCENARIO_MAX = 65536 };

enum lab_trigger {
    LAB_AT,
    LAB_ON_START,
    LAB_ON_PAYMENT,
    LAB_ON_CONFIRMED,
    LAB_ON_DELIVERED,
    LAB_ON_LEADS,
    LAB_ON_PUBLISHES,
    LAB_ON_STOLEN,
    LAB_ON_GAVE_UP,
    LAB_ON_OUT_OF_BLOCKS,
    LAB_ON_REORGANISATION,
    LAB_ON_ALARM,
    LAB_ON_PARTITION,
    LAB_ON_HEAL,
    LAB_ON_SETTLED,
    LAB_TRIGGERS,
};

struct lab_cue {
    enum lab_trigger trigger;
    int64_t at_us; /* of LAB_AT */
    struct lab_command command;
};

/* What a run must come to: the figure's name and its value as it is printed. */
struct lab_expected {
    char name[LAB_NAME], value[LAB_NAME];
};

struct lab_scenario {
    char name[LAB_NAME]; /* of the file, without folder and ending */
    char title[LAB_NAME * 2], about[LAB_PROSE], question[LAB_PROSE], answer[LAB_PROSE], expect[LAB_NAME];
    struct lab_setup setup;
    struct lab_cue *cues;
    size_t cue_count, cue_cap;
    struct lab_expected figures[LAB_FIGURES_MAX];
    size_t figure_count;
};

/* Parses; errors name line and what is wrong. *OUT must be cleared also after a failure. */
MUST_USE enum result lab_scenario_parse(struct lab_scenario *out, const char *name, struct span text, struct error *e);
MUST_USE enum result lab_scenario_load(struct lab_scenario *out, const char *path, struct error *e);
void lab_scenario_clear(struct lab_scenario *s);
/* A copy with cues of its own. */
struct lab_scenario lab_scenario_copy(const struct lab_scenario *s);
/* The file that makes it. */
void lab_scenario_write(struct buffer *out, const struct lab_scenario *s);

/* "start", "payment", ...; "at" for LAB_AT. */
const char *lab_trigger_name(enum lab_trigger t);

/* Does EVENT set TRIGGER off? LAB_ON_SETTLED is never one event's doing: play.h knows. */
bool lab_trigger_matches(enum lab_trigger t, const struct lab_event *event);

/* The scenarios of a folder (*.lab), sorted by name. */
struct lab_library {
    struct lab_scenario *items;
    size_t count, cap;
};
MUST_USE enum result lab_library_load(struct lab_library *out, const char *folder, struct error *e);
void lab_library_clear(struct lab_library *l);
const struct lab_scenario *lab_library_find(const struct lab_library *l, const char *name);

/* conf/lab of the installation or of the source tree, or $CAIRN_LAB_DIR; NULL: nowhere. In OUT. */
const char *lab_library_folder(char *out, size_t size);

#endif
