/* Endpoints and the system's socket addresses. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "net/net_internal.h"

bool sockaddr_put(struct sockaddr_storage *out, socklen_t *len, const struct endpoint *e)
{
    memset(out, 0, sizeof(*out));
    if (e->addr.net == NET_IPV4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(e->port)};
        memcpy(&in.sin_addr, e->addr.bytes, 4);
        memcpy(out, &in, sizeof(in));
        *len = sizeof(in);
        return true;
    }
    if (e->addr.net != NET_IPV6 && e->addr.net != NET_CJDNS) return false;
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(e->port), .sin6_scope_id = e->addr.scope};
    memcpy(&in.sin6_addr, e->addr.bytes, 16);
    memcpy(out, &in, sizeof(in));
    *len = sizeof(in);
    return true;
}

struct endpoint sockaddr_endpoint(const struct sockaddr *address)
{
    struct endpoint e = {.addr = netaddr_none()};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        e.addr = netaddr_ipv4((const uint8_t *)&in.sin_addr);
        e.port = ntohs(in.sin_port);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof(in));
        e.addr = netaddr_from_ipv6((const uint8_t *)&in.sin6_addr);
        e.addr.scope = in.sin6_scope_id;
        e.port = ntohs(in.sin6_port);
    }
    return e;
}

struct endpoint socket_local(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) address.ss_family = AF_UNSPEC;
    return sockaddr_endpoint((const struct sockaddr *)&address);
}

int socket_new(const struct sockaddr_storage *address)
{
    int protocol = address->ss_family == AF_UNIX ? 0 : IPPROTO_TCP;
    return socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

char *socket_error_text(char out[SOCKET_ERROR_TEXT], int error)
{
    char text[SOCKET_ERROR_TEXT - 16];
    snprintf(out, SOCKET_ERROR_TEXT, "%s (%d)", strerror_r(error, text, sizeof(text)), error);
    return out;
}
