/* Which methods a user may call: -rpcwhitelist. */
#ifndef CAIRN_RPC_WHITELIST_H
#define CAIRN_RPC_WHITELIST_H

#include <stdbool.h>
#include <stddef.h>

struct rpc_whitelist_user {
    char *user;
    char **methods;
    size_t count;
};

struct rpc_whitelist {
    struct rpc_whitelist_user *users;
    size_t count;
    bool deny_others;
};

/* An empty list is all zeroes. VALUE is "USER:METHOD,METHOD". */
void rpc_whitelist_add(struct rpc_whitelist *list, const char *value);
void rpc_whitelist_clear(struct rpc_whitelist *list);

enum rpc_permission {
    RPC_ALLOWED_ALL,  /* the user has no entry, and others are allowed */
    RPC_ALLOWED_SOME, /* ask rpc_whitelist_allows */
    RPC_ALLOWED_NONE,
};

enum rpc_permission rpc_whitelist_permission(const struct rpc_whitelist *list, const char *user);
bool rpc_whitelist_allows(const struct rpc_whitelist *list, const char *user, const char *method);

#endif
