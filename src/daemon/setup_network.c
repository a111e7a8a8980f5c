/* The network's options, and the node's peers made of them. */
#include "daemon/network_setup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "node/peers.h"
#include "p2p/fixed_seeds.h"

enum {
    FILES_BESIDE_CONNECTIONS = 160, /* databases, block files, RPC */
    SAVE_EVERY_US = 15 * 60 * 1000000LL,
    PROXY_PORT = 9050,
    MAX_SEND_RATE = 1000, /* -txsendrate */
};

bool parse_byte_units(const char *text, char unit, uint64_t *out)
{
    static const char units[] = "kmgtKMGT";
    size_t digits = strspn(text, "0123456789");
    if (text[digits] && !text[digits + 1] && strchr(units, text[digits]))
        unit = text[digits];
    else if (text[digits])
        return false;
    if (!digits) return false;
    size_t at = (size_t)(strchr(units, unit) - units);
    uint64_t factor = 1, number = 0;
    for (size_t i = 0; i <= at % 4; i++) factor *= at < 4 ? 1000 : 1024;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (number > (UINT64_MAX - digit) / 10) return false;
        number = number * 10 + digit;
    }
    if (number > UINT64_MAX / factor) return false;
    *out = number * factor;
    return true;
}

bool resolve_endpoint(struct endpoint *out, const char *text, uint16_t default_port, bool names)
{
    char name[256];
    struct span host;
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    if (endpoint_parse(out, span_str(text), default_port)) return true;
    out->port = default_port;
    if (!names || !split_host_port(span_str(text), &out->port, &host) || !host.len || host.len >= sizeof(name))
        return false;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    if (getaddrinfo(name, NULL, &hints, &found)) return false;
    char numeric[NI_MAXHOST];
    bool ok = !getnameinfo(found->ai_addr, found->ai_addrlen, numeric, sizeof(numeric), NULL, 0, NI_NUMERICHOST) &&
              netaddr_parse(&out->addr, span_str(numeric));
    freeaddrinfo(found);
    return ok;
}

/* ---- which networks, and how ---- */

static bool read_networks(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t count;
    const char **nets = args_list(&d->args, "onlynet", &count);
    bool ok = true;
    s->reachable = count ? 0 : ~0u;
    for (size_t i = 0; ok && i < count; i++) {
        enum network net = network_parse(nets[i]);
        s->reachable |= 1u << net;
        if (net == NET_UNROUTABLE) ok = start_fail(error, "Unknown network specified in -onlynet: '%.100s'", nets[i]);
    }
    free(nets);
    if (ok && count && s->reachable >> NET_CJDNS & 1 && !args_is_set(&d->args, "cjdnsreachable"))
        ok = start_fail(error, "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not "
                               "provided");
    if (!args_is_set(&d->args, "cjdnsreachable") || args_is_negated(&d->args, "cjdnsreachable"))
        s->reachable &= ~(1u << NET_CJDNS);
    s->reachable &= 1u << NET_IPV4 | 1u << NET_IPV6 | 1u << NET_CJDNS | 1u << NET_ONION | 1u << NET_I2P;
    return ok;
}

static void set_proxy(struct network_setup *s, enum network net, const char *text, bool randomize)
{
    struct network_proxy *p = &s->proxies[net];
    snprintf(p->text, sizeof(p->text), "%s", text);
    p->randomize = randomize;
    if (net == NET_IPV4 || net == NET_IPV6) s->name_proxy = *p;
}

/* "host:port" or "unix:path" as text with a numeric address; "" and "0" are none. */
static bool parse_proxy(struct daemon *d, const char *value, char out[PROXY_TEXT])
{
    struct endpoint at;
    out[0] = '\0';
    if (!*value || strcmp(value, "0") == 0) return true;
    if (strncmp(value, "unix:", 5) == 0 && value[5]) {
        if (strlen(value + 5) >= sizeof(((struct sockaddr_un *)0)->sun_path)) return false;
        snprintf(out, PROXY_TEXT, "%s", value);
        return true;
    }
    if (!resolve_endpoint(&at, value, PROXY_PORT, args_bool(&d->args, "dns")) || !netaddr_is_valid(&at.addr))
        return false;
    endpoint_text(out, &at);
    return true;
}

