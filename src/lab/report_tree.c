/* The tree of blocks as a picture: height goes to the right, the chain that won is the straight line, the attacker's
 * branches lie above it and honest ones below. What only repeats itself is folded; long trees go on in further rows. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/report_internal.h"

enum {
    STEP = 40,         /* between columns and lanes */
    FOLD = 84,         /* width of a folded column */
    ROW = 880,         /* width of a row */
    MARGIN = 34,       /* left and right of a row */
    FOLD_FROM = 6,     /* so many columns at least are folded */
    COLUMNS_MAX = 360, /* of which the first two thirds and the last third are drawn */
};

/* One column of the picture: a height, or several that are folded. */
struct column {
    unsigned first, last; /* depths */
    bool folded, cut;     /* cut: left out, without saying what is there */
    double x;             /* its middle */
    unsigned row;
};

struct tree {
    struct report_model *m;
    uint32_t *by_depth; /* blocks sorted by depth */
    size_t *start;      /* of each depth in by_depth; one more at the end */
    struct column *columns;
    size_t column_count, column_cap;
    size_t *column_of; /* of a depth */
};

struct branch {
    uint32_t first;
    unsigned from, to; /* depths: of the block it leaves, of its last */
};

static int by_from(const void *a, const void *b)
{
    const struct branch *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The child that the drawing goes on with: the winning one, else that with the longest branch, else the first found. */
static void choose_main(struct report_model *m)
{
    unsigned *reach = mem_calloc(m->block_count, sizeof *reach);
    for (size_t i = m->block_count; i-- > 0;) {
        struct report_block *b = &m->blocks[i];
        if (!b->known) continue;
        if (reach[i] < b->depth) reach[i] = b->depth;
        for (uint32_t c = b->child; c != LAB_NONE; c = m->blocks[c].next) {
            uint32_t best = b->main_child;
            bool better = best == LAB_NONE || reach[c] > reach[best] || (reach[c] == reach[best] && c < best);
            if (m->blocks[c].final || (better && (best == LAB_NONE || !m->blocks[best].final))) b->main_child = c;
            if (reach[c] > reach[i]) reach[i] = reach[c];
        }
    }
    free(reach);
}

/* Each branch takes the lane nearest to the middle that is free over its whole length. */
static void choose_lanes(struct report_model *m)
{
    struct branch *branches = mem_calloc(m->block_count, sizeof *branches);
    size_t count = 0;
    for (size_t i = 1; i < m->block_count; i++) {
        const struct report_block *b = &m->blocks[i];
        if (!b->known || b->final || m->blocks[b->parent].main_child == i) continue;
        uint32_t end = (uint32_t)i;
        while (m->blocks[end].main_child != LAB_NONE) end = m->blocks[end].main_child;
        branches[count++] = (struct branch){(uint32_t)i, b->depth - 1, m->blocks[end].depth};
    }
    qsort(branches, count, sizeof *branches, by_from);
    unsigned *busy[2] = {mem_calloc(count + 1, sizeof **busy), mem_calloc(count + 1, sizeof **busy)};
    size_t lanes[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        bool up = m->blocks[branches[i].first].attacker;
        size_t lane = 0;
        while (lane < lanes[up] && busy[up][lane] > branches[i].from) lane++;
        if (lane == lanes[up]) lanes[up]++;
        busy[up][lane] = branches[i].to + 1;
        for (uint32_t at = branches[i].first; at != LAB_NONE; at = m->blocks[at].main_child) {
            m->blocks[at].lane = up ? -(int)lane - 1 : (int)lane + 1;
        }
    }
    free(busy[0]);
    free(busy[1]);
    free(branches);
}

static void sort_by_depth(struct tree *t)
{
    struct report_model *m = t->m;
    t->start = mem_calloc(m->depth_max + 2, sizeof *t->start);
    t->by_depth = mem_calloc(m->block_count, sizeof *t->by_depth);
    for (size_t i = 0; i < m->block_count; i++) {
        if (m->blocks[i].known) t->start[m->blocks[i].depth + 1]++;
    }
    for (unsigned d = 0; d <= m->depth_max; d++) t->start[d + 1] += t->start[d];
    size_t *at = mem_dup(t->start, (m->depth_max + 2) * sizeof *at);
    for (size_t i = 0; i < m->block_count; i++) {
        if (m->blocks[i].known) t->by_depth[at[m->blocks[i].depth]++] = (uint32_t)i;
    }
    free(at);
}

/* Nothing begins, ends or meets at this depth, nor beside it. */
static bool is_dull(const struct tree *t, unsigned depth)
{
    const struct report_block *blocks = t->m->blocks;
    if (depth < 2 || depth + 1 >= t->m->depth_max) return false;
    for (size_t i = t->start[depth]; i < t->start[depth + 1]; i++) {
        const struct report_block *b = &blocks[t->by_depth[i]], *parent = &blocks[b->parent];
        if (b->paid || b->child == LAB_NONE || blocks[b->child].next != LAB_NONE) return false;
        if (parent->child == LAB_NONE || blocks[parent->child].next != LAB_NONE) return false;
    }
    return t->start[depth + 1] - t->start[depth] == t->start[depth] - t->start[depth - 1] &&
           t->start[depth + 1] - t->start[depth] == t->start[depth + 2] - t->start[depth + 1];
}

static void add_column(struct tree *t, unsigned first, unsigned last, bool folded)
{
    t->columns = mem_grow(t->columns, &t->column_cap, t->column_count + 1, sizeof *t->columns);
    t->columns[t->column_count++] = (struct column){.first = first, .last = last, .folded = folded};
}

static void make_columns(struct tree *t)
{
    for (unsigned d = 0; d <= t->m->depth_max;) {
        unsigned end = d;
        while (end <= t->m->depth_max && is_dull(t, end)) end++;
        if (end - d >= FOLD_FROM) {
            add_column(t, d, end - 1, true);
        } else {
            if (end == d) end++;
            for (unsigned i = d; i < end; i++) add_column(t, i, i, false);
        }
        d = end;
    }
    if (t->column_count > COLUMNS_MAX) {
        size_t head = COLUMNS_MAX * 2 / 3, tail = t->column_count - COLUMNS_MAX / 3;
        t->columns[head].last = t->columns[tail - 1].last;
        t->columns[head].folded = t->columns[head].cut = true;
        memmove(&t->columns[head + 1], &t->columns[tail], (t->column_count - tail) * sizeof *t->columns);
        t->column_count = head + 1 + t->column_count - tail;
    }
    t->column_of = mem_calloc(t->m->depth_max + 1, sizeof *t->column_of);
    double x = MARGIN;
    unsigned row = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        struct column *c = &t->columns[i];
        double width = c->folded ? FOLD : STEP;
        if (x + width > ROW - MARGIN + 0.5) {
            x = MARGIN;
            row++;
        }
        c->x = x + width / 2;
        c->row = row;
        x += width;
        for (unsigned d = c->first; d <= c->last; d++) t->column_of[d] = i;
    }
}

