/* The whitelist of methods by user. */
#include "rpc/whitelist.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static struct rpc_whitelist_user *find_user(const struct rpc_whitelist *list, const char *user)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->users[i].user, user) == 0) return &list->users[i];
    }
    return NULL;
}

static bool has_method(const struct rpc_whitelist_user *user, const char *method)
{
    for (size_t i = 0; i < user->count; i++) {
        if (strcmp(user->methods[i], method) == 0) return true;
    }
    return false;
}

static void clear_methods(struct rpc_whitelist_user *user)
{
    for (size_t i = 0; i < user->count; i++) free(user->methods[i]);
    free(user->methods);
    user->methods = NULL;
    user->count = 0;
}

/* METHODS separated by commas and spaces; ONLY (or NULL) limits them to those of an earlier value. */
static void parse_methods(struct rpc_whitelist_user *out, const char *methods, const struct rpc_whitelist_user *only)
{
    while (*methods) {
        size_t len = strcspn(methods, ", ");
        char *name = mem_alloc(len + 1);
        memcpy(name, methods, len);
        name[len] = '\0';
        if (len && !has_method(out, name) && (!only || has_method(only, name))) {
            out->methods = mem_realloc(out->methods, out->count + 1, sizeof *out->methods);
            out->methods[out->count++] = name;
        } else {
            free(name);
        }
        methods += len;
        if (*methods) methods++;
    }
}

void rpc_whitelist_add(struct rpc_whitelist *list, const char *value)
{
    size_t len = strcspn(value, ":");
    char *name = mem_alloc(len + 1);
    memcpy(name, value, len);
    name[len] = '\0';
    struct rpc_whitelist_user *user = find_user(list, name);
    struct rpc_whitelist_user fresh = {0};
    if (value[len]) parse_methods(&fresh, value + len + 1, user);
    if (!user) {
        list->users = mem_realloc(list->users, list->count + 1, sizeof *list->users);
        user = &list->users[list->count++];
        *user = (struct rpc_whitelist_user){.user = name};
        name = NULL;
    }
    free(name);
    if (!value[len]) return;
    clear_methods(user);
    user->methods = fresh.methods;
    user->count = fresh.count;
}

void rpc_whitelist_clear(struct rpc_whitelist *list)
{
    for (size_t i = 0; i < list->count; i++) {
        clear_methods(&list->users[i]);
        free(list->users[i].user);
    }
    free(list->users);
    *list = (struct rpc_whitelist){0};
}

enum rpc_permission rpc_whitelist_permission(const struct rpc_whitelist *list, const char *user)
{
    if (find_user(list, user)) return RPC_ALLOWED_SOME;
    return list->deny_others ? RPC_ALLOWED_NONE : RPC_ALLOWED_ALL;
}

bool rpc_whitelist_allows(const struct rpc_whitelist *list, const char *user, const char *method)
{
    const struct rpc_whitelist_user *entry = find_user(list, user);
    return entry ? has_method(entry, method) : !list->deny_others;
}
