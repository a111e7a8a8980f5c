/* Extended keys (BIP32) and the paths behind them. Private to the room. */
#ifndef CAIRN_DESCRIPTOR_HD_H
#define CAIRN_DESCRIPTOR_HD_H

#include "descriptor/key.h"

#define HD_HARDENED UINT32_C(0x80000000)

struct hd_key {
    uint8_t chain_code[32];
    uint8_t pubkey[33];
    uint8_t secret[32]; /* where has_secret */
    bool has_secret;
};

/* Reads an xpub or xprv of the network. */
MUST_USE bool hd_key_decode(struct hd_key *out, struct span text, const struct address_prefixes *prefixes);

/* The child STEP (HD_HARDENED included); false where only the owner of the secret could tell, or there is none. */
MUST_USE bool hd_key_step(struct hd_key *key, uint32_t step);

/* The path behind an extended key: "/1/2h/<3;4>/5", or with a star at its end. */
struct hd_path {
    uint32_t steps[DESCRIPTOR_STEPS_MAX];
    size_t count;
    bool ranged;      /* ends with "*", whose number is in STEPS */
    unsigned choices; /* alternatives of "<...>"; 1 where there is none */
};

/* Reads TEXT (empty or beginning with '/') at the parser's position. */
bool hd_path_parse(struct descriptor_parser *p, struct span text, struct hd_path *out);

#endif
