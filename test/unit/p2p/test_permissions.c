/* Permissions: what is written, and what it means for a connection. */
#include "harness.h"

static const char *rule_error(const char *text)
{
    static char out[200];
    struct buffer error = {0};
    struct permission_rule rule;
    bool ok = permission_rule_parse(&rule, text, &error);
    cr_assert_eq(ok, error.len == 0, "%s", text);
    snprintf(out, sizeof(out), "%s", buffer_text(&error));
    buffer_clear(&error);
    return out;
}

Test(permissions, rules_are_read)
{
    static const struct {
        const char *text;
        unsigned permissions;
        bool in, out;
        const char *inside;
    } rows[] = {
        {"1.2.3.4", PERM_IMPLICIT, true, false, "1.2.3.4"},
        {"1.2.3.0/24", PERM_IMPLICIT, true, false, "1.2.3.77"},
        {"@1.2.3.4", PERM_NONE, true, false, "1.2.3.4"},
        {"noban@1.2.3.4", PERM_NO_BAN, true, false, "1.2.3.4"},
        {"bloom,bloomfilter@1.2.3.4/32", PERM_BLOOM_FILTER, true, false, "1.2.3.4"},
        {"forcerelay@::1", PERM_FORCE_RELAY, true, false, "::1"},
        {"relay,mempool,download,addr@::/0", PERM_RELAY | PERM_MEMPOOL | PERM_DOWNLOAD | PERM_ADDR, true, false, "::5"},
        {"all@1.2.3.4", PERM_ALL, true, false, "1.2.3.4"},
        {"in,relay@1.2.3.4", PERM_RELAY, true, false, "1.2.3.4"},
        {"relay,out@1.2.3.4", PERM_RELAY, false, true, "1.2.3.4"},
        {"out,,in,relay,@1.2.3.4", PERM_RELAY, true, true, "1.2.3.4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer error = {0};
        struct permission_rule r;
        cr_assert(permission_rule_parse(&r, rows[i].text, &error), "%s", rows[i].text);
        cr_assert_eq(r.permissions, rows[i].permissions, "%s", rows[i].text);
        cr_assert(r.in == rows[i].in && r.out == rows[i].out, "%s", rows[i].text);
        struct netaddr a;
        cr_assert(netaddr_parse(&a, span_str(rows[i].inside)));
        cr_assert(subnet_match(&r.subnet, &a), "%s", rows[i].text);
        buffer_clear(&error);
    }
}

Test(permissions, wrong_rules_say_what_is_wrong)
{
    cr_assert_str_eq(rule_error("nonsense@1.2.3.4"), "Invalid P2P permission: 'nonsense'");
    cr_assert_str_eq(rule_error("relay,Noban@1.2.3.4"), "Invalid P2P permission: 'Noban'");
    cr_assert_str_eq(rule_error("out@1.2.3.4"), "Only direction was set, no permissions: 'out@1.2.3.4'");
    cr_assert_str_eq(rule_error("relay@1.2.3.4/33"), "Invalid netmask specified in -whitelist: '1.2.3.4/33'");
    cr_assert_str_eq(rule_error("noban@"), "Invalid netmask specified in -whitelist: ''");
    cr_assert_str_eq(rule_error("some.host"), "Invalid netmask specified in -whitelist: 'some.host'");
}

Test(permissions, sockets_are_read)
{
    struct buffer error = {0};
    struct endpoint at;
    unsigned permissions;
    cr_assert(permission_bind_parse(&at, &permissions, "noban,relay@1.2.3.4:32", &error));
    cr_assert_eq(permissions, PERM_NO_BAN | PERM_RELAY);
    cr_assert_eq(at.port, 32);
    cr_assert(permission_bind_parse(&at, &permissions, "[::1]:5", &error));
    cr_assert_eq(permissions, (unsigned)PERM_IMPLICIT);
    cr_assert_not(permission_bind_parse(&at, &permissions, "relay@1.2.3.4", &error));
    cr_assert_str_eq(buffer_text(&error), "Need to specify a port with -whitebind: '1.2.3.4'");
    error.len = 0;
    cr_assert_not(permission_bind_parse(&at, &permissions, "relay@somewhere:1", &error));
    cr_assert_str_eq(buffer_text(&error), "Cannot resolve -whitebind address: 'somewhere:1'");
    error.len = 0;
    cr_assert_not(permission_bind_parse(&at, &permissions, "relay,out@1.2.3.4:1", &error));
    cr_assert_str_eq(buffer_text(&error), "whitebind may only be used for incoming connections (\"out\" was passed)");
    buffer_clear(&error);
}

Test(permissions, names_are_shown_in_order)
{
    const char *names[PERMISSION_NAMES];
    cr_assert_eq(permission_names(PERM_NONE, names), 0);
    cr_assert_eq(permission_names(PERM_NO_BAN, names), 2);
    cr_assert_str_eq(names[0], "noban");
    cr_assert_str_eq(names[1], "download");
    cr_assert_eq(permission_names(PERM_ALL, names), 7);
    const char *all[] = {"bloomfilter", "noban", "forcerelay", "relay", "mempool", "download", "addr"};
    for (size_t i = 0; i < 7; i++) cr_assert_str_eq(names[i], all[i]);
}

/* ---- at connections ---- */

static void open_with(struct harness *h, const char *const *rules, size_t count)
{
    static struct permission_rule parsed[4];
    struct buffer error = {0};
    harness_prepare(h);
    for (size_t i = 0; i < count; i++) cr_assert(permission_rule_parse(&parsed[i], rules[i], &error));
    h->options.whitelist = parsed;
    h->options.whitelist_count = count;
    h->options.whitelist_relay = true;
    harness_open(h);
}

Test(permissions, addresses_get_what_all_their_rules_give)
{
    static const char *const rules[] = {"relay@1.2.0.0/16", "addr,out@9.9.9.9", "mempool@1.2.3.4", "5.5.5.5"};
    struct harness h;
    open_with(&h, rules, 4);
    cr_assert_eq(harness_peer_of(&h, harness_inbound(&h, "1.2.3.4:1"))->permissions, PERM_RELAY | PERM_MEMPOOL);
    cr_assert_eq(harness_peer_of(&h, harness_inbound(&h, "1.2.3.5:1"))->permissions, PERM_RELAY);
    cr_assert_eq(harness_peer_of(&h, harness_inbound(&h, "1.3.3.5:1"))->permissions, PERM_NONE);
    cr_assert_eq(harness_peer_of(&h, harness_inbound(&h, "9.9.9.9:1"))->permissions, PERM_NONE, "outbound alone");
    cr_assert_eq(harness_peer_of(&h, harness_inbound(&h, "5.5.5.5:1"))->permissions,
                 PERM_RELAY | PERM_MEMPOOL | PERM_NO_BAN);
    cr_assert_eq(harness_peer_of(&h, harness_outbound(&h, "9.9.9.9:18444", CONN_MANUAL))->permissions, PERM_ADDR);
    harness_free(&h);
    open_with(&h, rules, 4);
    cr_assert_eq(harness_peer_of(&h, harness_outbound(&h, "9.9.9.9:18444", CONN_OUTBOUND_FULL))->permissions, PERM_NONE,
                 "only those that a user named");
    harness_free(&h);
}

Test(permissions, sockets_give_theirs_too)
{
    static const char *const rules[] = {"relay@127.0.0.0/8"};
    struct harness h;
    open_with(&h, rules, 1);
    struct p2p_connection c = {.remote = harness_endpoint("127.0.0.1:1"), .permissions = PERM_ADDR};
    cr_assert_eq(harness_peer_of(&h, harness_inbound_with(&h, &c))->permissions, PERM_ADDR | PERM_RELAY);
    c.onion = true;
    cr_assert_eq(harness_peer_of(&h, harness_inbound_with(&h, &c))->permissions, PERM_ADDR,
                 "the address is not theirs");
    c.permissions = PERM_BLOOM_FILTER;
    peer_id id = harness_inbound_with(&h, &c);
    struct peer_info info;
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert_eq(info.network, NET_ONION);
    harness_handshake(&h, id);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    cr_assert_eq(m.as.version.services, h.options.services | NODE_BLOOM);
    harness_free(&h);
}
