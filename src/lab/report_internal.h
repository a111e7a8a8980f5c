/* What the parts of the report share: the run put in order (report_model.c), and writing HTML (report_html.c). */
#ifndef CAIRN_LAB_REPORT_INTERNAL_H
#define CAIRN_LAB_REPORT_INTERNAL_H

#include "lab/report.h"

struct report_node {
    const char *name; /* "?" where nobody said it */
    uint32_t role;    /* enum lab_role; UINT32_MAX: unknown */
    uint32_t tip;     /* the last that it had, or LAB_NONE */
    uint32_t power;   /* millionths, the last that was told */
    bool known;
};

struct report_block {
    uint32_t parent; /* LAB_NONE: block 0, or none was told */
    uint32_t miner;
    uint32_t child, next; /* first child, next child of the same parent; LAB_NONE ends */
    uint32_t main_child;  /* the one that the drawing goes on with */
    int64_t height, txs;
    int64_t found_us, shown_us; /* shown: -1 where it never was secret, or never was shown */
    unsigned depth;             /* above block 0 */
    int lane;                   /* of the drawing: 0 the final chain, below 0 the attacker's, above 0 honest ones */
    bool known, attacker, secret, final, paid; /* paid: holds the payment of a theft, as the merchant's node saw it */
    const char *hash;
};

struct report_order {
    bool known, theft, was_touched; /* touched: it was reversed or lost at some time */
    int64_t satoshis;
    int64_t confirmations, confirmations_before; /* now; before the first reorganisation that touched any order */
    const char *txid, *conflict, *state, *state_before;
};

struct report_model {
    const struct lab_report *r;
    struct report_node *nodes;
    size_t node_count;
    struct report_block *blocks; /* block 0 is always there */
    size_t block_count;
    struct report_order *orders;
    size_t order_count;
    int64_t end_us;
    int64_t theft_us;        /* when a book's entry was first reversed or lost; -1: never */
    uint32_t final_tip;      /* of most nodes that are not the attacker's */
    unsigned depth_max;      /* of all blocks */
    int64_t deepest;         /* reorganisation of a node that is not the attacker's */
    const char *end;         /* of LAB_EVENT_END, or NULL */
    uint64_t found[2];       /* by honest miners, by the attacker */
    uint64_t in_chain[2];    /* of the final chain */
    uint64_t reorgs, alarms; /* events */
    uint64_t dropped, gone;  /* transactions thrown out by the merchant's or an honest node; of these, for good */
    uint64_t returned;       /* that were in a block again */
    int64_t returned_latest; /* blocks of the new branch that the last of them took */
    const char **drop_txids; /* distinct transactions thrown out, sorted; the events' texts */
    size_t drop_txid_count;
};

/* Orders the events of R; report_model_clear frees it. */
void report_model_make(struct report_model *m, const struct lab_report *r);
void report_model_clear(struct report_model *m);
/* Not the hideout: that is no part of the network. */
bool report_is_public(const struct report_model *m, uint32_t node);

/* ---- writing ---- */

/* Text between tags or in a quoted attribute: markup is escaped, what is no UTF-8 or a control character is replaced.
 */
void report_text(struct buffer *out, const char *text);
/* "1d 03:04:05". */
void report_time(struct buffer *out, int64_t us);
/* "12.50000000", the amount in coins. */
void report_coins(struct buffer *out, int64_t satoshis);
/* "8.911 %", with digits as they are needed. */
void report_percent(struct buffer *out, double share);
const char *report_node_name(const struct report_model *m, uint32_t node);

/* ---- parts; each writes a whole <section>, or nothing where there is nothing to say ---- */

void report_tree(struct buffer *out, struct report_model *m);       /* report_tree.c */
void report_tips(struct buffer *out, const struct report_model *m); /* report_chart.c */
void report_revenue(struct buffer *out, const struct report_model *m);
void report_theory(struct buffer *out, const struct report_model *m);   /* report_theory.c */
void report_settings(struct buffer *out, const struct report_model *m); /* report_tables.c */
void report_story(struct buffer *out, const struct report_model *m);
void report_ledger(struct buffer *out, const struct report_model *m);
void report_reorgs(struct buffer *out, const struct report_model *m);

/* ---- a chart's frame (report_chart.c) ---- */

struct report_chart {
    struct buffer *out;
    double x_min, x_max, y_min, y_max; /* of the data */
    bool log_y;                        /* decades */
    double left, top, width, height;   /* of the area of drawing, in units of the picture */
};

/* Opens <svg>; the caller writes what is in it and ends it with report_chart_end. LABEL says what it shows. */
void report_chart_begin(struct report_chart *c, struct buffer *out, const char *label);
void report_chart_end(struct report_chart *c);
double report_chart_x(const struct report_chart *c, double x);
double report_chart_y(const struct report_chart *c, double y);
/* A line across at Y with its name to the left. */
void report_chart_y_tick(struct report_chart *c, double y, const char *name);
void report_chart_x_tick(struct report_chart *c, double x, const char *name);
void report_chart_titles(struct report_chart *c, const char *x, const char *y);

#endif
