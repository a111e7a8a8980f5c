/* Options of the network that change the defaults of others, contradict each other, or belong to parts that are not
 * here but must not be ignored. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/cli.h"
#include "daemon/network_setup.h"

enum { I2P_PORT = 7656 };

/* Sets NAME where nobody did, and says why. */
static void prefer(struct args *a, struct log *log, const char *why, const char *name, const char *value)
{
    if (args_soft_set(a, name, value)) log_info(log, "parameter interaction: %s -> setting -%s=%s", why, name, value);
}

static size_t count_of(const struct args *a, const char *name)
{
    size_t count;
    free(args_list(a, name, &count));
    return count;
}

static bool has_proxy(const struct args *a)
{
    const char *proxy = args_string(a, "proxy");
    return proxy && *proxy && strcmp(proxy, "0") != 0;
}

static bool excludes_clearnet(const struct args *a)
{
    size_t count;
    const char **nets = args_list(a, "onlynet", &count);
    bool excluded = count > 0;
    for (size_t i = 0; i < count; i++) {
        enum network net = network_parse(nets[i]);
        if (net == NET_IPV4 || net == NET_IPV6) excluded = false;
    }
    free(nets);
    return excluded;
}

/* Whoever wants an own way in, or none out, is not listened or seeded for behind their back. */
static void interact_listen(struct args *a, struct log *log)
{
    static const char few[] = "-connect or -maxconnections=0 set", silent[] = "-listen=0";
    if (count_of(a, "bind")) prefer(a, log, "-bind set", "listen", "1");
    if (count_of(a, "whitebind")) prefer(a, log, "-whitebind set", "listen", "1");
    if (count_of(a, "connect") || args_is_negated(a, "connect") || args_int(a, "maxconnections") <= 0) {
        prefer(a, log, few, "dnsseed", "0");
        prefer(a, log, few, "listen", "0");
    }
    if (has_proxy(a)) {
        prefer(a, log, "-proxy set", "listen", "0");
        prefer(a, log, "-proxy set", "natpmp", "0");
        prefer(a, log, "-proxy set", "discover", "0");
    }
    if (!args_bool_or(a, "listen", true)) {
        prefer(a, log, silent, "natpmp", "0");
        prefer(a, log, silent, "discover", "0");
        prefer(a, log, silent, "listenonion", "0");
        prefer(a, log, silent, "i2pacceptincoming", "0");
    }
    if (count_of(a, "externalip")) prefer(a, log, "-externalip set", "discover", "0");
}

void network_interaction(struct args *a, struct log *log)
{
    interact_listen(a, log);
    if (args_bool(a, "blocksonly")) {
        prefer(a, log, "-blocksonly=1", "whitelistrelay", "0");
        prefer(a, log, "-blocksonly=1", "maxmempool", "5");
    }
    if (args_bool(a, "whitelistforcerelay")) prefer(a, log, "-whitelistforcerelay=1", "whitelistrelay", "1");
    if (excludes_clearnet(a)) prefer(a, log, "-onlynet excludes IPv4 and IPv6", "dnsseed", "0");
}

/* ---- contradictions ---- */

static bool check_listening(struct daemon *d, struct start_error *error)
{
    bool listen = args_bool_or(&d->args, "listen", true);
    if (args_bool(&d->args, "forcednsseed") && !args_bool_or(&d->args, "dnsseed", true))
        return start_fail(error, "Cannot set -forcednsseed to true when setting -dnsseed to false.");
    if (!listen && (count_of(&d->args, "bind") || count_of(&d->args, "whitebind")))
        return start_fail(error, "Cannot set -bind or -whitebind together with -listen=0");
    if (!listen && args_bool(&d->args, "listenonion"))
        return start_fail(error, "Cannot set -listen=0 together with -listenonion=1");
    return true;
}

bool network_wants_onion_service(const struct args *a)
{
    return args_bool(a, "listenonion");
}

bool network_check_i2p(struct daemon *d, const struct network_setup *s, struct start_error *error)
{
    const char *sam = args_string(&d->args, "i2psam");
    struct endpoint at;
    if (sam && *sam) {
        bool ok = resolve_endpoint(&at, sam, I2P_PORT, args_bool(&d->args, "dns")) && netaddr_is_valid(&at.addr);
        return ok ? true : start_fail(error, "Invalid -i2psam address or hostname: '%.200s'", sam);
    }
    if (count_of(&d->args, "onlynet") && s->reachable >> NET_I2P & 1)
        return start_fail(error, "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided");
    return true;
}

