/* Texts made from option rows: -help, the example configuration, manual pages, Markdown, shell completion. */
#ifndef CAIRN_DAEMON_HELP_H
#define CAIRN_DAEMON_HELP_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "daemon/args.h"
#include "daemon/options.h"

/* "cairn daemon version v0.1.0" and a newline; WHAT is "daemon" or "RPC client". */
void help_version(const char *what, struct buffer *out);

/* All options that are shown, in their groups, with DEBUG those for developers too. */
void help_options(const struct option_table *table, bool debug, struct buffer *out);

/* What -help, -version and -gen=WHAT print; false where none of them is given. WHAT names the program in the first
 * line. An unknown -gen gives an empty text. */
MUST_USE bool help_answer(const struct args *args, const char *what, struct buffer *out);

void help_gen_conf(const struct option_table *table, struct buffer *out);
void help_gen_man(const struct option_table *table, struct buffer *out);
void help_gen_markdown(const struct option_table *table, struct buffer *out);
void help_gen_completion(const struct option_table *table, struct buffer *out);

#endif
