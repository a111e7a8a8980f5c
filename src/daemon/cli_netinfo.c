/* cairn-cli -netinfo and -addrinfo: the connections of a node on a screen, made of getpeerinfo and getnetworkinfo. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/cli.h"
#include "daemon/raw_json.h"
#include "daemon/version.h"

enum { MAX_LEVEL = 4, SMALL = 40, NET_KINDS = 7, NOT_ROUTABLE = 0, INTERNAL = 6 };

static const char *const networks[NET_KINDS] = {
    "not_publicly_routable", "ipv4", "ipv6", "onion", "i2p", "cjdns", "internal"};
static const char *const short_names[NET_KINDS] = {"npr", "ipv4", "ipv6", "onion", "i2p", "cjdns", "int"};

/* A line of the list, as text. */
struct line {
    bool outbound;
    double least_ping; /* seconds; -1: none */
    char type[SMALL], services[SMALL + 32], age[SMALL], id[SMALL], mapped_as[SMALL];
    char version[SMALL * 8], least[SMALL], ping[SMALL], sent[SMALL], received[SMALL], tx[SMALL], block[SMALL];
    char processed[SMALL], limited[SMALL];
    const char *network;
    char transport;
    bool hb_to, hb_from;
    char *address;
};

struct table {
    const struct netinfo_view *view;
    int64_t now_s;
    struct line *lines;
    size_t count, cap;
    unsigned counts[3][NET_KINDS + 1]; /* in, out, both; by network, all */
    unsigned block_relay, manual;
    int address_width, processed_width, limited_width, age_width, id_width, services_width;
    bool asmap;
};

/* ---- reading ---- */

static void plain(char *out, size_t size, struct span object, const char *name)
{
    struct buffer text = {0};
    raw_json_put_plain(&text, raw_json_member(object, name));
    snprintf(out, size, "%s", text.len ? buffer_text(&text) : "");
    buffer_clear(&text);
}

static double number(struct span object, const char *name, double fallback)
{
    char text[SMALL];
    if (raw_json_is_null(raw_json_member(object, name))) return fallback;
    plain(text, sizeof(text), object, name);
    return strtod(text, NULL);
}

static int64_t integer(struct span object, const char *name)
{
    char text[SMALL];
    if (raw_json_is_null(raw_json_member(object, name))) return 0;
    plain(text, sizeof(text), object, name);
    return strtoll(text, NULL, 10);
}

static bool is_true(struct span object, const char *name)
{
    return span_equal(raw_json_member(object, name), span_str("true"));
}

static bool says(struct span object, const char *name, const char *wanted)
{
    char text[SMALL];
    plain(text, sizeof(text), object, name);
    return strcmp(text, wanted) == 0;
}

static int network_of(struct span object, const char *name)
{
    char text[SMALL];
    plain(text, sizeof(text), object, name);
    for (int i = 0; i < NET_KINDS; i++)
        if (strcmp(text, networks[i]) == 0) return i;
    return -1;
}

/* A letter for each service. */
static void service_letters(char *out, size_t size, struct span names)
{
    struct span rest = names, name;
    size_t len = 0;
    while (names.len && raw_json_next(&rest, NULL, &name) && len + 1 < size) {
        struct buffer text = {0};
        raw_json_put_plain(&text, name);
        const char *s = buffer_text(&text);
        out[len++] = (char)(!strcmp(s, "NETWORK_LIMITED") ? 'l'
                            : !strcmp(s, "P2P_V2")        ? '2'
                                                          : tolower((unsigned char)s[0]));
        buffer_clear(&text);
    }
    out[len] = '\0';
}

static void ping_text(char out[SMALL], double seconds)
{
    double ms = round(1000 * seconds);
    if (seconds < 0)
        out[0] = '\0';
    else if (ms > 999999)
        snprintf(out, SMALL, "-");
    else
        snprintf(out, SMALL, "%.0f", ms);
}

