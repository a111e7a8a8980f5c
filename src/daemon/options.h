/* Option rows: every option of a program is one row, and parsing, help, the example configuration, the manual page and
 * the shell completion all come from the rows. A row says what an option is; struct args (args.h) holds what was set.
 */
#ifndef CAIRN_DAEMON_OPTIONS_H
#define CAIRN_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_BOOL,
    OPTION_INT,
    OPTION_STRING,
    OPTION_LIST /* may be given several times; the values add up */
};

/* In the order in which help prints them. */
enum option_group {
    GROUP_GENERAL,
    GROUP_CONNECTION,
    GROUP_ZMQ,
    GROUP_DEBUG,
    GROUP_CHAIN,
    GROUP_RELAY,
    GROUP_MINING,
    GROUP_RPC,
    GROUP_COMMANDS, /* of cairn-cli: at most one at a time */
    GROUP_COUNT
};

enum option_flag {
    OPTION_NETWORK_ONLY = 1 << 0, /* outside chain main, only its own [section] and the command line count */
    OPTION_DEBUG_ONLY = 1 << 1,   /* help shows it only with -help-debug */
    OPTION_SENSITIVE = 1 << 2,    /* logs show **** in place of the value */
    OPTION_NO_NEGATION = 1 << 3,  /* -noNAME is an error */
    OPTION_NEEDS_VALUE = 1 << 4,  /* -NAME without =value is an error */
    OPTION_HIDDEN = 1 << 5,       /* accepted so that shared configurations work; changes nothing, or is internal */
    OPTION_RESERVED = 1 << 6,     /* accepted, but the part of the node that reads it is not in this program: no help */
};

struct option_row {
    const char *name; /* without the dash */
    enum option_kind kind;
    enum option_group group;
    unsigned flags;
    const char *value;    /* what help writes after the "=", or NULL */
    const char *fallback; /* the value where nothing is set, as a user would write it; NULL where there is none or it
                             depends on other options */
    const char *help;
};

/* Rows sorted by name. */
struct option_table {
    const char *program; /* "cairnd" */
    const char *summary; /* one line for the manual page */
    const char *usage;   /* what help prints between the version and the options */
    const struct option_row *rows;
    size_t count;
};

extern const struct option_table options_daemon;
extern const struct option_table options_cli;
extern const struct option_table options_miner;

/* The row with this name, or NULL. */
const struct option_row *option_find(const struct option_table *table, const char *name);

/* The title of a group ("RPC server options"). */
const char *option_group_title(enum option_group group);

/* True where help shows the row; DEBUG adds the rows for developers. */
bool option_is_shown(const struct option_row *row, bool debug);

#endif
