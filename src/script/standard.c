/* Standard templates: what kind of output a scriptPubKey is. */
#include "script/standard.h"

#include "base/check.h"
#include "script/interp.h"

static void solution_add(struct script_solution *s, struct span data)
{
    CHECK(s->data_count < MAX_PUBKEYS_PER_MULTISIG);
    s->data[s->data_count++] = data;
}

/* 33 bytes after 02 or 03, 65 after 04, 06 or 07; the point itself is not looked at. */
static bool key_size_is_valid(struct span key)
{
    if (key.len == 33) return key.data[0] == 2 || key.data[0] == 3;
    return key.len == 65 && (key.data[0] == 4 || key.data[0] == 6 || key.data[0] == 7);
}

static bool solve_witness(struct script_solution *s, struct span script)
{
    struct span program;
    if (!script_witness_program(script, &s->witness_version, &program)) return false;
    int version = s->witness_version;
    if (version == 0 && program.len == 20)
        s->kind = SCRIPT_WITNESS_V0_KEYHASH;
    else if (version == 0 && program.len == 32)
        s->kind = SCRIPT_WITNESS_V0_SCRIPTHASH;
    else if (version == 1 && program.len == 32)
        s->kind = SCRIPT_WITNESS_V1_TAPROOT;
    else if (script_is_p2a(script))
        s->kind = SCRIPT_ANCHOR;
    else if (version != 0)
        s->kind = SCRIPT_WITNESS_UNKNOWN;
    if (s->kind != SCRIPT_NONSTANDARD) solution_add(s, program);
    return true;
}

static bool solve_pubkey(struct script_solution *s, struct span script)
{
    if ((script.len != 35 && script.len != 67) || script.data[0] != script.len - 2) return false;
    struct span key = span_of(script.data + 1, script.len - 2);
    if (script.data[script.len - 1] != OP_CHECKSIG || !key_size_is_valid(key)) return false;
    s->kind = SCRIPT_PUBKEY;
    solution_add(s, key);
    return true;
}

static bool solve_pubkeyhash(struct script_solution *s, struct span script)
{
    const uint8_t *p = script.data;
    if (script.len != 25 || p[0] != OP_DUP || p[1] != OP_HASH160 || p[2] != 20 || p[23] != OP_EQUALVERIFY ||
        p[24] != OP_CHECKSIG)
        return false;
    s->kind = SCRIPT_PUBKEYHASH;
    solution_add(s, span_of(p + 3, 20));
    return true;
}

/* A number from MIN to 20 as one instruction gives it, OP_n or a minimal push; 0 where it does not. */
static int multisig_number(uint8_t opcode, struct span data, int min)
{
    int64_t v;
    if (opcode >= OP_1 && opcode <= OP_16)
        v = opcode - (OP_1 - 1);
    else if (opcode > OP_PUSHDATA4 || !push_is_minimal(data, opcode) || !script_num_decode(&v, data, true, 4))
        return 0;
    return v >= min && v <= MAX_PUBKEYS_PER_MULTISIG ? (int)v : 0;
}

static bool solve_multisig(struct script_solution *s, struct span script)
{
    if (script.len == 0 || script.data[script.len - 1] != OP_CHECKMULTISIG) return false;
    size_t pos = 0, keys = 0;
    uint8_t opcode;
    struct span data;
    if (!script_next(script, &pos, &opcode, &data)) return false;
    int required = multisig_number(opcode, data, 1);
    if (!required) return false;
    while (script_next(script, &pos, &opcode, &data) && key_size_is_valid(data)) {
        if (keys < MAX_PUBKEYS_PER_MULTISIG) s->data[keys] = data;
        keys++;
    }
    int total = multisig_number(opcode, data, required);
    if (!total || keys != (size_t)total || pos + 1 != script.len) return false;
    s->kind = SCRIPT_MULTISIG;
    s->required = required;
    s->data_count = keys;
    return true;
}

void script_solve(struct script_solution *out, struct span script)
{
    out->kind = SCRIPT_NONSTANDARD;
    out->data_count = 0;
    out->required = 0;
    out->witness_version = 0;
    if (script_is_p2sh(script)) {
        out->kind = SCRIPT_SCRIPTHASH;
        solution_add(out, span_of(script.data + 2, 20));
        return;
    }
    if (solve_witness(out, script)) return;
    if (script.len && script.data[0] == OP_RETURN && script_is_push_only(span_from(script, 1))) {
        out->kind = SCRIPT_NULLDATA;
        return;
    }
    if (solve_pubkey(out, script) || solve_pubkeyhash(out, script) || solve_multisig(out, script)) return;
}

const char *script_kind_name(enum script_kind kind)
{
    static const char *const names[] = {
        [SCRIPT_NONSTANDARD] = "nonstandard",
        [SCRIPT_PUBKEY] = "pubkey",
        [SCRIPT_PUBKEYHASH] = "pubkeyhash",
        [SCRIPT_SCRIPTHASH] = "scripthash",
        [SCRIPT_MULTISIG] = "multisig",
        [SCRIPT_NULLDATA] = "nulldata",
        [SCRIPT_WITNESS_V0_KEYHASH] = "witness_v0_keyhash",
        [SCRIPT_WITNESS_V0_SCRIPTHASH] = "witness_v0_scripthash",
        [SCRIPT_WITNESS_V1_TAPROOT] = "witness_v1_taproot",
        [SCRIPT_ANCHOR] = "anchor",
        [SCRIPT_WITNESS_UNKNOWN] = "witness_unknown",
    };
    return names[kind];
}

void script_destination(struct destination *out, struct span script)
{
    static const enum destination_kind kinds[] = {
        [SCRIPT_NONSTANDARD] = DEST_NONE,
        [SCRIPT_PUBKEY] = DEST_NONE,
        [SCRIPT_PUBKEYHASH] = DEST_P2PKH,
        [SCRIPT_SCRIPTHASH] = DEST_P2SH,
        [SCRIPT_MULTISIG] = DEST_NONE,
        [SCRIPT_NULLDATA] = DEST_NONE,
        [SCRIPT_WITNESS_V0_KEYHASH] = DEST_WITNESS_V0_KEYHASH,
        [SCRIPT_WITNESS_V0_SCRIPTHASH] = DEST_WITNESS_V0_SCRIPTHASH,
        [SCRIPT_WITNESS_V1_TAPROOT] = DEST_WITNESS_V1_TAPROOT,
        [SCRIPT_ANCHOR] = DEST_ANCHOR,
        [SCRIPT_WITNESS_UNKNOWN] = DEST_WITNESS_UNKNOWN,
    };
    struct script_solution s;
    script_solve(&s, script);
    *out = (struct destination){.kind = kinds[s.kind]};
    if (out->kind == DEST_NONE) return;
    out->version = (uint8_t)s.witness_version;
    out->len = (uint8_t)s.data[0].len;
    memcpy(out->program, s.data[0].data, s.data[0].len);
}
