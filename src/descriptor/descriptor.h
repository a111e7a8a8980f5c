/* Output descriptors (BIP380 to BIP386): checksums, the descriptor of a script, and the scripts of a descriptor whose
 * keys are constants. */
#ifndef CAIRN_DESCRIPTOR_DESCRIPTOR_H
#define CAIRN_DESCRIPTOR_DESCRIPTOR_H

#include "base/buffer.h"
#include "primitives/address.h"

enum { DESCRIPTOR_CHECKSUM_TEXT = 9, DESCRIPTOR_ERROR_TEXT = 8192 };

/* The eight characters that follow '#' (BIP380) and a NUL; false where TEXT has a character outside the charset. */
MUST_USE bool descriptor_checksum(char out[DESCRIPTOR_CHECKSUM_TEXT], struct span text);

/* Appends the descriptor of SCRIPT as far as the script alone tells (no keys or inner scripts are known), checksum
 * included: pk, multi, rawtr, addr or raw. */
void descriptor_infer(struct buffer *out, struct span script, const struct address_prefixes *prefixes);

/* The same for the P2WSH output of the witness script INNER: wsh() of pk, multi or miniscript, else its address. */
void descriptor_infer_wsh(struct buffer *out, struct span inner, const struct address_prefixes *prefixes);

/* The same for the P2SH output of the redeem script INNER: sh(pk), sh(multi); with NESTED of its P2WSH form,
 * sh(wsh(...)).
 */
void descriptor_infer_sh(struct buffer *out, struct span inner, bool nested, const struct address_prefixes *prefixes);

/* Splits TEXT at its '#' and checks the checksum: *BODY is the part before it. False and a sentence (Core's words)
 * where it is wrong, or missing although REQUIRED. COMPUTED gets the right checksum (may be NULL). */
MUST_USE bool descriptor_split(struct span text, bool required, struct span *body,
                               char computed[DESCRIPTOR_CHECKSUM_TEXT], char error[DESCRIPTOR_ERROR_TEXT]);

/* Appends the body of a good descriptor as others may see it: private keys as their public ones, and of each
 * "<...;...>" the alternative number PATH; with its checksum. */
void descriptor_public(struct buffer *out, struct span body, const struct address_prefixes *prefixes, unsigned path);

/* The scripts of a descriptor: one, or up to four for combo(). All zeroes is empty. */
struct descriptor_scripts {
    struct buffer script[4];
    struct buffer text[4]; /* the descriptor of each, its keys with their origins, with a checksum */
    size_t count;
    bool solvable;      /* every key is known: not addr() and raw() */
    bool ranged;        /* an extended key ends with a "*" */
    bool has_secrets;   /* a key is private */
    bool needs_secrets; /* COUNT is 0: a hardened step of a key whose secret is not here */
    unsigned paths;     /* alternatives of "<...;...>" (BIP389); 1 without any */
};

void descriptor_scripts_clear(struct descriptor_scripts *s);

/* Which of a descriptor's many scripts. */
struct descriptor_position {
    uint32_t index; /* stands for "*", below 2^31 */
    unsigned path;  /* which alternative, from 0 */
};

/* Parses TEXT (with or without checksum) and makes its scripts AT a position. False and a sentence where it is no
 * descriptor. Keys are public keys in hex, private ones (WIF) and extended ones (BIP32) with paths. Understands addr,
 * raw, pk, pkh, wpkh, combo, multi, sortedmulti, sh, wsh, rawtr, tr with trees, and miniscript (BIP379) in wsh and in
 * leaves; key origins are read over. */
MUST_USE bool descriptor_expand_at(struct descriptor_scripts *out, struct span text, bool checksum_required,
                                   const struct address_prefixes *prefixes, struct descriptor_position at,
                                   char error[DESCRIPTOR_ERROR_TEXT]);

/* The same at the first position. */
MUST_USE bool descriptor_expand(struct descriptor_scripts *out, struct span text, bool checksum_required,
                                const struct address_prefixes *prefixes, char error[DESCRIPTOR_ERROR_TEXT]);

#endif
