/* Scripts of hostile peers: parsing, and those that come with the program. */
#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>

/* What follows the name of an instruction. */
enum arguments { NOTHING, NUMBER, WORD, WORD_OPTIONAL, WORD_NUMBER_OPTIONAL };

struct row {
    const char *name;
    enum arguments arguments;
    const char *words; /* the allowed ones, each between spaces; NULL: any */
};

#define KINDS " good amount missing height mutated witness work old "

static const struct row rows[DO_COUNT] = {
    [DO_HANDSHAKE] = {"handshake", WORD_OPTIONAL, " silent version twice "},
    [DO_WAIT] = {"wait", NUMBER, NULL},
    [DO_REPEAT] = {"repeat", NUMBER, NULL},
    [DO_END] = {"end", NOTHING, NULL},
    [DO_GARBAGE] = {"garbage", NUMBER, NULL},
    [DO_OVERSIZE] = {"oversize", WORD, NULL},
    [DO_CHECKSUM] = {"checksum", WORD, NULL},
    [DO_UNKNOWN] = {"unknown", NUMBER, NULL},
    [DO_TRUNCATED] = {"truncated", WORD, NULL},
    [DO_PING] = {"ping", NUMBER, NULL},
    [DO_INV] = {"inv", NUMBER, NULL},
    [DO_GETDATA] = {"getdata", NUMBER, NULL},
    [DO_GETHEADERS] = {"getheaders", NOTHING, NULL},
    [DO_GETBLOCK] = {"getblock", NUMBER, NULL},
    [DO_GETADDR] = {"getaddr", NOTHING, NULL},
    [DO_HEADERS] = {"headers", WORD_NUMBER_OPTIONAL, " low best orphan "},
    [DO_BLOCK] = {"block", WORD, KINDS},
    [DO_ANNOUNCE] = {"announce", WORD, KINDS},
    [DO_COMPACT] = {"compact", WORD, KINDS},
    [DO_TX] = {"tx", WORD, " good conflict again orphan invalid mutated low junk "},
    [DO_TXINV] = {"txinv", NUMBER, NULL},
    [DO_TXREAL] = {"txreal", NUMBER, NULL},
    [DO_GETTX] = {"gettx", NUMBER, NULL},
    [DO_ADDR] = {"addr", NUMBER, NULL},
    [DO_SERVE] = {"serve", WORD, " honest silent slow mutate notfound "},
    [DO_READ] = {"read", NUMBER, NULL},
    [DO_CUT] = {"cut", NOTHING, NULL},
    [DO_CLOSE] = {"close", NOTHING, NULL},
};

/* The next word of *LINE; empty at its end. */
static struct span next_word(struct span *line)
{
    while (line->len && (*line->data == ' ' || *line->data == '\t' || *line->data == '\r')) *line = span_from(*line, 1);
    size_t len = 0;
    while (len < line->len && line->data[len] != ' ' && line->data[len] != '\t' && line->data[len] != '\r') len++;
    struct span word = span_of(line->data, len);
    *line = span_from(*line, len);
    return word;
}

static bool parse_u32(struct span text, uint32_t *out)
{
    uint64_t v = 0;
    if (!text.len || text.len > 9) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        v = v * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = (uint32_t)v;
    return true;
}

static bool parse_range(struct span text, struct sim_line *out)
{
    size_t dash = 0;
    while (dash < text.len && text.data[dash] != '-') dash++;
    if (!parse_u32(span_of(text.data, dash), &out->from)) return false;
    if (dash == text.len) {
        out->to = out->from;
        return true;
    }
    return parse_u32(span_from(text, dash + 1), &out->to) && out->to >= out->from;
}

static bool take_word(const struct row *row, struct span word, struct sim_line *out)
{
    char padded[SIM_WORD + 2];
    if (!word.len || word.len >= SIM_WORD) return false;
    memcpy(out->word, word.data, word.len);
    out->word[word.len] = 0;
    snprintf(padded, sizeof(padded), " %s ", out->word);
    return !row->words || strstr(row->words, padded);
}

static bool parse_arguments(const struct row *row, struct span rest, struct sim_line *out)
{
    struct span word = next_word(&rest);
    switch (row->arguments) {
    case NOTHING: break;
    case NUMBER:
        if (!parse_range(word, out)) return false;
        word = next_word(&rest);
        break;
    case WORD_OPTIONAL:
        if (!word.len) break;
        /* fallthrough */
    case WORD:
    case WORD_NUMBER_OPTIONAL:
        if (!take_word(row, word, out)) return false;
        word = next_word(&rest);
        if (row->arguments == WORD_NUMBER_OPTIONAL && word.len) {
            if (!parse_range(word, out)) return false;
            word = next_word(&rest);
        }
        break;
    }
    return !word.len;
}

/* One line without its comment; true also for an empty one. */
static bool parse_line(struct sim_script *out, struct span line)
{
    struct span name = next_word(&line);
    if (!name.len) return true;
    if (out->count == SIM_SCRIPT_LINES) return false;
    struct sim_line *l = &out->lines[out->count];
    for (unsigned op = 0; op < DO_COUNT; op++) {
        if (!span_equal(name, span_str(rows[op].name))) continue;
        *l = (struct sim_line){.op = (enum sim_op)op};
        out->count++;
        return parse_arguments(&rows[op], line, l);
    }
    return false;
}

/* Matches each repeat with its end. */
static bool link_loops(struct sim_script *s)
{
    size_t open[SIM_SCRIPT_DEPTH], depth = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->lines[i].op == DO_REPEAT) {
            if (depth == SIM_SCRIPT_DEPTH) return false;
            open[depth++] = i;
        } else if (s->lines[i].op == DO_END) {
            if (!depth) return false;
            size_t start = open[--depth];
            s->lines[i].jump = (uint32_t)start;
            s->lines[start].jump = (uint32_t)i + 1;
        }
    }
    return depth == 0;
}

