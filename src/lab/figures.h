/* Figures of a run: what a lesson asks for and `cairn-lab check` holds against the file. One row each; all are made of
 * the list of events and the settings, so that the same seed gives the same figure, to the letter. */
#ifndef CAIRN_LAB_FIGURES_H
#define CAIRN_LAB_FIGURES_H

#include "lab/event.h"
#include "lab/setup.h"

struct lab_figure_row {
    const char *name, *help;
};
extern const struct lab_figure_row lab_figure_rows[];
extern const size_t lab_figure_count;

bool lab_figure_exists(struct span name);

/* Appends the figure as it is printed: "7", "2.08%", "813s"; "-" where the run has none. False: no such figure. */
bool lab_figure_measure(struct buffer *out, struct span name, const struct lab_setup *setup,
                        const struct lab_event *events, size_t count);

#endif