/* One value of -proxy: "proxy" or "proxy=network". */
static bool read_proxy(struct daemon *d, struct network_setup *s, const char *value, struct start_error *error)
{
    static const enum network all[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_CJDNS};
    char text[PROXY_TEXT];
    bool randomize = args_bool(&d->args, "proxyrandomize");
    const char *sign = strrchr(value, '='), *net = sign ? sign + 1 : "";
    if (sign && !*net) return start_fail(error, "Invalid -proxy address or hostname, ends with '=': '%.200s'", value);
    char *host = mem_strdup(value);
    if (sign) host[sign - value] = '\0';
    bool valid = parse_proxy(d, host, text);
    if (!valid) buffer_printf(&error->text, "Invalid -proxy address or hostname: '%s'", host);
    free(host);
    if (!valid) return false;
    bool known = !*net;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (*net && strcasecmp(net, network_name(all[i])) != 0) continue;
        known = true;
        set_proxy(s, all[i], text, randomize);
    }
    if (!known) return start_fail(error, "Unrecognized network in -proxy='%.200s': '%.50s'", value, net);
    return true;
}

static bool read_onion(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t count;
    char text[PROXY_TEXT];
    const char *onion = args_string(&d->args, "onion");
    free(args_list(&d->args, "onlynet", &count));
    bool only_onion = count && s->reachable >> NET_ONION & 1;
    if (onion && *onion) {
        if (strcmp(onion, "0") == 0 && only_onion)
            return start_fail(error, "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for "
                                     "reaching the Tor network is explicitly forbidden: -onion=0");
        if (!parse_proxy(d, onion, text))
            return start_fail(error, "Invalid -onion address or hostname: '%.200s'", onion);
        set_proxy(s, NET_ONION, text, args_bool(&d->args, "proxyrandomize"));
    }
    if (only_onion && !s->proxies[NET_ONION].text[0] && !network_wants_onion_service(&d->args))
        return start_fail(error, "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching "
                                 "the Tor network is not provided: none of -proxy, -onion or -listenonion is given");
    return true;
}

static bool read_proxies(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "proxy", &count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) ok = read_proxy(d, s, values[i], error);
    free(values);
    uint32_t clearnet = 1u << NET_IPV4 | 1u << NET_IPV6;
    if (ok && args_is_set(&d->args, "dnsseed") && args_bool_or(&d->args, "dnsseed", false) &&
        !(s->reachable & clearnet))
        return start_fail(error, "Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids "
                                 "connections to IPv4/IPv6");
    if (!ok || !read_onion(d, s, error) || !network_check_i2p(d, s, error)) return false;
    s->reachable &= ~(1u << NET_I2P); /* nothing here speaks to its SAM bridge */
    if (!s->proxies[NET_ONION].text[0]) s->reachable &= ~(1u << NET_ONION);
    return true;
}

static const char *proxy_text(const struct network_proxy *p, bool *randomize)
{
    if (!p->text[0]) return NULL;
    if (randomize) *randomize = p->randomize;
    return p->text;
}

const char *network_proxy(const struct daemon *d, enum network net, bool *randomize)
{
    return d->net_setup ? proxy_text(&d->net_setup->proxies[net], randomize) : NULL;
}

const char *network_proxy_for(const struct daemon *d, const char *host, const struct endpoint *to, bool *randomize)
{
    const struct network_setup *s = d->net_setup;
    struct endpoint at;
    if (!s) return NULL;
    if (!*host && to)
        at = *to;
    else if (!endpoint_parse(&at, span_str(host), 1))
        return proxy_text(&s->name_proxy, randomize);
    if (s->reachable >> NET_CJDNS & 1) netaddr_flip_to_cjdns(&at.addr);
    return network_proxy(d, netaddr_network(&at.addr), randomize);
}