/* ---- drawing ---- */

static void say_block(struct buffer *out, const struct report_model *m, uint32_t block)
{
    const struct report_block *b = &m->blocks[block];
    if (block == 0) {
        buffer_put_str(out, "<title>the last block that all had</title>");
        return;
    }
    buffer_printf(out, "<title>block %u, height %lld, found by ", block, (long long)b->height);
    report_text(out, report_node_name(m, b->miner));
    buffer_put_str(out, " at ");
    report_time(out, b->found_us);
    if (b->secret && b->shown_us >= 0) {
        buffer_put_str(out, ", secret until ");
        report_time(out, b->shown_us);
    } else if (b->secret) {
        buffer_put_str(out, ", never shown");
    }
    buffer_printf(out, ", %lld transactions%s; ", (long long)b->txs, b->final ? "" : ", stale");
    report_text(out, b->hash);
    buffer_put_str(out, "</title>");
}

/* Honest: a circle. Attacker: a square. Never shown: an outline of dashes. Stale: pale, struck through. */
static void draw_shape(struct buffer *out, const struct report_block *b, double x, double y)
{
    bool hidden = b->secret && b->shown_us < 0 && !b->final;
    char class[64] = "";
    strcat(class, b->attacker ? "at" : "ho");
    if (!b->final) strcat(class, " st");
    if (hidden) strcat(class, " hi");
    if (b->secret && !hidden) strcat(class, " sh");
    if (b->attacker)
        buffer_printf(out, "<rect class=\"%s\" x=\"%.0f\" y=\"%.0f\" width=\"24\" height=\"24\" />", class, x - 12,
                      y - 12);
    else
        buffer_printf(out, "<circle class=\"%s\" cx=\"%.0f\" cy=\"%.0f\" r=\"13\" />", class, x, y);
    if (!b->final && !hidden) {
        buffer_printf(out, "<path class=\"strike\" d=\"M%.0f %.0fl24 -24\" />", x - 12, y + 12);
    }
    if (b->paid) buffer_printf(out, "<path class=\"paid\" d=\"M%.0f %.0fl-6 -9h12z\" />", x, y - 14);
}

