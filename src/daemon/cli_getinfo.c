/* cairn-cli -getinfo: an overview made of two calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/cli.h"
#include "daemon/raw_json.h"

void cli_getinfo_request(struct buffer *out)
{
    buffer_put_u8(out, '[');
    cli_request(out, "getnetworkinfo", span_str("[]"), "0", false);
    buffer_put_u8(out, ',');
    cli_request(out, "getblockchaininfo", span_str("[]"), "1", false);
    buffer_put_u8(out, ']');
}

struct span cli_find_reply(struct span batch, const char *id)
{
    struct span rest = raw_json_trim(batch);
    struct span reply;
    if (!rest.len || rest.data[0] != '[') return span_of(NULL, 0);
    while (raw_json_next(&rest, NULL, &reply)) {
        if (span_equal(raw_json_member(reply, "id"), span_str(id))) return reply;
    }
    return span_of(NULL, 0);
}

static void put_member(struct buffer *out, const char *label, struct span object, const char *name)
{
    buffer_put_str(out, label);
    raw_json_put_plain(out, raw_json_member(object, name));
}

static void put_progress(struct buffer *out, double progress)
{
    buffer_put_str(out, "Verification progress: ");
    if (progress >= 0 && progress < 0.99) {
        for (int i = 0; i < 20; i++) buffer_put_str(out, i < progress * 20 ? "\u2592" : "\u2591");
        buffer_put_u8(out, ' ');
    }
    buffer_printf(out, "%.4f%%\n", progress * 100);
}

/* "127.0.0.1:9050 (ipv4, ipv6), ...": each proxy once with the networks that it serves. */
static void put_proxies(struct buffer *out, struct span networks)
{
    struct span rest = networks;
    struct span network;
    struct buffer seen = {0}; /* proxies already written, each with a newline */
    bool any = false;
    buffer_put_str(out, "Proxies: ");
    while (networks.len && raw_json_next(&rest, NULL, &network)) {
        struct buffer proxy = {0};
        buffer_put_u8(&proxy, '\n');
        raw_json_put_plain(&proxy, raw_json_member(network, "proxy"));
        buffer_put_u8(&proxy, '\n');
        if (proxy.len > 2 && !strstr(buffer_text(&seen), buffer_text(&proxy))) {
            buffer_put_span(&seen, buffer_span(&proxy));
            buffer_printf(out, "%s%.*s (", any ? ", " : "", (int)(proxy.len - 2), (const char *)proxy.data + 1);
            any = true;
            bool first = true;
            struct span others = networks;
            struct span other;
            while (raw_json_next(&others, NULL, &other)) {
                if (!span_equal(raw_json_member(other, "proxy"), raw_json_member(network, "proxy"))) continue;
                put_member(out, first ? "" : ", ", other, "name");
                first = false;
            }
            buffer_put_u8(out, ')');
        }
        buffer_clear(&proxy);
    }
    buffer_put_str(out, any ? "\n" : "n/a\n");
    buffer_clear(&seen);
}

/* A string, or an array of strings. */
static void put_warnings(struct buffer *out, struct span warnings)
{
    size_t before = out->len;
    if (raw_json_is_string(warnings)) {
        raw_json_put_plain(out, warnings);
    } else if (warnings.len) {
        struct span rest = warnings;
        struct span item;
        while (raw_json_next(&rest, NULL, &item)) {
            if (out->len > before) buffer_put_str(out, "; ");
            raw_json_put_plain(out, item);
        }
    }
    if (out->len == before) buffer_put_str(out, "(none)");
}

static double number_of(struct span value)
{
    char text[64] = "";
    if (value.len < sizeof(text)) memcpy(text, value.data, value.len);
    return strtod(text, NULL);
}

bool cli_getinfo_text(struct span reply, bool colour, struct buffer *out, struct span *failed)
{
    struct span network = cli_find_reply(reply, "0");
    struct span chain = cli_find_reply(reply, "1");
    *failed = raw_json_member(network, "error");
    if (raw_json_is_null(*failed)) *failed = raw_json_member(chain, "error");
    if (!raw_json_is_null(*failed)) return false;
    network = raw_json_member(network, "result");
    chain = raw_json_member(chain, "result");

    const char *reset = colour ? "\x1B[0m" : "";
    put_member(out, colour ? "\x1B[34mChain: " : "Chain: ", chain, "chain");
    put_member(out, colour ? "\x1B[0m\nBlocks: " : "\nBlocks: ", chain, "blocks");
    put_member(out, "\nHeaders: ", chain, "headers");
    buffer_put_u8(out, '\n');
    put_progress(out, number_of(raw_json_member(chain, "verificationprogress")));
    put_member(out, "Difficulty: ", chain, "difficulty");
    put_member(out, colour ? "\n\n\x1B[32mNetwork: in " : "\n\nNetwork: in ", network, "connections_in");
    put_member(out, ", out ", network, "connections_out");
    put_member(out, ", total ", network, "connections");
    buffer_put_str(out, reset);
    put_member(out, "\nVersion: ", network, "version");
    put_member(out, "\nTime offset (s): ", network, "timeoffset");
    buffer_put_u8(out, '\n');
    put_proxies(out, raw_json_member(network, "networks"));
    put_member(out, "Min tx relay fee rate (BTC/kvB): ", network, "relayfee");
    buffer_put_str(out, colour ? "\n\n\x1B[33mWarnings:\x1B[0m " : "\n\nWarnings: ");
    put_warnings(out, raw_json_member(network, "warnings"));
    return true;
}
