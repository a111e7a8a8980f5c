/* Where we listen for peers, and which addresses are therefore ours. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/network_setup.h"

static void add_bind(struct daemon *d, const struct endpoint *at, unsigned permissions, bool onion)
{
    d->binds = mem_realloc(d->binds, d->bind_count + 1, sizeof(*d->binds));
    d->binds[d->bind_count++] = (struct net_bind){.at = *at, .permissions = permissions, .onion = onion};
}

static void warn_of_port(struct daemon *d, const char *option, uint16_t port)
{
    if (port_is_bad(port))
        start_warn(d, "%s asks for port %u, which other services use: hardly any peer will connect to it.", option,
                   port);
}

static bool read_bind(struct daemon *d, const struct network_setup *s, const char *value, struct start_error *error)
{
    struct endpoint at;
    const char *sign = strrchr(value, '=');
    bool onion = sign && strcmp(sign, "=onion") == 0;
    struct span text = sign ? span_of(value, (size_t)(sign - value)) : span_str(value);
    if ((sign && !onion) || !endpoint_parse(&at, text, (uint16_t)(s->port + onion)))
        return start_fail(error, "Cannot resolve -bind address: '%.200s'", value);
    if (!onion) warn_of_port(d, "-bind", at.port);
    if (s->reachable >> NET_CJDNS & 1) netaddr_flip_to_cjdns(&at.addr);
    add_bind(d, &at, PERM_NONE, onion);
    return true;
}

static bool read_user_binds(struct daemon *d, const struct network_setup *s, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "bind", &count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) ok = read_bind(d, s, values[i], error);
    free(values);
    values = args_list(&d->args, "whitebind", &count);
    for (size_t i = 0; ok && i < count; i++) {
        struct endpoint at;
        unsigned permissions;
        ok = permission_bind_parse(&at, &permissions, values[i], &error->text);
        if (ok) add_bind(d, &at, permissions, false);
    }
    free(values);
    return ok;
}

/* Without -bind, Tor's process finds us one port further on this machine; without -whitebind too, we listen on every
 * address. */
static void add_default_binds(struct daemon *d, const struct network_setup *s, size_t binds, bool any)
{
    static const uint8_t zeroes[16], local[4] = {127, 0, 0, 1};
    struct endpoint onion = {.addr = netaddr_ipv4(local), .port = (uint16_t)(s->port + 1)};
    if (binds == 0) add_bind(d, &onion, PERM_NONE, true);
    if (!any) return;
    struct endpoint v6 = {.addr = netaddr_from_ipv6(zeroes), .port = s->listen_port};
    struct endpoint v4 = {.addr = netaddr_ipv4(zeroes), .port = s->listen_port};
    add_bind(d, &v6, PERM_NONE, false);
    add_bind(d, &v4, PERM_NONE, false);
}

static bool check_conflicts(const struct daemon *d, struct start_error *error)
{
    char text[ENDPOINT_TEXT];
    for (size_t i = 0; i < d->bind_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!endpoint_equal(&d->binds[i].at, &d->binds[j].at)) continue;
            return start_fail(error,
                              "Duplicate binding configuration for address %s. Please check your -bind, "
                              "-bind=...=onion and -whitebind settings.",
                              endpoint_text(text, &d->binds[i].at));
        }
    }
    return true;
}

/* The port of the first -bind that names one, else of the first -whitebind whose peers are nothing special. */
static uint16_t find_listen_port(struct daemon *d, uint16_t port)
{
    size_t count;
    struct endpoint at;
    const char **values = args_list(&d->args, "bind", &count);
    uint16_t found = 0;
    for (size_t i = 0; !found && i < count; i++)
        if (endpoint_parse(&at, span_str(values[i]), 0)) found = at.port;
    free(values);
    values = args_list(&d->args, "whitebind", &count);
    for (size_t i = 0; !found && i < count; i++) {
        struct buffer ignored = {0};
        unsigned permissions;
        if (permission_bind_parse(&at, &permissions, values[i], &ignored) && !permits(permissions, PERM_NO_BAN))
            found = at.port;
        buffer_clear(&ignored);
    }
    free(values);
    return found ? found : port;
}

bool read_binds(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    s->port = (uint16_t)args_int_or(&d->args, "port", d->options.params.p2p_port);
    s->listen_port = find_listen_port(d, s->port);
    if (!read_user_binds(d, s, error)) return false;
    bool any = d->bind_count == 0;
    size_t binds;
    free(args_list(&d->args, "bind", &binds));
    s->discover_interfaces = any;
    for (size_t i = 0; i < d->bind_count; i++)
        s->discover_interfaces |= !d->binds[i].onion && netaddr_is_bind_any(&d->binds[i].at.addr);
    if (any && args_is_set(&d->args, "port")) warn_of_port(d, "-port", s->port);
    if (!args_bool_or(&d->args, "listen", true)) return true;
    add_default_binds(d, s, binds, any);
    return check_conflicts(d, error);
}

/* ---- our addresses ---- */

static void add_local(struct daemon *d, const struct network_setup *s, struct local_addrs *local,
                      const struct endpoint *at, int32_t score)
{
    char text[ENDPOINT_TEXT];
    if (local_addrs_add(local, at, score, score == LOCAL_MANUAL) && s->options.log_ips)
        log_info(&d->log.log, "AddLocal(%s,%d)", endpoint_text(text, at), score);
}

static void add_interfaces(struct daemon *d, const struct network_setup *s, struct local_addrs *local)
{
    struct ifaddrs *all, *i;
    char text[NI_MAXHOST];
    if (getifaddrs(&all)) return;
    for (i = all; i; i = i->ifa_next) {
        struct endpoint at = {.port = s->listen_port};
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK) continue;
        int family = i->ifa_addr->sa_family;
        socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if ((family != AF_INET && family != AF_INET6) ||
            getnameinfo(i->ifa_addr, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST))
            continue;
        if (!netaddr_parse(&at.addr, span_str(text))) continue;
        add_local(d, s, local, &at, LOCAL_IF);
    }
    freeifaddrs(all);
}

void add_local_addresses(struct daemon *d, const struct network_setup *s, struct local_addrs *local)
{
    local->discover = s->discover;
    local->listen = s->options.listen;
    local->listen_port = s->listen_port;
    local->reachable = s->reachable;
    for (size_t i = 0; i < s->external_count; i++) add_local(d, s, local, &s->external[i], LOCAL_MANUAL);
    if (s->discover && s->discover_interfaces) add_interfaces(d, s, local);
    for (size_t i = 0; i < d->bind_count; i++) {
        const struct net_bind *b = &d->binds[i];
        if (!s->discover || b->onion || permits(b->permissions, PERM_NO_BAN) || !netaddr_is_routable(&b->at.addr))
            continue;
        add_local(d, s, local, &b->at, LOCAL_BIND);
    }
}
