/* SOCKS5, the client. */
#include "net/socks5.h"

#include <stdio.h>

#include "base/check.h"

enum {
    VERSION = 5,
    AUTH_VERSION = 1,
    METHOD_NONE = 0,
    METHOD_PASSWORD = 2,
    COMMAND_CONNECT = 1,
    TYPE_IPV4 = 1,
    TYPE_NAME = 3,
    TYPE_IPV6 = 4,
};

/* RFC 1928, section 6; from 0xf0 on those of Tor (its proposal 304). */
static const char *reply_text(uint8_t reply)
{
    switch (reply) {
    case 0x01: return "general failure";
    case 0x02: return "connection not allowed";
    case 0x03: return "network unreachable";
    case 0x04: return "host unreachable";
    case 0x05: return "connection refused";
    case 0x06: return "TTL expired";
    case 0x07: return "protocol error";
    case 0x08: return "address type not supported";
    case 0xf0: return "onion service descriptor can not be found";
    case 0xf1: return "onion service descriptor is invalid";
    case 0xf2: return "onion service introduction failed";
    case 0xf3: return "onion service rendezvous failed";
    case 0xf4: return "onion service missing client authorization";
    case 0xf5: return "onion service wrong client authorization";
    case 0xf6: return "onion service invalid address";
    case 0xf7: return "onion service introduction timed out";
    default: return "unknown";
    }
}

static void put(struct socks5 *s, const void *bytes, size_t len)
{
    CHECK(s->out_len + len <= SOCKS5_OUT);
    memcpy(s->out + s->out_len, bytes, len);
    s->out_len += len;
}

static void put_text(struct socks5 *s, const char *text)
{
    size_t len = strlen(text);
    put(s, &(uint8_t){(uint8_t)len}, 1);
    put(s, text, len);
}

/* A new message begins. */
static void begin(struct socks5 *s, enum socks5_stage stage, size_t wanted)
{
    s->stage = stage;
    s->wanted = wanted;
    s->out_len = s->sent = s->in_len = 0;
}

bool socks5_init(struct socks5 *s, const char *host, uint16_t port, const char *credentials)
{
    *s = (struct socks5){.port = port};
    if (strlen(host) > SOCKS5_HOST) return false;
    snprintf(s->host, sizeof(s->host), "%s", host);
    snprintf(s->credentials, sizeof(s->credentials), "%s", credentials ? credentials : "");
    begin(s, SOCKS5_METHOD, 2);
    if (s->credentials[0])
        put(s, (const uint8_t[]){VERSION, 2, METHOD_NONE, METHOD_PASSWORD}, 4);
    else
        put(s, (const uint8_t[]){VERSION, 1, METHOD_NONE}, 3);
    return true;
}

struct span socks5_to_send(const struct socks5 *s)
{
    return span_of(s->out + s->sent, s->out_len - s->sent);
}

void socks5_mark_sent(struct socks5 *s, size_t len)
{
    CHECK(len <= s->out_len - s->sent);
    s->sent += len;
}

size_t socks5_wants(const struct socks5 *s)
{
    return s->sent < s->out_len || socks5_is_done(s) ? 0 : s->wanted - s->in_len;
}

static bool fail(struct socks5 *s, const char *problem)
{
    s->problem = problem;
    return false;
}

static void request(struct socks5 *s)
{
    begin(s, SOCKS5_REPLY_HEAD, 4);
    put(s, (const uint8_t[]){VERSION, COMMAND_CONNECT, 0, TYPE_NAME}, 4);
    put_text(s, s->host);
    put(s, (const uint8_t[]){(uint8_t)(s->port >> 8), (uint8_t)s->port}, 2);
}

static bool on_method(struct socks5 *s)
{
    if (s->in[0] != VERSION) return fail(s, "Proxy failed to initialize");
    if (s->in[1] == METHOD_PASSWORD && s->credentials[0]) {
        begin(s, SOCKS5_AUTH, 2);
        put(s, &(uint8_t){AUTH_VERSION}, 1);
        put_text(s, s->credentials);
        put_text(s, s->credentials);
        return true;
    }
    if (s->in[1] != METHOD_NONE) return fail(s, "Proxy requested wrong authentication method");
    request(s);
    return true;
}

static bool on_auth(struct socks5 *s)
{
    if (s->in[0] != AUTH_VERSION || s->in[1] != 0) return fail(s, "Proxy authentication unsuccessful");
    request(s);
    return true;
}

/* The address that follows, which nobody needs, has a length by its type. */
static bool on_reply(struct socks5 *s)
{
    if (s->in[0] != VERSION) return fail(s, "Proxy failed to accept request");
    if (s->in[1] != 0) {
        s->refused = true;
        return fail(s, reply_text(s->in[1]));
    }
    uint8_t type = s->in[3];
    if (s->in[2] != 0 || (type != TYPE_IPV4 && type != TYPE_NAME && type != TYPE_IPV6))
        return fail(s, "malformed proxy response");
    if (type == TYPE_NAME)
        begin(s, SOCKS5_REPLY_NAME, 1);
    else
        begin(s, SOCKS5_REPLY_REST, (type == TYPE_IPV4 ? 4 : 16) + 2);
    return true;
}

bool socks5_receive(struct socks5 *s, struct span bytes)
{
    CHECK(bytes.len <= socks5_wants(s));
    memcpy(s->in + s->in_len, bytes.data, bytes.len);
    s->in_len += bytes.len;
    if (s->in_len < s->wanted) return true;
    switch (s->stage) {
    case SOCKS5_METHOD: return on_method(s);
    case SOCKS5_AUTH: return on_auth(s);
    case SOCKS5_REPLY_HEAD: return on_reply(s);
    case SOCKS5_REPLY_NAME: begin(s, SOCKS5_REPLY_REST, (size_t)s->in[0] + 2); return true;
    case SOCKS5_REPLY_REST: begin(s, SOCKS5_DONE, 0); return true;
    case SOCKS5_DONE: break;
    }
    return true;
}
