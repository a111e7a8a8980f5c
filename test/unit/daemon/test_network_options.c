/* Options of the network: what one changes of others, what contradicts, and what the rest of the node gets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/network_setup.h"

Test(byte_units, powers)
{
    static const struct {
        const char *text;
        uint64_t want;
    } rows[] = {{"0", 0},
                {"1", 1 << 20},
                {"7k", 7000},
                {"7K", 7 << 10},
                {"2m", 2000000},
                {"2M", 2 << 20},
                {"3g", 3000000000},
                {"3G", 3ull << 30},
                {"1t", 1000000000000},
                {"1T", 1ull << 40},
                {"16777215T", 16777215ull << 40},
                {"18446744073709551615", 0},
                {"17592186044415", 17592186044415ull << 20}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t got = 1;
        bool ok = parse_byte_units(rows[i].text, 'M', &got);
        cr_expect_eq(ok, rows[i].want || i == 0, "%s", rows[i].text);
        if (ok) cr_expect_eq(got, rows[i].want, "%s: %llu", rows[i].text, (unsigned long long)got);
    }
}

Test(byte_units, nonsense)
{
    static const char *const rows[] = {
        "", "k", "1x", "-1", "1 k", "1kk", "0x1", "1.5G", "16777216T", "18446744073709551616", "M1"};
    uint64_t got;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) cr_expect(!parse_byte_units(rows[i], 'M', &got), "%s", rows[i]);
}

/* ---- what the log got ---- */

static void note(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                 const char *text)
{
    (void)level, (void)category, (void)source;
    buffer_printf(ctx, "%s\n", text);
}

struct fixture {
    struct daemon d;
    struct buffer log;
    struct start_error error;
};

/* Reads LINE, words separated by blanks, as a command line of cairnd on regtest. */
static struct fixture *begin(const char *line)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));
    const char *argv[24] = {"cairnd", "-regtest"};
    int argc = 2;
    char *copy = strdup(line), *save = NULL;
    struct buffer error = {0};
    f->d.log.log = (struct log){.write = note, .ctx = &f->log};
    args_init(&f->d.args, &options_daemon, &f->d.log.log);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) argv[argc++] = w;
    cr_assert(args_parse_command_line(&f->d.args, argc, argv, &error), "%s", buffer_text(&error));
    cr_assert(args_select_chain(&f->d.args, &error));
    f->d.options.params = *chain_params_find("regtest");
    f->log.len = 0;
    free(copy);
    buffer_clear(&error);
    return f;
}

static void end(struct fixture *f)
{
    free_network_options(&f->d);
    args_clear(&f->d.args);
    buffer_clear(&f->log);
    buffer_clear(&f->error.text);
    free(f);
}

