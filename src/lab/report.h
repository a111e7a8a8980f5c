/* A run as one HTML file that needs nothing else: what was set, what happened, the block tree, the merchant's book, the
 * measured chance against theory; figures as inline SVG. */
#ifndef CAIRN_LAB_REPORT_H
#define CAIRN_LAB_REPORT_H

#include "lab/source.h"
#include "lab/trials.h"

struct lab_report {
    const struct lab_scenario *scenario;
    const struct lab_event *events;
    size_t event_count;
    const char *const *names; /* of the nodes */
    size_t name_count;
    const struct lab_trials_result *trials; /* NULL: none were run */
    const char *replay;                     /* the command line that makes it again */
    uint8_t log_hash[32];
};

void lab_report_html(struct buffer *out, const struct lab_report *r);

#endif
