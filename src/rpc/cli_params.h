/* The parameters of a request from the words of a command line. */
#ifndef CAIRN_RPC_CLI_PARAMS_H
#define CAIRN_RPC_CLI_PARAMS_H

#include "base/buffer.h"
#include "base/compiler.h"

/* Appends the `params` value for METHOD: an array, or with NAMED an object in which words of the form name=value are
 * named arguments and the others positions. Words that the method's row takes as JSON are passed on as they are.
 * False and a sentence in ERROR (to be freed by buffer_clear) where such a word is no JSON. */
MUST_USE bool rpc_cli_params(struct buffer *out, const char *method, const char *const *words, size_t count, bool named,
                             struct buffer *error);

#endif
