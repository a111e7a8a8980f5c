/* The table of all methods and the questions about it. */
#include "rpc/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const struct rpc_method *const lists[] = {
    rpc_control_methods,   rpc_test_methods,   rpc_address_methods,    rpc_decode_methods, rpc_raw_methods,
    rpc_key_methods,       rpc_mining_methods, rpc_wait_methods,       rpc_tx_methods,     rpc_network_methods,
    rpc_coins_methods,     rpc_chain_methods,  rpc_blockstats_methods, rpc_block_methods,  rpc_scan_methods,
    rpc_template_methods,  rpc_peer_methods,   rpc_addresses_methods,  rpc_ban_methods,    rpc_filter_methods,
    rpc_mempool_methods,   rpc_send_methods,   rpc_package_methods,    rpc_spends_methods, rpc_fee_methods,
    rpc_pool_file_methods, rpc_reorg_methods,
};

const struct rpc_method *rpc_method_next(size_t *at)
{
    size_t skip = (*at)++;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (const struct rpc_method *m = lists[i]; m->name; m++) {
            if (skip-- == 0) return m;
        }
    }
    return NULL;
}

const struct rpc_method *rpc_method_find(const char *method)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (const struct rpc_method *m = lists[i]; m->name; m++) {
            if (strcmp(m->name, method) == 0) return m;
        }
    }
    return NULL;
}

static int by_category(const void *a, const void *b)
{
    const struct rpc_method *x = *(const struct rpc_method *const *)a;
    const struct rpc_method *y = *(const struct rpc_method *const *)b;
    int order = strcmp(x->category, y->category);
    return order ? order : strcmp(x->name, y->name);
}

const struct rpc_method **rpc_methods_sorted(size_t *count)
{
    size_t at = 0, n = 0;
    while (rpc_method_next(&at)) n++;
    const struct rpc_method **all = mem_calloc(n, sizeof *all);
    at = 0;
    for (size_t i = 0; i < n; i++) all[i] = rpc_method_next(&at);
    qsort(all, n, sizeof *all, by_category);
    *count = n;
    return all;
}

static enum rpc_cli_form form_of(const struct rpc_arg *arg)
{
    if (arg->flags & RPC_CLI_OR_STRING) return RPC_CLI_FORM_JSON_OR_STRING;
    if (arg->flags & RPC_CLI_STRING) return RPC_CLI_FORM_FREE_STRING;
    if (arg->flags & RPC_CLI_JSON) return RPC_CLI_FORM_JSON;
    return arg->type == RPC_STR || arg->type == RPC_HEX ? RPC_CLI_FORM_STRING : RPC_CLI_FORM_JSON;
}

enum rpc_cli_form rpc_param_form(const char *method, size_t index)
{
    const struct rpc_method *m = rpc_method_find(method);
    return m && index < rpc_arg_count(m->args) ? form_of(&m->args[index]) : RPC_CLI_FORM_STRING;
}

/* True where NAME is one of "a|b|c". */
static bool name_among(const char *names, const char *name)
{
    size_t len = strlen(name);
    while (len && names) {
        if (strncmp(names, name, len) == 0 && (names[len] == '\0' || names[len] == '|')) return true;
        names = strchr(names, '|');
        if (names) names++;
    }
    return false;
}

bool rpc_param_form_named(const char *method, const char *name, enum rpc_cli_form *form)
{
    const struct rpc_method *m = rpc_method_find(method);
    for (const struct rpc_arg *a = m ? m->args : NULL; a && a->names; a++) {
        if (name_among(a->names, name)) {
            *form = form_of(a);
            return true;
        }
        for (const struct rpc_arg *key = a->type == RPC_OBJ_NAMED ? a->inner : NULL; key && key->names; key++) {
            if (name_among(key->names, name)) {
                *form = form_of(key);
                return true;
            }
        }
    }
    return false;
}

bool rpc_param_is_json(const char *method, size_t index, const char *name)
{
    enum rpc_cli_form form = RPC_CLI_FORM_STRING;
    if (!name)
        form = rpc_param_form(method, index);
    else if (!rpc_param_form_named(method, name, &form))
        return false;
    return form == RPC_CLI_FORM_JSON || form == RPC_CLI_FORM_JSON_OR_STRING;
}

static const char *args_fault(const struct rpc_method *m)
{
    size_t count = rpc_arg_count(m->args);
    if (count > RPC_MAX_ARGS) return "too many arguments";
    for (size_t i = 0; i < count; i++) {
        if (!m->args[i].help) return "an argument without a help text";
        for (size_t j = 0; j < i; j++) {
            const char *names = m->args[j].names;
            size_t len = strcspn(m->args[i].names, "|");
            char first[64] = "";
            if (len >= sizeof first) return "a name that is too long";
            memcpy(first, m->args[i].names, len);
            if (name_among(names, first)) return "an argument's name twice";
        }
    }
    return NULL;
}

const char *rpc_table_fault(void)
{
    size_t at = 0;
    for (const struct rpc_method *m = rpc_method_next(&at); m; m = rpc_method_next(&at)) {
        if (!m->category || !m->summary || !m->handler) return m->name;
        if (rpc_method_find(m->name) != m) return m->name;
        if (args_fault(m)) return m->name;
    }
    return NULL;
}