static void draw_block(struct buffer *out, const struct report_model *m, uint32_t block, double x, double y)
{
    const struct report_block *b = &m->blocks[block];
    buffer_put_str(out, "<g>");
    say_block(out, m, block);
    if (block == 0) {
        buffer_printf(out, "<path class=\"root\" d=\"M%.0f %.0fl13 13l-13 13l-13 -13z\" />", x, y - 13);
    } else {
        draw_shape(out, b, x, y);
        bool pale = !b->final;
        buffer_printf(out, "<text class=\"%s\" x=\"%.0f\" y=\"%.0f\">%u</text>",
                      pale          ? "n pale"
                      : b->attacker ? "n dark"
                                    : "n light",
                      x, y + 4, block);
    }
    buffer_put_str(out, "</g>\n");
}

static double lane_y(int lane, int top)
{
    return 40 + (lane - top) * STEP;
}

static void draw_edge(struct buffer *out, const struct tree *t, uint32_t block, const struct column *c, int top)
{
    const struct report_block *b = &t->m->blocks[block];
    if (b->parent == LAB_NONE) return;
    const struct report_block *parent = &t->m->blocks[b->parent];
    const struct column *from = &t->columns[t->column_of[parent->depth]];
    double y1 = lane_y(b->lane, top), y0 = lane_y(parent->lane, top), x0 = from->x;
    if (from->cut) y0 = y1;
    if (from->folded) x0 = from->x + FOLD / 2.0;
    if (from->row != c->row) x0 = MARGIN - 20;
    buffer_printf(out, "<path class=\"%s\" d=\"M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f\" />\n",
                  b->final ? "ed f" : "ed", x0, y0, (x0 + c->x) / 2, y0, (x0 + c->x) / 2, y1, c->x, y1);
}

/* What is folded: in each lane that goes through, how many blocks of which side. */
static void draw_fold(struct buffer *out, const struct tree *t, size_t column, int top)
{
    const struct column *c = &t->columns[column];
    if (c->cut) {
        buffer_printf(out, "<text class=\"fold\" x=\"%.0f\" y=\"%.0f\">%u heights</text>", c->x, lane_y(0, top) - 4,
                      c->last - c->first + 1);
        buffer_printf(out, "<text class=\"fold\" x=\"%.0f\" y=\"%.0f\">not drawn</text>\n", c->x, lane_y(0, top) + 12);
        return;
    }
    for (size_t i = t->start[c->first]; i < t->start[c->first + 1]; i++) {
        const struct report_block *b = &t->m->blocks[t->by_depth[i]];
        unsigned sides[2] = {0, 0};
        int lane = b->lane;
        bool final = b->final;
        for (unsigned d = c->first; d <= c->last; d++) {
            sides[b->attacker]++;
            if (d < c->last) b = &t->m->blocks[b->child];
        }
        double y = lane_y(lane, top);
        bool begins = column == 0 || t->columns[column - 1].row != c->row;
        double x0 = begins ? MARGIN - 20 : c->x - FOLD / 2.0 - STEP / 2.0;
        buffer_printf(out, "<path class=\"%s dots\" d=\"M%.0f %.0fH%.0f\" />", final ? "ed f" : "ed", x0, y,
                      c->x + FOLD / 2.0);
        if (sides[0] > 0 && sides[1] > 0) {
            buffer_printf(out, "<text class=\"fold\" x=\"%.0f\" y=\"%.0f\">%u honest</text>", c->x, y - 5, sides[0]);
            buffer_printf(out, "<text class=\"fold\" x=\"%.0f\" y=\"%.0f\">%u attacker</text>\n", c->x, y + 14,
                          sides[1]);
        } else {
            buffer_printf(out, "<text class=\"fold\" x=\"%.0f\" y=\"%.0f\">%u %s</text>\n", c->x, y - 5,
                          sides[0] + sides[1], sides[1] > 0 ? "attacker" : "honest");
        }
    }
}

