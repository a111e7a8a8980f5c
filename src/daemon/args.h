/* Settings: what the user set on the command line, in settings.json and in the configuration files, and which of
 * several values counts. The semantics are those of Bitcoin Core's options, whose configurations we read:
 *  - sources in order: forced by the program, command line, settings.json, [section] of the chain, top of the file;
 *  - on the command line and in settings.json the last value counts, in configuration files the first;
 *  - options for one network only are ignored outside their section unless the chain is main;
 *  - -noNAME sets false and forgets what came before; list options add up.
 * Functions that fail append one complete error text for the user to ERROR and return false. */
#ifndef CAIRN_DAEMON_ARGS_H
#define CAIRN_DAEMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "daemon/options.h"

enum arg_source { ARG_FORCED, ARG_COMMAND_LINE, ARG_SETTINGS, ARG_CONFIG };

struct arg_value {
    enum { ARG_FALSE, ARG_TRUE, ARG_TEXT } type; /* false: negated; true: negated twice */
    char *text;                                  /* of ARG_TEXT */
};

/* All values of one option from one source and section, in the order they were given. */
struct arg_entry {
    enum arg_source source;
    char *section; /* "" at the top of a file and outside ARG_CONFIG */
    const struct option_row *row;
    struct arg_value *values;
    size_t count;
    size_t cap;
};

/* A [section] or section.name seen in a configuration file. */
struct arg_section {
    char *name;
    char *file;
    int line;
};

struct args {
    const struct option_table *table;
    struct log *log; /* warnings about the configuration; may be NULL */
    struct arg_entry *entries;
    size_t count;
    size_t cap;
    struct arg_section *sections;
    size_t section_count;
    size_t section_cap;
    char **command; /* what follows the options on the command line */
    size_t command_count;
    const char *chain; /* NULL until args_select_chain */
    char *config_path; /* the configuration file, whether it exists or not; NULL before reading and with -noconf */
};

/* What the shell knows of a chain. */
struct chain_row {
    const char *name;   /* "regtest": of -chain, of the [section], of getblockchaininfo */
    const char *folder; /* under the data directory; "" for main */
    uint16_t rpc_port;  /* default */
    const char *option; /* "regtest": the option that selects it, NULL for main */
};

void args_init(struct args *a, const struct option_table *table, struct log *log);
void args_clear(struct args *a);

/* Reads argv[1..]. Stops at the first word without a dash; that and the rest become the command. The error begins with
 * "Error parsing command line arguments: ". */
MUST_USE bool args_parse_command_line(struct args *a, int argc, const char *const *argv, struct buffer *error);

/* The text cairnd prints where a command is given to a program that takes none; false where there is one. */
MUST_USE bool args_check_no_command(const struct args *a, struct buffer *error);

/* Reads the configuration file and those that it includes. Warnings about nested includes go to standard error. */
MUST_USE bool args_read_config_files(struct args *a, struct buffer *error);

/* Reads a configuration from memory; FILE names it in messages. */
MUST_USE bool args_read_config_text(struct args *a, const char *file, const char *text, struct buffer *error);

/* Reads settings.json where there is one. Needs the chain. */
MUST_USE bool args_read_settings(struct args *a, struct buffer *error);

/* Determines the chain from -chain, -regtest ... and makes its section count. */
MUST_USE bool args_select_chain(struct args *a, struct buffer *error);

/* The same without selecting: NULL (ERROR filled) where the options contradict each other or the name is unknown. */
const struct chain_row *args_find_chain(const struct args *a, struct buffer *error);

/* The chain named NAME, or NULL. */
const struct chain_row *chain_row_find(const char *name);

/* The selected chain. */
const struct chain_row *args_chain(const struct args *a);

/* Start-up in one call, for cairnd: checks the data directory, reads the configuration, selects the chain, makes the
 * directories (datadir.h), complains about an ignored bitcoin.conf, reads settings.json. */
MUST_USE bool args_load(struct args *a, struct buffer *error);

/* The getters take the name of a row without its dash and stop the process where there is none or its kind is another.
 * Without a value they return the row's fallback; without one of those false, 0, or NULL. */
bool args_bool(const struct args *a, const char *name);
bool args_bool_or(const struct args *a, const char *name, bool fallback);
int64_t args_int(const struct args *a, const char *name);
int64_t args_int_or(const struct args *a, const char *name, int64_t fallback);
/* Any kind. "0" where negated, "1" where negated twice. Good until A changes. */
const char *args_string(const struct args *a, const char *name);

/* Values of a list option (free() the array, not the texts; good until A changes). NULL where COUNT is 0. */
const char **args_list(const struct args *a, const char *name, size_t *count);

/* True where the list option NAME contains VALUE (for -test=NAME, -deprecatedrpc=NAME). */
bool args_list_has(const struct args *a, const char *name, const char *value);

/* True where somebody gave a value, be it a negation. */
bool args_is_set(const struct args *a, const char *name);
/* True where the value that counts is -noNAME. */
bool args_is_negated(const struct args *a, const char *name);

/* Sets an option that nobody set; false where somebody did. */
bool args_soft_set(struct args *a, const char *name, const char *value);
/* Sets an option whatever the user said. */
void args_force_set(struct args *a, const char *name, const char *value);

/* True where -help, -h, -? or -help-debug is given. */
bool args_wants_help(const struct args *a);

/* Appends the error of options for one network that stand outside their section ("Config setting for -port only
 * applied on ..."); false where there are any. */
MUST_USE bool args_check_sections(const struct args *a, struct buffer *error);

/* Appends a line for each unknown [section] ("FILE:LINE Section [NAME] is not recognized."). */
void args_unknown_sections(const struct args *a, struct buffer *out);

/* Writes every value to the log, sensitive ones as ****. */
void args_log(const struct args *a);

/* --- paths; all are absolute and malloc'ed --- */

/* $HOME/.bitcoin */
char *args_default_datadir(void);
/* The data directory, or NULL where -datadir names none. */
char *args_datadir(const struct args *a);
/* The directory of the selected chain in it, or NULL. */
char *args_chain_dir(const struct args *a);
/* The blocks folder of the selected chain (-blocksdir); NULL where -blocksdir names no directory. */
char *args_blocks_dir(const struct args *a);
/* The file that a string option names, relative to the directory of the chain; NULL where negated or unset. */
char *args_file(const struct args *a, const char *name);

/* --- for the files of this room --- */

/* The parts of "section.noNAME". */
struct arg_key {
    char section[64];
    const char *name;
    bool negated;
    bool bad; /* the section is longer than any */
};
struct arg_key arg_key_parse(const char *key);

/* Adds VALUE (NULL: none given) of ROW from a source, under KEY's negation; false where ROW forbids it. */
MUST_USE bool args_add(struct args *a, enum arg_source source, const char *section, const struct option_row *row,
                       bool negated, const char *value, struct buffer *error);

/* "5x" is 5, "x" is 0, too large saturates. */
int64_t arg_text_int(const char *text);
/* "" is true, else whether the number is not 0. */
bool arg_text_bool(const char *text);

/* The number of values up to and with the last negation. */
size_t arg_entry_negated(const struct arg_entry *entry);
/* The entry of one source, or NULL. */
struct arg_entry *args_entry(const struct args *a, enum arg_source source, const char *section, const char *name);

/* BASE/PATH, or PATH where it is absolute; "." and ".." and doubled slashes resolved as text. */
char *path_join(const char *base, const char *path);
bool path_is_dir(const char *path);
/* The whole file, or false. */
MUST_USE bool file_read(const char *path, struct buffer *out);

#endif