/* ---- how many connections ---- */

/* Raises the limit of open files where it is below WANTED; returns what it is now. */
static int64_t raise_file_limit(int64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return wanted;
    if (limit.rlim_cur != RLIM_INFINITY && (int64_t)limit.rlim_cur < wanted) {
        rlim_t before = limit.rlim_cur, most = limit.rlim_max;
        limit.rlim_cur = most != RLIM_INFINITY && (int64_t)most < wanted ? most : (rlim_t)wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit)) limit.rlim_cur = before;
    }
    return limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

static bool read_connections(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t binds, whitebinds;
    int64_t wanted = args_int(&d->args, "maxconnections");
    free(args_list(&d->args, "bind", &binds));
    free(args_list(&d->args, "whitebind", &whitebinds));
    if (wanted > INT32_MAX / 2) wanted = INT32_MAX / 2;
    size_t sockets = binds + whitebinds ? binds + whitebinds : 1;
    int64_t needed = FILES_BESIDE_CONNECTIONS + P2P_MAX_ADDNODE + (int64_t)sockets;
    int64_t available = raise_file_limit(wanted + needed);
    if (available < needed)
        return start_fail(error, "Not enough file descriptors available. %lld available, %lld required.",
                          (long long)available, (long long)needed);
    int64_t most = wanted < available - needed ? wanted : available - needed;
    if (most < wanted)
        start_warn(d, "Reducing -maxconnections from %lld to %lld, because of system limitations.", (long long)wanted,
                   (long long)most);
    log_info(&d->log.log, "Using at most %lld automatic connections (%lld file descriptors available)", (long long)most,
             (long long)available);
    s->options.max_connections = (unsigned)most;
    int64_t percent = args_int(&d->args, "inboundrelaypercent");
    s->options.no_relay_percent = 100 - (unsigned)(percent < 0 ? 0 : percent > 100 ? 100 : percent);
    return true;
}

/* ---- whom to connect to ---- */

static void read_nodes(struct daemon *d, struct network_setup *s)
{
    struct p2p_options *o = &s->options;
    size_t count, seeds;
    s->connect = args_list(&d->args, "connect", &o->connect_count);
    o->automatic = !o->connect_count && !args_is_negated(&d->args, "connect");
    if (o->connect_count == 1 && strcmp(s->connect[0], "0") == 0) o->connect_count = 0;
    s->add_nodes = args_list(&d->args, "addnode", &count);
    for (size_t i = 0; i < count; i++) {
        if (s->add_nodes[i][strspn(s->add_nodes[i], " \f\n\r\t\v")])
            s->add_nodes[o->add_node_count++] = s->add_nodes[i];
        else
            log_warning(&d->log.log, "Ignoring empty -addnode value");
    }
    s->seed_nodes = args_list(&d->args, "seednode", &o->seed_node_count);
    s->dns_seeds = args_list(&d->args, "signetseednode", &seeds);
    bool own_seeds = seeds && d->options.params.type == CHAIN_SIGNET;
    o->connect = s->connect;
    o->add_nodes = s->add_nodes;
    o->seed_nodes = s->seed_nodes;
    o->dns_seeds = own_seeds ? s->dns_seeds : d->options.params.dns_seeds;
    o->dns_seed_count = own_seeds ? seeds : d->options.params.dns_seed_count;
    if (o->connect_count && o->seed_node_count) log_info(&d->log.log, "-seednode is ignored when -connect is used");
    if (!o->automatic && args_is_set(&d->args, "dnsseed") && args_bool_or(&d->args, "dnsseed", true) &&
        args_is_set(&d->args, "proxy"))
        log_info(&d->log.log, "-dnsseed is ignored when -connect is used and -proxy is specified");
}