/* How long ago, in units of UNIT_S; nothing where it never was. */
static void ago(char out[SMALL], const struct table *t, int64_t then_s, int unit_s)
{
    out[0] = '\0';
    if (then_s) snprintf(out, SMALL, "%lld", (long long)((t->now_s - then_s) / unit_s));
}

static const char *type_text(struct span peer)
{
    static const char *const rows[][2] = {
        {"outbound-full-relay", "full"}, {"block-relay-only", "block"}, {"manual", "manual"}, {"feeler", "feeler"},
        {"addr-fetch", "addr"},          {"private-broadcast", "priv"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (says(peer, "connection_type", rows[i][0])) return rows[i][1];
    return "";
}

static void widen(int *width, const char *text)
{
    if ((int)strlen(text) > *width) *width = (int)strlen(text);
}

static void count_text(char out[SMALL], int64_t count, const char *none)
{
    if (count)
        snprintf(out, SMALL, "%lld", (long long)count);
    else
        snprintf(out, SMALL, "%s", none);
}

static void read_activity(struct table *t, struct line *l, struct span peer)
{
    l->least_ping = number(peer, "minping", -1);
    ping_text(l->least, l->least_ping);
    ping_text(l->ping, number(peer, "pingtime", -1));
    ago(l->sent, t, integer(peer, "lastsend"), 1);
    ago(l->received, t, integer(peer, "lastrecv"), 1);
    ago(l->tx, t, integer(peer, "last_transaction"), 60);
    ago(l->block, t, integer(peer, "last_block"), 60);
    ago(l->age, t, integer(peer, "conntime"), 60);
    bool silent = !raw_json_is_null(raw_json_member(peer, "relaytxes")) && !is_true(peer, "relaytxes");
    if (!l->tx[0] && silent) snprintf(l->tx, sizeof(l->tx), "*");
    count_text(l->processed, integer(peer, "addr_processed"), is_true(peer, "addr_relay_enabled") ? "" : ".");
    count_text(l->limited, integer(peer, "addr_rate_limited"), "");
}

static void read_line(struct table *t, struct span peer, int network)
{
    char transport[SMALL], version[SMALL], user_agent[SMALL * 7];
    struct buffer address = {0};
    t->lines = mem_grow(t->lines, &t->cap, t->count + 1, sizeof(*t->lines));
    struct line *l = &t->lines[t->count++];
    memset(l, 0, sizeof(*l));
    l->outbound = !is_true(peer, "inbound");
    l->network = short_names[network];
    snprintf(l->type, sizeof(l->type), "%s", type_text(peer));
    service_letters(l->services, sizeof(l->services), raw_json_member(peer, "servicesnames"));
    plain(transport, sizeof(transport), peer, "transport_protocol_type");
    l->transport = !transport[0] ? '1' : transport[0] == 'v' && transport[1] && !transport[2] ? transport[1] : ' ';
    l->hb_to = is_true(peer, "bip152_hb_to");
    l->hb_from = is_true(peer, "bip152_hb_from");
    count_text(l->mapped_as, integer(peer, "mapped_as"), "");
    t->asmap |= l->mapped_as[0];
    plain(l->id, sizeof(l->id), peer, "id");
    plain(version, sizeof(version), peer, "version");
    plain(user_agent, sizeof(user_agent), peer, "subver");
    if (strcmp(version, "0") != 0 || user_agent[0])
        snprintf(l->version, sizeof(l->version), "%s%s", version, user_agent);
    raw_json_put_plain(&address, raw_json_member(peer, "addr"));
    l->address = mem_strdup(buffer_text(&address));
    buffer_clear(&address);
    read_activity(t, l, peer);
    if ((int)strlen(l->address) + 1 > t->address_width) t->address_width = (int)strlen(l->address) + 1;
    widen(&t->processed_width, l->processed);
    widen(&t->limited_width, l->limited);
    widen(&t->age_width, l->age);
    widen(&t->id_width, l->id);
    widen(&t->services_width, l->services);
}

static void read_peers(struct table *t, struct span peers)
{
    struct span rest = peers, peer;
    while (peers.len && raw_json_next(&rest, NULL, &peer)) {
        int network = network_of(peer, "network");
        bool outbound = !is_true(peer, "inbound");
        if (network < 0) continue;
        t->counts[outbound][network]++;
        t->counts[outbound][NET_KINDS]++;
        t->counts[2][network]++;
        t->counts[2][NET_KINDS]++;
        t->block_relay += says(peer, "connection_type", "block-relay-only");
        t->manual += says(peer, "connection_type", "manual");
        if (t->view->level && (outbound || !t->view->outbound_only)) read_line(t, peer, network);
    }
}

/* ---- writing ---- */

static int by_direction_and_ping(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->outbound != y->outbound) return x->outbound ? 1 : -1;
    return x->least_ping < y->least_ping ? -1 : x->least_ping > y->least_ping;
}

static void put_lines(const struct table *t, struct buffer *out)
{
    bool addresses = t->view->level == 2 || t->view->level == 4, versions = t->view->level >= 3;
    int address_width = addresses ? t->address_width : 0, asmap = t->asmap ? 7 : 0;
    buffer_printf(out, "<->   type   net %*s  v  mping   ping send recv  txn  blk  hb %*s%*s%*s ", t->services_width,
                  "serv", t->processed_width, "addrp", t->limited_width, "addrl", t->age_width, "age");
    buffer_printf(out, "%s%*s %-*s%s\n", t->asmap ? " asmap " : "", t->id_width, "id", address_width,
                  addresses ? "address" : "", versions ? "version" : "");
    for (size_t i = 0; i < t->count; i++) {
        const struct line *l = &t->lines[i];
        buffer_printf(out, "%3s %6s %5s %*s %2c%7s%7s%5s%5s%5s%5s  %c%c %*s%*s%*s%*s %*s %-*s%s\n",
                      l->outbound ? "out" : "in", l->type, l->network, t->services_width, l->services, l->transport,
                      l->least, l->ping, l->sent, l->received, l->tx, l->block, l->hb_to ? '.' : ' ',
                      l->hb_from ? '*' : ' ', t->processed_width, l->processed, t->limited_width, l->limited,
                      t->age_width, l->age, asmap, l->mapped_as, t->id_width, l->id, address_width,
                      addresses ? l->address : "", versions ? l->version : "");
    }
    buffer_printf(out, "                %*s         ms     ms  sec  sec  min  min                %*s\n\n",
                  t->services_width, "", t->age_width, "min");
}

static void put_counts(const struct table *t, struct span info, struct buffer *out)
{
    static const char *const rows[] = {"in", "out", "total"};
    struct span rest = raw_json_member(info, "networks"), network;
    int shown[NET_KINDS * 2], count = 0;
    bool any = rest.len;
    buffer_put_str(out, "     ");
    while (any && raw_json_next(&rest, NULL, &network)) {
        int n = network_of(network, "name");
        if (n < 0 || count == NET_KINDS || !is_true(network, "reachable")) continue;
        buffer_printf(out, "%8s", networks[n]);
        shown[count++] = n;
    }
    for (int n = NOT_ROUTABLE; n < NET_KINDS; n += INTERNAL) {
        if (!t->counts[2][n]) continue;
        buffer_printf(out, "%8s", short_names[n]);
        shown[count++] = n;
    }
    buffer_printf(out, "   total   block%s", t->manual ? "  manual" : "");
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        buffer_printf(out, "\n%-5s", rows[row]);
        for (int i = 0; i < count; i++) buffer_printf(out, "%8u", t->counts[row][shown[i]]);
        buffer_printf(out, "   %5u", t->counts[row][NET_KINDS]);
        if (row != 1) continue;
        buffer_printf(out, "   %5u", t->block_relay);
        if (t->manual) buffer_printf(out, "   %5u", t->manual);
    }
}

