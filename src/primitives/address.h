/* Addresses and WIF keys: the text forms of destinations on the five networks. */
#ifndef CAIRN_PRIMITIVES_ADDRESS_H
#define CAIRN_PRIMITIVES_ADDRESS_H

#include "base/buffer.h"
#include "base/compiler.h"

/* A network's prefixes; part of its chain parameters. */
struct address_prefixes {
    uint8_t p2pkh;
    uint8_t p2sh;
    uint8_t wif;
    uint8_t xpub[4];
    uint8_t xprv[4];
    const char *hrp; /* "bc", "tb", "bcrt" */
};

enum destination_kind {
    DEST_NONE, /* no address form */
    DEST_P2PKH,
    DEST_P2SH,
    DEST_WITNESS_V0_KEYHASH,
    DEST_WITNESS_V0_SCRIPTHASH,
    DEST_WITNESS_V1_TAPROOT,
    DEST_ANCHOR, /* OP_1 <4e73> */
    DEST_WITNESS_UNKNOWN,
};

struct destination {
    enum destination_kind kind;
    uint8_t version; /* witness version */
    uint8_t len;     /* bytes of program */
    uint8_t program[40];
};

/* Why a string is no address, in Core's words. */
struct address_error {
    const char *message; /* e.g. "Invalid or unsupported Segwit (Bech32) or Base58 encoding." */
    char buffer[192];    /* backs `message` where it is not constant */
    int locations[90];   /* positions of bech32 errors */
    size_t location_count;
};

/* Parses TEXT; DEST_NONE and *ERROR (may be NULL) where it is no address of this network. */
MUST_USE bool address_decode(struct destination *out, const char *text, const struct address_prefixes *prefixes,
                             struct address_error *error);

/* Appends the text form; false for DEST_NONE. */
bool address_encode(struct buffer *out, const struct destination *dest, const struct address_prefixes *prefixes);

/* Appends the scriptPubKey that pays to DEST. */
void destination_script(struct buffer *out, const struct destination *dest);

/* WIF private keys. */
MUST_USE bool wif_decode(uint8_t key[32], bool *compressed, const char *text, const struct address_prefixes *prefixes);
void wif_encode(struct buffer *out, const uint8_t key[32], bool compressed, const struct address_prefixes *prefixes);

#endif
