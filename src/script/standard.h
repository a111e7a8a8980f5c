/* Standard templates: what kind of output a scriptPubKey is. */
#ifndef CAIRN_SCRIPT_STANDARD_H
#define CAIRN_SCRIPT_STANDARD_H

#include "primitives/address.h"
#include "script/script.h"

enum script_kind {
    SCRIPT_NONSTANDARD,
    SCRIPT_PUBKEY,
    SCRIPT_PUBKEYHASH,
    SCRIPT_SCRIPTHASH,
    SCRIPT_MULTISIG,
    SCRIPT_NULLDATA,
    SCRIPT_WITNESS_V0_KEYHASH,
    SCRIPT_WITNESS_V0_SCRIPTHASH,
    SCRIPT_WITNESS_V1_TAPROOT,
    SCRIPT_ANCHOR,
    SCRIPT_WITNESS_UNKNOWN,
};

struct script_solution {
    enum script_kind kind;
    struct span data[MAX_PUBKEYS_PER_MULTISIG]; /* key(s), hash or program, within the script */
    size_t data_count;
    int required;        /* multisig: m */
    int witness_version; /* witness kinds */
};

void script_solve(struct script_solution *out, struct span script);

/* "pubkeyhash", "witness_v1_taproot" ...: as RPC prints it. */
const char *script_kind_name(enum script_kind kind);

/* The destination that an address can show; DEST_NONE for p2pk, multisig, nulldata and nonstandard. */
void script_destination(struct destination *out, struct span script);

#endif