Test(interaction, in_order)
{
    static const struct {
        const char *line, *log;
    } rows[] = {
        {"", ""},
        {"-bind=127.0.0.1", "parameter interaction: -bind set -> setting -listen=1\n"},
        {"-whitebind=127.0.0.1:1 -connect=1.2.3.4",
         "parameter interaction: -whitebind set -> setting -listen=1\n"
         "parameter interaction: -connect or -maxconnections=0 set -> setting -dnsseed=0\n"},
        {"-noconnect -listen=1 -discover=1",
         "parameter interaction: -connect or -maxconnections=0 set -> setting -dnsseed=0\n"},
        {"-maxconnections=0 -dnsseed=1",
         "parameter interaction: -connect or -maxconnections=0 set -> setting -listen=0\n"
         "parameter interaction: -listen=0 -> setting -natpmp=0\n"
         "parameter interaction: -listen=0 -> setting -discover=0\n"
         "parameter interaction: -listen=0 -> setting -listenonion=0\n"
         "parameter interaction: -listen=0 -> setting -i2pacceptincoming=0\n"},
        {"-proxy=127.0.0.1:9050 -listen=1", "parameter interaction: -proxy set -> setting -natpmp=0\n"
                                            "parameter interaction: -proxy set -> setting -discover=0\n"},
        {"-proxy=0 -externalip=1.2.3.4", "parameter interaction: -externalip set -> setting -discover=0\n"},
        {"-blocksonly", "parameter interaction: -blocksonly=1 -> setting -whitelistrelay=0\n"
                        "parameter interaction: -blocksonly=1 -> setting -maxmempool=5\n"},
        {"-whitelistforcerelay", "parameter interaction: -whitelistforcerelay=1 -> setting -whitelistrelay=1\n"},
        {"-onlynet=onion", "parameter interaction: -onlynet excludes IPv4 and IPv6 -> setting -dnsseed=0\n"},
        {"-onlynet=onion -onlynet=IPv6", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = begin(rows[i].line);
        network_interaction(&f->d.args, &f->d.log.log);
        cr_expect_str_eq(f->log.len ? buffer_text(&f->log) : "", rows[i].log, "%s: %s", rows[i].line,
                         buffer_text(&f->log));
        end(f);
    }
}

Test(network_options, refused)
{
    static const struct {
        const char *line, *error;
    } rows[] = {
        {"-forcednsseed -dnsseed=0", "Cannot set -forcednsseed to true when setting -dnsseed to false."},
        {"-bind=127.0.0.1 -listen=0", "Cannot set -bind or -whitebind together with -listen=0"},
        {"-listen=0 -listenonion=1", "Cannot set -listen=0 together with -listenonion=1"},
        {"-maxconnections=-1", "-maxconnections must be greater or equal than zero"},
        {"-peertimeout=0", "peertimeout must be a positive integer."},
        {"-maxuploadtarget=x", "Unable to parse -maxuploadtarget: 'x'"},
        {"-port=0", "Invalid port specified in -port: '0'"},
        {"-port=65536", "Invalid port specified in -port: '65536'"},
        {"-bind=127.0.0.1:x", "Invalid port specified in -bind: '127.0.0.1:x'"},
        {"-bind=127.0.0.1:0=onion", "Invalid port specified in -bind: '127.0.0.1:0=onion'"},
        {"-i2psam=def:xyz", "Invalid port specified in -i2psam: 'def:xyz'"},
        {"-onlynet=abc", "Unknown network specified in -onlynet: 'abc'"},
        {"-onlynet=cjdns", "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not "
                           "provided"},
        {"-dnsseed=1 -onlynet=i2p", "Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids "
                                    "connections to IPv4/IPv6"},
        {"-proxy=127.0.0.1:1=", "Invalid -proxy address or hostname, ends with '=': '127.0.0.1:1='"},
        {"-proxy=127.0.0.1:1=net", "Unrecognized network in -proxy='127.0.0.1:1=net': 'net'"},
        {"-onlynet=i2p", "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided"},
        {"-nodns -i2psam=abc", "Invalid -i2psam address or hostname: 'abc'"},
        {"-privatebroadcast", "Private broadcast of own transactions requested (-privatebroadcast), but none of Tor or "
                              "I2P networks is reachable"},
        {"-nodns -proxy=abc", "Invalid -proxy address or hostname: 'abc'"},
        {"-nodns -onion=abc", "Invalid -onion address or hostname: 'abc'"},
        {"-onlynet=onion -noonion", "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for "
                                    "reaching the Tor network is explicitly forbidden: -onion=0"},
        {"-bind=127.0.0.1/8", "Cannot resolve -bind address: '127.0.0.1/8'"},
        {"-bind=127.0.0.1=tor", "Cannot resolve -bind address: '127.0.0.1=tor'"},
        {"-bind=1.2.3.4:5 -bind=1.2.3.4:5", "Duplicate binding configuration for address 1.2.3.4:5. Please check your "
                                            "-bind, -bind=...=onion and -whitebind settings."},
        {"-nodns -externalip=abc", "Cannot resolve -externalip address: 'abc'"},
        {"-whitelist=oopsie@127.0.0.1", "Invalid P2P permission: 'oopsie'"},
        {"-whitebind=noban@127.0.0.1", "Need to specify a port with -whitebind: '127.0.0.1'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = begin(rows[i].line);
        cr_expect(!setup_network_options(&f->d, &f->error), "%s", rows[i].line);
        cr_expect_str_eq(buffer_text(&f->error.text), rows[i].error, "%s: %s", rows[i].line,
                         buffer_text(&f->error.text));
        end(f);
    }
}

/* "1.2.3.4:5 127.0.0.1:6/onion ..." */
static void binds_are(const char *line, const char *want)
{
    struct fixture *f = begin(line);
    struct buffer got = {0};
    char text[ENDPOINT_TEXT];
    cr_assert(setup_network_options(&f->d, &f->error), "%s: %s", line, buffer_text(&f->error.text));
    for (size_t i = 0; i < f->d.bind_count; i++)
        buffer_printf(&got, "%s%s%s", i ? " " : "", endpoint_text(text, &f->d.binds[i].at),
                      f->d.binds[i].onion         ? "/onion"
                      : f->d.binds[i].permissions ? "/some"
                                                  : "");
    cr_expect_str_eq(got.len ? buffer_text(&got) : "", want, "%s: %s", line, buffer_text(&got));
    buffer_clear(&got);
    end(f);
}

Test(network_options, binds)
{
    binds_are("", "127.0.0.1:18445/onion [::]:18444 0.0.0.0:18444");
    binds_are("-port=100", "127.0.0.1:101/onion [::]:100 0.0.0.0:100");
    binds_are("-listen=0", "");
    binds_are("-bind=1.2.3.4", "1.2.3.4:18444");
    binds_are("-bind=1.2.3.4:5 -bind=[::1]:6=onion", "1.2.3.4:5 [::1]:6/onion");
    binds_are("-bind=1.2.3.4=onion -port=7", "1.2.3.4:8/onion");
    binds_are("-whitebind=noban@1.2.3.4:5", "1.2.3.4:5/some 127.0.0.1:18445/onion");
    binds_are("-whitebind=noban@1.2.3.4:5 -bind=1.2.3.4:6", "1.2.3.4:6 1.2.3.4:5/some");
}

Test(network_options, values)
{
    struct fixture *f = begin("-connect=a -connect=b -addnode=x -addnode= -addnode=y -seednode=s -onlynet=ipv6 "
                              "-maxuploadtarget=3k -minrelaytxfee=0.00001 -blocksonly -peertimeout=7 "
                              "-inboundrelaypercent=80 -bind=9.9.9.9:77 -txsendrate=5000 "
                              "-externalip=8.8.8.8 -whitelist=in,out,noban@10.0.0.0/8");
    cr_assert(setup_network_options(&f->d, &f->error), "%s", buffer_text(&f->error.text));
    cr_assert(setup_mempool_options(&f->d, &f->error), "%s", buffer_text(&f->error.text));
    const struct network_setup *s = f->d.net_setup;
    const struct p2p_options *o = &s->options;
    cr_expect_eq(o->connect_count, 2);
    cr_expect(!o->automatic && !s->keep_anchors && !o->dns_seed && o->listen && o->blocks_only);
    cr_expect_eq(o->add_node_count, 2);
    cr_expect_str_eq(o->add_nodes[1], "y");
    cr_expect(strstr(buffer_text(&f->log), "Ignoring empty -addnode value"));
    cr_expect(strstr(buffer_text(&f->log), "-seednode is ignored when -connect is used"));
    cr_expect_eq(o->networks, 1u << NET_IPV6);
    cr_expect_eq(o->max_upload_bytes, 3000);
    cr_expect_eq(o->min_relay_fee_sat, 1000);
    cr_expect_eq(f->d.options.mempool.max_bytes, 5000000, "what -blocksonly makes of it");
    cr_expect_eq(o->peer_timeout_s, 7);
    cr_expect_eq(o->no_relay_percent, 20);
    cr_expect_eq(o->tx_send_rate, 1000, "no more");
    cr_expect_eq(s->listen_port, 77);
    cr_expect_eq(s->external[0].port, 77);
    cr_expect_eq(o->whitelist_count, 1);
    cr_expect(o->whitelist[0].in && o->whitelist[0].out && permits(o->whitelist[0].permissions, PERM_NO_BAN));
    cr_expect_eq(o->services, NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED);
    cr_expect(!s->discover && !s->discover_interfaces);
    end(f);
}

Test(network_options, connect_to_nobody)
{
    static const char *const lines[] = {"-connect=0", "-noconnect"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct fixture *f = begin(lines[i]);
        cr_assert(setup_network_options(&f->d, &f->error));
        cr_expect(!f->d.net_setup->options.automatic);
        cr_expect_eq(f->d.net_setup->options.connect_count, 0);
        cr_expect_eq(f->d.net_setup->options.tx_send_rate, 14);
        end(f);
    }
}

static bool by_proxy(const struct fixture *f, const char *host)
{
    return network_proxy_for(&f->d, host, NULL, NULL) != NULL;
}

Test(network_options, proxies)
{
    struct fixture *f = begin("-proxy=127.0.0.1:9050 -proxy=0=ipv6 -proxy=unix:/a/b=cjdns -proxyrandomize=0");
    bool randomize = true;
    cr_assert(setup_network_options(&f->d, &f->error), "%s", buffer_text(&f->error.text));
    cr_expect_str_eq(network_proxy(&f->d, NET_IPV4, &randomize), "127.0.0.1:9050");
    cr_expect(!randomize);
    cr_expect(!network_proxy(&f->d, NET_IPV6, NULL));
    cr_expect_str_eq(network_proxy(&f->d, NET_CJDNS, NULL), "unix:/a/b");
    cr_expect(by_proxy(f, "8.8.8.8:1"));
    cr_expect(!by_proxy(f, "127.0.0.1:1"), "an address of this machine needs none");
    cr_expect(!by_proxy(f, "[2001:4860::1]:1"));
    cr_expect(!by_proxy(f, "name"), "the last proxy for names is none");
    end(f);
    f = begin("-proxy=127.0.0.1");
    cr_assert(setup_network_options(&f->d, &f->error));
    cr_expect(by_proxy(f, "name.example:8333"));
    cr_expect_str_eq(network_proxy(&f->d, NET_ONION, &randomize), "127.0.0.1:9050");
    cr_expect(randomize);
    cr_expect(!by_proxy(f, "[fc00::1]:1"), "not routable");
    end(f);
    f = begin("-proxy=127.0.0.1 -cjdnsreachable");
    cr_assert(setup_network_options(&f->d, &f->error));
    cr_expect(by_proxy(f, "[fc00::1]:1"));
    end(f);
}
