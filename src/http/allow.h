/* Which addresses may speak to the HTTP server: -rpcallowip. */
#ifndef CAIRN_HTTP_ALLOW_H
#define CAIRN_HTTP_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct http_subnet {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t mask[16];
};

struct http_allow {
    struct http_subnet *subnets;
    size_t count;
};

/* Loopback: 127.0.0.0/8 and ::1. */
void http_allow_init(struct http_allow *allow);
void http_allow_clear(struct http_allow *allow);

/* One address, address/netmask or address/bits, IPv4 or IPv6; false where it is none of these. */
MUST_USE bool http_allow_add(struct http_allow *allow, const char *subnet);

/* ADDRESS as text, without port; a scope ("%lo") is ignored. */
bool http_allow_has(const struct http_allow *allow, const char *address);

#endif
