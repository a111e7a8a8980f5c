/* The client's side of SOCKS5 (RFC 1928, and RFC 1929 for credentials): bytes in, bytes out, no socket. Names are never
 * resolved here: the proxy is given the text, so that it alone knows the address. */
#ifndef CAIRN_NET_SOCKS5_H
#define CAIRN_NET_SOCKS5_H

#include "base/compiler.h"
#include "base/span.h"

enum { SOCKS5_HOST = 255, SOCKS5_OUT = 3 + 2 * 256, SOCKS5_IN = 262, SOCKS5_CREDENTIALS = 64 };

enum socks5_stage { SOCKS5_METHOD, SOCKS5_AUTH, SOCKS5_REPLY_HEAD, SOCKS5_REPLY_NAME, SOCKS5_REPLY_REST, SOCKS5_DONE };

struct socks5 {
    enum socks5_stage stage; /* of what is awaited */
    char host[SOCKS5_HOST + 1];
    uint16_t port;
    char credentials[SOCKS5_CREDENTIALS]; /* user and password at once; "": none */
    uint8_t out[SOCKS5_OUT], in[SOCKS5_IN];
    size_t out_len, sent, in_len;
    size_t wanted;       /* bytes of the answer at hand */
    const char *problem; /* why it failed */
    bool refused;        /* by the proxy's answer: the target cannot be reached that way */
};

/* To HOST (a name or numbers, no brackets) and PORT. CREDENTIALS (less than SOCKS5_CREDENTIALS characters) may be NULL:
 * two connections with different ones share no circuit of Tor. False where HOST is longer than 255 characters. */
MUST_USE bool socks5_init(struct socks5 *s, const char *host, uint16_t port, const char *credentials);

/* What is to be sent now; then the answer is awaited. */
struct span socks5_to_send(const struct socks5 *s);
void socks5_mark_sent(struct socks5 *s, size_t len);

/* How many bytes may be received now: never more, so that none of what follows the handshake is taken. 0: it is done,
 * or something is to be sent first. */
size_t socks5_wants(const struct socks5 *s);

/* At most socks5_wants bytes. False where it failed: see problem. */
MUST_USE bool socks5_receive(struct socks5 *s, struct span bytes);

static inline bool socks5_is_done(const struct socks5 *s)
{
    return s->stage == SOCKS5_DONE;
}

#endif