static void draw_column(struct buffer *out, const struct tree *t, size_t column, int top, bool edges)
{
    const struct column *c = &t->columns[column];
    if (c->folded) {
        if (edges) draw_fold(out, t, column, top);
        return;
    }
    if (!edges) {
        int64_t height = t->m->blocks[t->by_depth[t->start[c->first]]].height;
        buffer_printf(out, "<text class=\"h\" x=\"%.0f\" y=\"14\">%lld</text>\n", c->x, (long long)height);
    }
    for (size_t i = t->start[c->first]; i < t->start[c->first + 1]; i++) {
        uint32_t block = t->by_depth[i];
        if (edges)
            draw_edge(out, t, block, c, top);
        else
            draw_block(out, t->m, block, c->x, lane_y(t->m->blocks[block].lane, top));
    }
}

/* Columns FROM to END - 1 are one row, as a picture of its own. */
static void draw_row(struct buffer *out, const struct tree *t, size_t from, size_t end)
{
    int top = 0, bottom = 0;
    for (size_t i = from; i < end; i++) {
        const struct column *c = &t->columns[i];
        if (c->cut) continue;
        for (size_t k = t->start[c->first]; k < t->start[c->first + 1]; k++) {
            int lane = t->m->blocks[t->by_depth[k]].lane;
            if (lane < top) top = lane;
            if (lane > bottom) bottom = lane;
        }
    }
    const struct column *last = &t->columns[end - 1];
    double width = last->x + (last->folded ? FOLD : STEP) / 2.0 + 12;
    buffer_printf(
        out,
        "<svg class=\"tree\" role=\"img\" aria-label=\"The tree of blocks, part %u\" viewBox=\"0 0 %.0f %.0f\" "
        "style=\"width:%.0fpx\">\n",
        last->row + 1, width, lane_y(bottom, top) + 26, width);
    for (size_t i = from; i < end; i++) draw_column(out, t, i, top, true);
    for (size_t i = from; i < end; i++) draw_column(out, t, i, top, false);
    buffer_put_str(out, "</svg>\n");
}

static void legend(struct buffer *out)
{
    static const struct {
        const char *says;
        struct report_block block;
    } rows[] = {
        {"honest", {.final = true}},
        {"attacker", {.final = true, .attacker = true}},
        {"attacker, secret at first", {.final = true, .attacker = true, .secret = true, .shown_us = 1}},
        {"never shown", {.attacker = true, .secret = true, .shown_us = -1}},
        {"stale: not in the chain that won", {.shown_us = -1}},
        {"holds the payment of the theft", {.paid = true, .shown_us = -1}},
    };
    buffer_put_str(out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_put_str(out, "<li><svg aria-hidden=\"true\" viewBox=\"0 0 40 44\" width=\"30\" height=\"33\">");
        draw_shape(out, &rows[i].block, 20, 27);
        buffer_printf(out, "</svg>%s</li>\n", rows[i].says);
    }
    buffer_put_str(out, "</ul>\n");
}

void report_tree(struct buffer *out, struct report_model *m)
{
    struct tree t = {.m = m};
    choose_main(m);
    choose_lanes(m);
    sort_by_depth(&t);
    make_columns(&t);
    buffer_put_str(
        out,
        "<section id=\"tree\">\n<h2>The tree of blocks</h2>\n<p>Height goes to the right; the numbers in the blocks "
        "say in which order they were found. The thick line is the chain that won.</p>\n<div class=\"wide\">\n");
    for (size_t i = 0, from = 0; i < t.column_count; i++) {
        if (i + 1 < t.column_count && t.columns[i + 1].row == t.columns[i].row) continue;
        draw_row(out, &t, from, i + 1);
        from = i + 1;
    }
    buffer_put_str(out, "</div>\n");
    legend(out);
    buffer_put_str(out, "</section>\n");
    free(t.by_depth);
    free(t.start);
    free(t.columns);
    free(t.column_of);
}