/* "network, witness, network limited" */
static void put_services(struct span names, struct buffer *out)
{
    struct span rest = names, name;
    bool first = true;
    while (names.len && raw_json_next(&rest, NULL, &name)) {
        size_t at = out->len + (first ? 0 : 2);
        if (!first) buffer_put_str(out, ", ");
        raw_json_put_plain(out, name);
        for (; at < out->len; at++) out->data[at] = out->data[at] == '_' ? ' ' : (uint8_t)tolower(out->data[at]);
        first = false;
    }
}

static void put_local_addresses(struct span addresses, struct buffer *out)
{
    struct span rest = addresses, item;
    char text[SMALL * 2];
    int width = 0;
    buffer_put_str(out, "\n\nLocal addresses");
    while (addresses.len && raw_json_next(&rest, NULL, &item)) {
        plain(text, sizeof(text), item, "address");
        if ((int)strlen(text) + 1 > width) width = (int)strlen(text) + 1;
    }
    if (!width) buffer_put_str(out, ": n/a\n");
    for (rest = addresses; width && raw_json_next(&rest, NULL, &item);) {
        plain(text, sizeof(text), item, "address");
        buffer_printf(out, "\n%-*s    port %6lld    score %6lld", width, text, (long long)integer(item, "port"),
                      (long long)integer(item, "score"));
    }
}