enum result sim_script_parse(struct sim_script *out, struct span text, struct error *e)
{
    unsigned number = 0;
    out->count = 0;
    while (text.len) {
        size_t len = 0, used = 0;
        while (len < text.len && text.data[len] != '\n') len++;
        while (used < len && text.data[used] != '#') used++;
        number++;
        if (!parse_line(out, span_of(text.data, used)))
            return error_set(e, RESULT_INVALID, "line %u makes no sense", number);
        text = span_from(text, len + 1);
    }
    if (!link_loops(out)) return error_set(e, RESULT_INVALID, "repeat and end do not match");
    return RESULT_OK;
}

const struct sim_script_source sim_scripts[] = {
    {"silent", "handshake silent\n"},
    {"mute", "handshake\nserve silent\n"},
    {"half-hand", "handshake version\n"},
    {"garbage", "wait 1-5\ngarbage 200\nwait 5\nclose\n"},
    {"late-garbage", "handshake\nserve honest\nwait 10-300\ngarbage 5000\n"},
    {"broken", "handshake\nserve honest\nrepeat 20\nchecksum inv\nwait 5-20\nunknown 5000\ntruncated headers\n"
               "wait 5-20\ntruncated cmpctblock\nend\noversize block\n"},
    {"pinger", "handshake\nserve honest\nrepeat 0\nping 50\nwait 1-3\nend\n"},
    {"inv-flood", "handshake\nrepeat 0\ninv 50000\nwait 30-200\nrepeat 30\ninv 500\nwait 1-5\nend\nend\n"},
    {"asker", "handshake\nserve honest\nrepeat 0\ngetblock 40\ngetheaders\ngetdata 1000\nwait 5-30\nend\n"},
    {"slow-reader", "handshake\nread 200\nrepeat 0\ngetblock 200\ngetheaders\ngetaddr\nwait 10-40\nend\n"},
    {"no-reader", "handshake\nread 1\nrepeat 0\ngetblock 500\nping 10\nwait 5-20\nend\n"},
    {"withholder", "handshake\nserve silent\nrepeat 0\nheaders best\nwait 10-60\nannounce good\nwait 10-60\nend\n"},
    {"stingy", "handshake\nserve notfound\nrepeat 0\nheaders best\nwait 10-60\nend\n"},
    {"slow-server", "handshake\nserve slow\nrepeat 0\nheaders best\nwait 20-90\nend\n"},
    {"low-work", "handshake\nserve honest\nrepeat 10\nheaders low 2000\nwait 20-100\nend\nheaders orphan\nwait 30\n"
                 "repeat 20\nheaders orphan\nend\n"},
    {"poisoner", "handshake\nserve honest\nrepeat 0\naddr 1000\nwait 10-60\naddr 1001\nwait 60\nend\n"},
    {"poisoner-10", "handshake\nserve honest\nrepeat 0\naddr 10\nwait 30-120\nend\n"},
    {"mutator",
     "handshake\nserve mutate\nrepeat 0\nheaders best\nwait 10-60\nblock mutated\nwait 10-60\ncompact mutated\n"
     "wait 10-60\nblock witness\nend\n"},
    {"forger", "handshake\nserve honest\nwait 5-60\nblock amount\nwait 60\n"},
    {"forger-2", "handshake\nserve honest\nwait 5-60\nannounce missing\nwait 60\nblock height\n"},
    {"forger-3",
     "handshake\nserve honest\nwait 5-60\ncompact amount\nwait 60\ncompact missing\nwait 20\ncompact work\n"},
    {"forger-4", "handshake\nserve honest\nwait 5-60\nblock work\nwait 60\nblock old\n"},
    {"helper", "handshake\nserve honest\nrepeat 0\nwait 30-200\ncompact good\nwait 30-200\nblock good\nend\n"},
    {"cutter", "handshake\nserve honest\nwait 5-100\ncut\nwait 600\n"},
    {"twice", "handshake twice\nserve honest\nwait 20\nclose\n"},
    {"visitor", "repeat 0\nhandshake\nserve honest\nwait 1-20\nclose\nend\n"},
    {"tx-junk", "handshake\nserve honest\nrepeat 0\ntx junk\nwait 1-5\ntx invalid\nwait 1-5\ntx low\nwait 1-10\nend\n"},
    {"orphaner", "handshake\nserve silent\nrepeat 0\nrepeat 20\ntx orphan\nend\nwait 5-20\nend\n"},
    {"tx-inv", "handshake\nserve silent\nrepeat 0\ntxinv 300\nwait 5-30\ntxreal 20\nwait 5\nend\n"},
    {"tx-stingy", "handshake\nserve notfound\nrepeat 0\ntxreal 30\nwait 1-10\ngettx 50\nend\n"},
    {"double-spender", "handshake\nserve honest\nrepeat 0\nwait 2-20\ntx conflict\nwait 1-10\ntx good\nend\n"},
    {"malleator", "handshake\nserve mutate\nrepeat 0\nwait 1-5\ntx mutated\ntxreal 5\nwait 1-10\ntx again\nend\n"},
    {"tx-mix",
     "handshake\nserve honest\nrepeat 0\ntx conflict\ntx orphan\ntx mutated\nwait 1-20\ntx invalid\ntxinv 20\n"
     "tx low\nwait 1-20\ntx again\nend\n"},
    {NULL, NULL},
};
