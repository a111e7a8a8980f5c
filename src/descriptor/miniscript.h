/* Miniscript (BIP379): scripts as trees of fragments, of which one can tell what they need and whether a third party
 * could change how they are satisfied. From text and from script, and to both. Private to the room.
 *
 * Nodes live in the caller's arena. Of a node all is computed when it is made: its type, its length, its costs. */
#ifndef CAIRN_DESCRIPTOR_MINISCRIPT_H
#define CAIRN_DESCRIPTOR_MINISCRIPT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/span.h"

enum ms_fragment {
    MS_FALSE,
    MS_TRUE,
    MS_PK_K,
    MS_PK_H,
    MS_OLDER,
    MS_AFTER,
    MS_SHA256,
    MS_HASH256,
    MS_RIPEMD160,
    MS_HASH160,
    MS_ANDOR,
    MS_AND_V,
    MS_AND_B,
    MS_OR_B,
    MS_OR_C,
    MS_OR_D,
    MS_OR_I,
    MS_THRESH,
    MS_MULTI,
    MS_MULTI_A,
    MS_WRAP_A,
    MS_WRAP_S,
    MS_WRAP_C,
    MS_WRAP_D,
    MS_WRAP_V,
    MS_WRAP_J,
    MS_WRAP_N,
    MS_FRAGMENTS,
};

/* Types and properties, by their letters in BIP379; 0: badly typed. */
enum ms_property {
    MS_B = 1 << 0,  /* base: pushes what it is worth */
    MS_V = 1 << 1,  /* verify: goes on or fails */
    MS_K = 1 << 2,  /* key: pushes a key */
    MS_W = 1 << 3,  /* wrapped: takes from one below the top */
    MS_Z = 1 << 4,  /* takes nothing */
    MS_O = 1 << 5,  /* takes one */
    MS_N = 1 << 6,  /* takes at least one, and that is not zero */
    MS_D = 1 << 7,  /* can be dissatisfied */
    MS_U = 1 << 8,  /* pushes exactly 1 when satisfied */
    MS_E = 1 << 9,  /* one dissatisfaction, which nobody can change */
    MS_F = 1 << 10, /* no dissatisfaction without a signature */
    MS_S = 1 << 11, /* every satisfaction has a signature */
    MS_M = 1 << 12, /* there is a satisfaction that nobody can change */
    MS_X = 1 << 13, /* its last opcode does not merge with VERIFY */
    MS_REL_TIME = 1 << 14,
    MS_REL_HEIGHT = 1 << 15,
    MS_ABS_TIME = 1 << 16,
    MS_ABS_HEIGHT = 1 << 17,
    MS_UNMIXED = 1 << 18, /* no way to satisfy it needs a height and a time of one kind */
};

/* A count that may not exist. */
struct ms_count {
    bool possible;
    uint32_t n;
};

/* What running a part does to the stack: elements fewer at the end, and most above the end that there are meanwhile. */
struct ms_depth {
    bool possible;
    int32_t net, peak;
};

struct ms_key {
    uint8_t bytes[33]; /* compressed */
    struct span text;  /* as it is to be printed, with its origin; empty: in hex */
    struct span given; /* as the user wrote it */
};

struct ms_node {
    enum ms_fragment fragment;
    bool tapscript;
    uint32_t k; /* threshold, lock time */
    uint8_t hash[32];
    struct ms_key *keys;
    size_t key_count;
    struct ms_node **subs;
    size_t sub_count;

    unsigned type; /* enum ms_property */
    size_t script_len;
    uint32_t ops; /* opcodes that count, and how many keys are checked when it is satisfied or not */
    struct ms_count ops_sat, ops_dsat;
    struct ms_depth stack_sat, stack_dsat;
};

/* How many subexpressions it has; -1: any number. */
int ms_sub_count(enum ms_fragment fragment);

/* Computes all but what the caller filled in (fragment, tapscript, k, hash, keys, subs, whose own are computed). */
void ms_compute(struct ms_node *n, struct arena *arena);

/* miniscript_cost.c: part of the above. */
void ms_compute_costs(struct ms_node *n, struct arena *arena);

static inline bool ms_has(unsigned type, unsigned properties)
{
    return (type & properties) == properties;
}

/* Bytes. */
size_t ms_max_script(bool tapscript);
bool ms_is_valid(const struct ms_node *n);
/* Within the limits of a witness script when satisfied. */
bool ms_within_limits(const struct ms_node *n);
bool ms_has_duplicate_keys(const struct ms_node *n);
/* Sane as a whole: a valid B that needs a signature, that nobody can malleate, without mixed locks, duplicate keys, or
 * costs beyond the limits. Else a phrase (Core's, behind the expression's text) in *WHY and the expression at fault. */
bool ms_is_sane(const struct ms_node *n, const struct ms_node **fault, const char **why);

void ms_script(struct buffer *out, const struct ms_node *n);
/* AS_GIVEN: with keys as the user wrote them. */
void ms_text(struct buffer *out, const struct ms_node *n, bool as_given);

/* The witness script as miniscript; NULL where it is none (then not necessarily unsound). Keys behind hashes are not
 * known. */
struct ms_node *ms_from_script(struct span script, struct arena *arena);

struct descriptor_parser;
/* NULL where TEXT is no miniscript; p->error is set only where a key is at fault. */
struct ms_node *ms_from_text(struct descriptor_parser *p, struct span text, bool tapscript, struct arena *arena);

#endif