static void put_headline(const struct table *t, struct span info, const char *chain, struct buffer *out)
{
    char subversion[SMALL * 8], services[SMALL];
    const char *name = strcmp(chain, "test") == 0 ? "testnet" : chain;
    plain(subversion, sizeof(subversion), info, "subversion");
    buffer_printf(out, "%s client v%s%s%s - server %lld%s", CAIRN_NAME, CAIRN_VERSION,
                  strcmp(chain, "main") == 0 ? "" : " ", strcmp(chain, "main") == 0 ? "" : name,
                  (long long)integer(info, "protocolversion"), subversion);
    service_letters(services, sizeof(services), raw_json_member(info, "localservicesnames"));
    if (t->view->level) buffer_printf(out, " - services %s", services);
    buffer_put_str(out, "\n\n");
}

void cli_netinfo_request(struct buffer *out)
{
    buffer_put_u8(out, '[');
    cli_request(out, "getpeerinfo", span_str("[]"), "0", false);
    buffer_put_u8(out, ',');
    cli_request(out, "getnetworkinfo", span_str("[]"), "1", false);
    buffer_put_u8(out, ']');
}

bool cli_netinfo_text(struct span reply, const struct netinfo_view *view, int64_t now_s, const char *chain,
                      struct buffer *out, struct span *failed)
{
    struct span peers = cli_find_reply(reply, "0"), info = cli_find_reply(reply, "1");
    struct table t = {.view = view,
                      .now_s = now_s,
                      .processed_width = 5,
                      .limited_width = 6,
                      .age_width = 5,
                      .id_width = 2,
                      .services_width = 6};
    *failed = raw_json_member(peers, "error");
    if (raw_json_is_null(*failed)) *failed = raw_json_member(info, "error");
    if (!raw_json_is_null(*failed)) return false;
    info = raw_json_member(info, "result");
    read_peers(&t, raw_json_member(peers, "result"));
    put_headline(&t, info, chain, out);
    if (t.count) {
        qsort(t.lines, t.count, sizeof(*t.lines), by_direction_and_ping);
        put_lines(&t, out);
    }
    put_counts(&t, info, out);
    if (!view->level) {
        buffer_put_str(out, "\n\nLocal services: ");
        put_services(raw_json_member(info, "localservicesnames"), out);
    }
    put_local_addresses(raw_json_member(info, "localaddresses"), out);
    for (size_t i = 0; i < t.count; i++) free(t.lines[i].address);
    free(t.lines);
    return true;
}