static bool read_whitelist(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "whitelist", &count);
    s->whitelist = mem_calloc(count + 1, sizeof(*s->whitelist));
    s->options.whitelist = s->whitelist;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = permission_rule_parse(&s->whitelist[s->options.whitelist_count++], values[i], &error->text);
    free(values);
    return ok;
}

static bool read_external(struct daemon *d, struct network_setup *s, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "externalip", &count);
    s->external = mem_calloc(count + 1, sizeof(*s->external));
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        struct endpoint *e = &s->external[s->external_count++];
        ok = resolve_endpoint(e, values[i], s->listen_port, args_bool(&d->args, "dns")) && netaddr_is_valid(&e->addr);
        if (!ok) (void)start_fail(error, "Cannot resolve -externalip address: '%.200s'", values[i]);
    }
    free(values);
    return ok;
}

/* ---- the rest ---- */

static void read_switches(struct daemon *d, struct network_setup *s)
{
    struct p2p_options *o = &s->options;
    int64_t extra = args_int(&d->args, "blockreconstructionextratxn");
    int64_t relay = args_int(&d->args, "inboundrelaypercent");
    o->services = NODE_WITNESS | NODE_NETWORK_LIMITED | (args_int(&d->args, "prune") ? 0 : NODE_NETWORK) |
                  (args_bool(&d->args, "peerblockfilters") ? NODE_COMPACT_FILTERS : 0) |
                  (args_bool(&d->args, "peerbloomfilters") ? NODE_BLOOM : 0);
    o->subversion = d->subversion;
    o->default_port = d->options.params.p2p_port;
    o->peer_timeout_s = args_int(&d->args, "peertimeout");
    o->blocks_only = args_bool(&d->args, "blocksonly");
    o->network_active = args_bool(&d->args, "networkactive");
    o->listen = args_bool_or(&d->args, "listen", true);
    o->advertise = o->listen;
    o->dns_lookup = args_bool(&d->args, "dns");
    o->dns_seed = args_bool_or(&d->args, "dnsseed", true);
    o->force_dns_seed = args_bool(&d->args, "forcednsseed");
    o->fixed_seeds = args_bool(&d->args, "fixedseeds");
    o->log_ips = args_bool(&d->args, "logips");
    o->no_relay_percent = (unsigned)(100 - (relay < 0 ? 0 : relay > 100 ? 100 : relay));
    o->extra_txs = (unsigned)(extra < 0 ? 0 : extra > UINT32_MAX ? UINT32_MAX : extra);
    int64_t rate = args_int(&d->args, "txsendrate");
    o->tx_send_rate = (unsigned)(rate < 1 ? 1 : rate > MAX_SEND_RATE ? MAX_SEND_RATE : rate);
    o->whitelist_relay = args_bool(&d->args, "whitelistrelay");
    o->whitelist_force_relay = args_bool(&d->args, "whitelistforcerelay");
    o->networks = s->reachable;
    o->fixed_count = fixed_seeds(d->options.params.type, &s->fixed);
    o->fixed = s->fixed;
    s->discover = args_bool_or(&d->args, "discover", true);
    s->keep_anchors = o->automatic;
}

bool setup_network_options(struct daemon *d, struct start_error *error)
{
    struct network_setup *s = d->net_setup = mem_calloc(1, sizeof(*s));
    network_interaction(&d->args, &d->log.log);
    if (!network_check_options(d, error) || !read_connections(d, s, error) || !read_networks(d, s, error) ||
        !read_proxies(d, s, error) || !network_check_broadcast(d, s, error) || !read_binds(d, s, error) ||
        !read_external(d, s, error) || !read_whitelist(d, s, error) ||
        !parse_byte_units(args_string(&d->args, "maxuploadtarget"), 'M', &s->options.max_upload_bytes))
        return false;
    read_nodes(d, s);
    read_switches(d, s);
    return true;
}

/* ---- the peers ---- */

static bool random_seed(uint8_t seed[32], struct start_error *error)
{
    return getrandom(seed, 32, 0) == 32 ? true : start_fail(error, "The system gives no random numbers.");
}

