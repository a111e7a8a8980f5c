/* A method of the JSON-RPC interface is one row: name, category, arguments, help, handler. Argument checks, named
 * arguments, help texts, documentation and the command line's conversions are all derived from the rows. */
#ifndef CAIRN_RPC_METHOD_H
#define CAIRN_RPC_METHOD_H

#include <stdbool.h>
#include <stddef.h>

struct rpc_call;

enum rpc_type {
    RPC_STR,
    RPC_HEX, /* a string of hex digits; the handler checks the digits */
    RPC_NUM,
    RPC_BOOL,
    RPC_OBJ,
    RPC_OBJ_NAMED, /* an object whose keys may be given as named arguments of the method */
    RPC_OBJ_KEYS,  /* an object whose keys the user chooses */
    RPC_ARR,
    RPC_AMOUNT, /* a number or a string; the handler checks */
    RPC_RANGE,  /* a number or [begin,end]; the handler checks */
};

enum rpc_arg_flag {
    RPC_HIDDEN = 1,           /* accepted, but this argument and those after it are in no help text */
    RPC_ANY_TYPE = 2,         /* the type is documentation only; the handler checks */
    RPC_CLI_JSON = 4,         /* the command line parses it as JSON although its type is a string */
    RPC_CLI_OR_STRING = 8,    /* the command line parses it as JSON, or passes it as a string where that fails */
    RPC_CLI_STRING = 16,      /* a string that may hold '=': positional for the command line even with -named */
    RPC_ALSO_POSITIONAL = 32, /* a key of RPC_OBJ_NAMED that shares its name with a positional argument */
};

struct rpc_arg {
    const char *names; /* "name", or "name|alias|alias"; the first is the one in help texts */
    enum rpc_type type;
    const char *fallback;        /* NULL: required. "": may be left out. Otherwise the default's text in the help */
    const char *help;            /* one or more lines */
    unsigned flags;              /* enum rpc_arg_flag */
    const struct rpc_arg *inner; /* elements or keys of arrays and objects, ended by names == NULL; or NULL */
    const char *usage;           /* replaces the name in the usage line, or NULL */
    const char *type_text;       /* replaces the type in the help, or NULL */
};

typedef void rpc_handler(struct rpc_call *call);

struct rpc_method {
    const char *name;
    const char *category;       /* "blockchain", ..., "hidden": callable, in no list */
    const char *summary;        /* sentences; no new line at either end */
    const struct rpc_arg *args; /* ended by names == NULL; or NULL */
    const char *result;         /* the reply's form, one field a line; "": null; NULL: it only fails */
    const char *examples;       /* arguments as typed on a command line, one example a line; "" is a call without any;
                                 * NULL: no example */
    rpc_handler *handler;
    bool needs_node; /* the handler uses call->node */
};

enum { RPC_MAX_ARGS = 16 };

/* Rows of arguments in place:
 *     .args = RPC_ARGS(RPC_ARG("height", RPC_NUM, NULL, "The height."),
 *                      RPC_ARG("keys", RPC_ARR, "", "The keys.", .inner = RPC_ARGS(...)))
 */
/* clang-format off */
#define RPC_ARG(NAMES, TYPE, FALLBACK, HELP, ...) \
    {.names = (NAMES), .type = (TYPE), .fallback = (FALLBACK), .help = (HELP), __VA_ARGS__}
/* clang-format on */
#define RPC_ARGS(...) ((const struct rpc_arg[]){__VA_ARGS__, {.names = NULL}})

static inline size_t rpc_arg_count(const struct rpc_arg *args)
{
    size_t n = 0;
    while (args && args[n].names) n++;
    return n;
}

#endif