bool cli_netinfo_parse(struct netinfo_view *view, const char *const *words, size_t count, struct buffer *error)
{
    static const char help[] = "For more information, run: cairn-cli -netinfo help";
    *view = (struct netinfo_view){0};
    if (!count) return true;
    size_t digits = strspn(words[0], "0123456789");
    long level = digits && digits <= 3 && !words[0][digits] ? atol(words[0]) : -1;
    if (level < 0 || level > UINT8_MAX) {
        buffer_printf(error, "invalid -netinfo level argument: %s\n%s", words[0], help);
        return false;
    }
    view->level = level > MAX_LEVEL ? MAX_LEVEL : (unsigned)level;
    if (count == 1) return true;
    view->outbound_only = level > 0 && (!strcmp(words[1], "o") || !strcmp(words[1], "outonly"));
    if (view->outbound_only) return true;
    buffer_printf(error, "invalid -netinfo outonly argument: %s\n%s%s", words[1],
                  level ? "" : "The outonly argument is only valid for a level greater than 0 (the first argument). ",
                  help);
    return false;
}

void cli_addrinfo(struct span result, struct buffer *out)
{
    struct span rest = result, key, counts;
    bool first = true;
    buffer_put_str(out, "{\"addresses_known\":{");
    while (result.len && raw_json_next(&rest, &key, &counts)) {
        bool all = span_equal(key, span_str("all_networks"));
        buffer_put_str(out, first ? "\"" : ",\"");
        buffer_put_span(out, all ? span_str("total") : key);
        buffer_put_str(out, "\":");
        raw_json_put_plain(out, raw_json_member(counts, "total"));
        first = false;
    }
    buffer_put_str(out, "}}");
}

void cli_netinfo_help(struct buffer *out)
{
    buffer_put_str(
        out, "-netinfo (level [outonly]) | help\n"
             "\n"
             "Shows the connections of a node on a screen; it asks for getpeerinfo and getnetworkinfo.\n"
             "What it shows may change from version to version: programs should call those methods.\n"
             "\n"
             "level    0  how many peers there are by network, and the own addresses (the default)\n"
             "         1  the same below a list of the peers\n"
             "         2  ... with their addresses\n"
             "         3  ... with their versions\n"
             "         4  ... with both; every number up to 255 means the same\n"
             "outonly  (or o) lists outbound peers only; needs a level above 0\n"
             "help     (or h) prints this\n"
             "\n"
             "The list is ordered by direction and by the shortest ping. Its columns:\n"
             "\n"
             "  <->      in: they connected to us; out: we to them\n"
             "  type     of an outbound connection: full (transactions, addresses and blocks), block (blocks only),\n"
             "           manual (addnode, -addnode, -connect), feeler (tries an address), addr (asks for addresses)\n"
             "           or priv (sends a transaction of our own)\n"
             "  net      ipv4, ipv6, onion, i2p, cjdns, or npr: not publicly routable\n"
             "  serv     what they offer: n all blocks, b bloom filters, w witnesses, c compact filters,\n"
             "           l the last 288 blocks, 2 the encrypted transport, u something unknown\n"
             "  v        version of the transport\n"
             "  mping    shortest ping, in milliseconds\n"
             "  ping     last ping, in milliseconds\n"
             "  send     seconds since we sent something\n"
             "  recv     seconds since they did\n"
             "  txn      minutes since they brought a transaction that was new to us; *: none are exchanged\n"
             "  blk      minutes since they brought a block that was new to us\n"
             "  hb       blocks sent at once in compact form: . we asked them for it, * they asked us\n"
             "  addrp    addresses of theirs that we looked at; .: none are exchanged\n"
             "  addrl    addresses of theirs that were too many\n"
             "  age      minutes since the connection was made\n"
             "  asmap    their autonomous system, with -asmap\n"
             "  id       number of the peer\n"
             "  address  address and port\n"
             "  version  protocol version and user agent\n"
             "\n"
             "Examples:\n"
             "> cairn-cli -netinfo\n"
             "> cairn-cli -netinfo 4 outonly\n"
             "> watch --interval 1 --no-title cairn-cli -netinfo 4\n");
}