static struct addrman *make_addrman(struct daemon *d, struct start_error *error)
{
    int64_t check = args_int(&d->args, "checkaddrman");
    struct addrman_options o = {
        .key_is_one = args_list_has(&d->args, "test", "addrman"),
        .check_one_in = (uint32_t)(check < 0         ? 0
                                   : check > 1000000 ? 1000000
                                                     : check),
        .log = &d->log.log,
    };
    return random_seed(o.seed, error) ? addrman_new(&o) : NULL;
}

static int64_t now_s(const struct daemon *d)
{
    return d->options.mock_time_s ? d->options.mock_time_s : clock_us() / 1000000;
}

/* Programs that follow the log of Bitcoin Core wait for these lines, although there are no such threads here. */
static void log_begin(struct daemon *d, const struct p2p_options *o)
{
    log_info(&d->log.log, "init message: Starting network threads…");
    log_info(&d->log.log, "net thread start");
    if (o->dns_seed) log_info(&d->log.log, "dnsseed thread start");
    log_info(&d->log.log, "addcon thread start");
    if (o->automatic || o->connect_count) log_info(&d->log.log, "opencon thread start");
    log_info(&d->log.log, "msghand thread start");
}

bool setup_network(struct daemon *d, struct start_error *error)
{
    struct network_setup *s = d->net_setup;
    struct random random;
    struct bans bans = {0};
    uint8_t seed[32];
    log_info(&d->log.log, "Using /16 prefix for IP bucketing");
    log_info(&d->log.log, "init message: Loading P2P addresses…");
    struct addrman *addrman = make_addrman(d, error);
    if (!addrman) return false;
    if (!read_addresses(d, addrman, error) || !random_seed(s->options.seed, error) || !random_seed(seed, error)) {
        addrman_free(addrman);
        return false;
    }
    random_init(&random, seed);
    bans_init(&bans, args_int(&d->args, "bantime"), &random);
    log_info(&d->log.log, "init message: Loading banlist…");
    read_bans(d, &bans, s->reachable >> NET_CJDNS & 1, now_s(d));
    if (s->options.automatic) read_anchors(d, s);
    s->options.anchors = s->anchors;
    s->options.anchor_count = s->anchor_count;
    node_open_peers(d->node, &s->options, addrman, &bans);
    s->saved_us = clock_steady_us();
    node_set_clock(d->node, clock_us(), s->saved_us);
    add_local_addresses(d, s, p2p_local(d->node->p2p));
    log_begin(d, &s->options);
    return true;
}

void network_save(struct daemon *d)
{
    struct network_setup *s = d->net_setup;
    if (!d->node || !d->node->p2p) return;
    s->running = true;
    if (d->node->bans.changed) write_bans(d, &d->node->bans, node_time_s(d->node));
    if (clock_steady_us() - s->saved_us < SAVE_EVERY_US) return;
    s->saved_us = clock_steady_us();
    write_addresses(d, d->node->addrman);
}

void network_keep_anchors(struct daemon *d)
{
    struct network_setup *s = d->net_setup;
    if (s->running) s->anchor_count = p2p_anchors(d->node->p2p, s->anchors, MAX_ANCHORS);
}

void close_network(struct daemon *d)
{
    struct network_setup *s = d->net_setup;
    if (!s) return;
    if (d->node && d->node->p2p) {
        write_addresses(d, d->node->addrman);
        if (s->keep_anchors) write_anchors(d, s);
        write_bans(d, &d->node->bans, node_time_s(d->node));
    }
}

void free_network_options(struct daemon *d)
{
    struct network_setup *s = d->net_setup;
    if (!s) return;
    free(s->connect);
    free(s->add_nodes);
    free(s->seed_nodes);
    free(s->dns_seeds);
    free(s->whitelist);
    free(s->external);
    free(s->fixed);
    free(d->binds);
    free(s);
    d->binds = NULL;
    d->net_setup = NULL;
}