bool network_check_broadcast(struct daemon *d, const struct network_setup *s, struct start_error *error)
{
#define REQUESTED "Private broadcast of own transactions requested (-privatebroadcast)"
    bool onion = s->reachable >> NET_ONION & 1;
    if (!args_bool(&d->args, "privatebroadcast")) return true;
    if (!onion && !(s->reachable >> NET_I2P & 1))
        return start_fail(error, REQUESTED ", but none of Tor or I2P networks is reachable");
    if (count_of(&d->args, "connect") || args_is_negated(&d->args, "connect"))
        return start_fail(error,
                          REQUESTED ", but -connect is also configured. They are incompatible because the private "
                                    "broadcast needs to open new connections to randomly chosen Tor or I2P peers. "
                                    "Consider using -maxconnections=0 -addnode=... instead");
    if (onion && !args_bool(&d->args, "proxyrandomize"))
        start_warn(d, REQUESTED " and -proxyrandomize is disabled. Tor circuits for private broadcast connections may "
                                "be correlated to other connections over Tor. For maximum privacy set "
                                "-proxyrandomize=1.");
#undef REQUESTED
    return true;
}

static bool bad_port(struct start_error *error, const char *option, const char *value)
{
    buffer_printf(&error->text, "Invalid port specified in -%s: '%s'", option, value);
    return false;
}

static bool check_port_number(struct daemon *d, const char *option, struct start_error *error)
{
    if (!args_is_set(&d->args, option)) return true;
    const char *text = args_string(&d->args, option);
    size_t digits = strspn(text, "0123456789");
    bool ok = digits && digits <= 5 && !text[digits] && atoi(text) > 0 && atoi(text) <= UINT16_MAX;
    return ok ? true : bad_port(error, option, text);
}

/* The port of "host:port" is one; behind a last '=' stands something else where SUFFIX says so. */
static bool check_ports_of(struct daemon *d, const char *option, bool suffix, bool unix_path, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, option, &count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const char *end = suffix ? strrchr(values[i], '=') : NULL;
        struct span host, text = end ? span_of(values[i], (size_t)(end - values[i])) : span_str(values[i]);
        uint16_t port = 0;
        if (split_host_port(text, &port, &host)) continue;
        if (!unix_path || strncmp(values[i], "unix:", 5) != 0) ok = bad_port(error, option, values[i]);
    }
    free(values);
    return ok;
}

static bool check_port_of(struct daemon *d, const char *option, bool unix_path, struct start_error *error)
{
    const char *text = args_is_set(&d->args, option) ? args_string(&d->args, option) : "";
    struct span host;
    uint16_t port = 0;
    if (split_host_port(span_str(text), &port, &host) || (unix_path && strncmp(text, "unix:", 5) == 0)) return true;
    return bad_port(error, option, text);
}

static bool check_ports(struct daemon *d, struct start_error *error)
{
    static const struct {
        const char *option;
        bool suffix, unix_path;
    } lists[] = {
        {"proxy", true, true},
        {"bind", true, false},
        {"rpcbind", false, false},
        {"whitebind", false, false},
        {"zmqpubhashblock", false, true},
        {"zmqpubhashtx", false, true},
        {"zmqpubrawblock", false, true},
        {"zmqpubrawtx", false, true},
        {"zmqpubsequence", false, true},
    };
    if (!check_port_number(d, "port", error) || !check_port_number(d, "rpcport", error)) return false;
    if (!check_port_of(d, "i2psam", false, error) || !check_port_of(d, "onion", true, error) ||
        !check_port_of(d, "torcontrol", false, error))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (!check_ports_of(d, lists[i].option, lists[i].suffix, lists[i].unix_path, error)) return false;
    return true;
}

bool network_check_options(struct daemon *d, struct start_error *error)
{
    uint64_t bytes;
    const char *target = args_string(&d->args, "maxuploadtarget");
    if (!check_listening(d, error)) return false;
    if (args_int(&d->args, "maxconnections") < 0)
        return start_fail(error, "-maxconnections must be greater or equal than zero");
    if (args_int(&d->args, "peertimeout") <= 0) return start_fail(error, "peertimeout must be a positive integer.");
    if (!parse_byte_units(target, 'M', &bytes))
        return start_fail(error, "Unable to parse -maxuploadtarget: '%.100s'", target);
    return check_ports(d, error);
}
