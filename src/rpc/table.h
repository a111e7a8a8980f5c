/* All methods: one list a topic, each in its own file, and what is asked of the whole of them. */
#ifndef CAIRN_RPC_TABLE_H
#define CAIRN_RPC_TABLE_H

#include "base/buffer.h"
#include "rpc/method.h"

/* Each list ends with a row without a name. */
extern const struct rpc_method rpc_control_methods[];
extern const struct rpc_method rpc_test_methods[];
extern const struct rpc_method rpc_address_methods[];
extern const struct rpc_method rpc_decode_methods[];
extern const struct rpc_method rpc_raw_methods[];
extern const struct rpc_method rpc_mempool_methods[];
extern const struct rpc_method rpc_send_methods[];
extern const struct rpc_method rpc_package_methods[];
extern const struct rpc_method rpc_spends_methods[];
extern const struct rpc_method rpc_fee_methods[];
extern const struct rpc_method rpc_pool_file_methods[];
extern const struct rpc_method rpc_key_methods[];
extern const struct rpc_method rpc_block_methods[];
extern const struct rpc_method rpc_chain_methods[];
extern const struct rpc_method rpc_reorg_methods[];
extern const struct rpc_method rpc_wait_methods[];
extern const struct rpc_method rpc_coins_methods[];
extern const struct rpc_method rpc_scan_methods[];
extern const struct rpc_method rpc_filter_methods[];
extern const struct rpc_method rpc_template_methods[];
extern const struct rpc_method rpc_blockstats_methods[];
extern const struct rpc_method rpc_tx_methods[];
extern const struct rpc_method rpc_mining_methods[];
extern const struct rpc_method rpc_network_methods[];
extern const struct rpc_method rpc_peer_methods[];
extern const struct rpc_method rpc_addresses_methods[];
extern const struct rpc_method rpc_ban_methods[];

/* The row of METHOD, or NULL. */
const struct rpc_method *rpc_method_find(const char *method);

/* The rows in the lists' order: start with *AT = 0; NULL at the end. */
const struct rpc_method *rpc_method_next(size_t *at);

/* The rows sorted by category and name; *COUNT of them, in an array that the caller frees. */
const struct rpc_method **rpc_methods_sorted(size_t *count);

/* How the command line passes an argument. */
enum rpc_cli_form {
    RPC_CLI_FORM_STRING,
    RPC_CLI_FORM_FREE_STRING, /* a string that may hold '=' */
    RPC_CLI_FORM_JSON,
    RPC_CLI_FORM_JSON_OR_STRING, /* JSON where it parses, a string otherwise */
};

/* Argument number INDEX (from 0) of METHOD; RPC_CLI_FORM_STRING for methods and arguments that we do not know. */
enum rpc_cli_form rpc_param_form(const char *method, size_t index);

/* The form of METHOD's argument of this name, aliases and keys of named-argument objects included; false where there
 * is none. */
bool rpc_param_form_named(const char *method, const char *name, enum rpc_cli_form *form);

/* True where the command line must parse the argument as JSON (or try to). */
bool rpc_param_is_json(const char *method, size_t index, const char *name);

/* What is wrong with the rows, or NULL: too many arguments, a name twice in a method, a
 * method twice, a missing text. For tests. */
const char *rpc_table_fault(void);

#endif
