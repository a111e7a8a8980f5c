/* Help texts and documentation out of the table of methods. */
#ifndef CAIRN_RPC_HELP_H
#define CAIRN_RPC_HELP_H

#include "rpc/json_writer.h"
#include "rpc/method.h"

/* The usage line: getblock "blockhash" ( verbosity ) */
void rpc_help_usage(struct buffer *out, const struct rpc_method *m);

/* Usage line, summary, arguments, result, examples; ends with a new line. */
void rpc_help_method(struct buffer *out, const struct rpc_method *m);

/* The usage lines of all methods that are not hidden, by category; no new line at the end. */
void rpc_help_list(struct buffer *out);

/* All methods as Markdown: doc/rpc.md. */
void rpc_help_markdown(struct buffer *out);

/* [[method, position, name, is a string], ...] for every name of every argument. */
void rpc_help_conversions(struct json_writer *w);

#endif
