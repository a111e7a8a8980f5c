/* Opcodes: signature checks against one key: encodings, script codes, OP_CHECKSIG and OP_CHECKSIGADD. */
#include "base/endian.h"
#include "crypto/secp.h"
#include "script/interp.h"

static bool hash_type_is_defined(struct span sig)
{
    uint8_t type = sig.data[sig.len - 1] & (uint8_t)~SIGHASH_ANYONECANPAY;
    return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

enum script_error check_signature_encoding(struct span sig, unsigned flags)
{
    /* An empty signature is the compact way to give a wrong one. */
    if (sig.len == 0) return SCRIPT_ERR_OK;
    struct span der = span_of(sig.data, sig.len - 1);
    unsigned strict = SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_LOW_S | SCRIPT_VERIFY_STRICTENC;
    if (flags & strict && !ecdsa_is_strict_der(der)) return SCRIPT_ERR_SIG_DER;
    if (flags & SCRIPT_VERIFY_LOW_S && !ecdsa_is_low_s(der)) return SCRIPT_ERR_SIG_HIGH_S;
    if (flags & SCRIPT_VERIFY_STRICTENC && !hash_type_is_defined(sig)) return SCRIPT_ERR_SIG_HASHTYPE;
    return SCRIPT_ERR_OK;
}

enum script_error check_pubkey_encoding(struct span key, unsigned flags, enum sig_version version)
{
    bool compressed = key.len == 33 && (key.data[0] == 2 || key.data[0] == 3);
    bool uncompressed = key.len == 65 && key.data[0] == 4;
    if (flags & SCRIPT_VERIFY_STRICTENC && !compressed && !uncompressed) return SCRIPT_ERR_PUBKEYTYPE;
    if (flags & SCRIPT_VERIFY_WITNESS_PUBKEYTYPE && version == SIG_WITNESS_V0 && !compressed)
        return SCRIPT_ERR_WITNESS_PUBKEYTYPE;
    return SCRIPT_ERR_OK;
}

/* The bytes that stand before LEN pushed bytes; returns how many. */
static size_t push_prefix(uint8_t out[5], size_t len)
{
    if (len < OP_PUSHDATA1) {
        out[0] = (uint8_t)len;
        return 1;
    }
    if (len <= 0xff) {
        out[0] = OP_PUSHDATA1;
        out[1] = (uint8_t)len;
        return 2;
    }
    if (len <= 0xffff) {
        out[0] = OP_PUSHDATA2;
        put_le16(out + 1, (uint16_t)len);
        return 3;
    }
    out[0] = OP_PUSHDATA4;
    put_le32(out + 1, (uint32_t)len);
    return 5;
}

static bool push_stands_at(struct span code, size_t pos, struct span prefix, struct span sig)
{
    if (code.len - pos < prefix.len + sig.len) return false;
    if (memcmp(code.data + pos, prefix.data, prefix.len)) return false;
    return sig.len == 0 || memcmp(code.data + pos + prefix.len, sig.data, sig.len) == 0;
}

/* One pass over CODE (not empty): counts the pushes of SIG and, where TO is given, copies the rest there. */
static size_t delete_pass(uint8_t *to, struct span code, struct span prefix, struct span sig)
{
    size_t pos = 0, keep = 0, found = 0;
    uint8_t opcode;
    struct span data;
    do {
        if (to) memcpy(to, code.data + keep, pos - keep), to += pos - keep;
        /* What follows a deleted push is looked at before it is read as an instruction. */
        for (; push_stands_at(code, pos, prefix, sig); found++) pos += prefix.len + sig.len;
        keep = pos;
    } while (script_step(code, &pos, &opcode, &data));
    if (to) memcpy(to, code.data + keep, code.len - keep);
    return found;
}

size_t find_and_delete(struct span *out, struct span code, struct span sig, struct arena *arena)
{
    *out = code;
    if (code.len == 0) return 0;
    uint8_t bytes[5];
    struct span prefix = span_of(bytes, push_prefix(bytes, sig.len));
    size_t found = delete_pass(NULL, code, prefix, sig);
    if (found == 0) return 0;
    uint8_t *to = arena_alloc(arena, code.len);
    delete_pass(to, code, prefix, sig);
    *out = span_of(to, code.len - found * (prefix.len + sig.len));
    return found;
}

/* The signature hash, from the cache where an earlier check of this input had the same code and class of type. */
static void ecdsa_sighash(uint8_t out[32], struct interp *in, struct span code, uint8_t hash_type)
{
    if (in->version == SIG_BASE && sighash_single_bug(in->t->tx, in->index, hash_type)) {
        memset(out, 0, 32);
        out[0] = 1;
        return;
    }
    uint8_t base = hash_type & 0x1f;
    struct sighash_cache *c = &in->cache[(base == SIGHASH_SINGLE ? 2
                                          : base == SIGHASH_NONE ? 1
                                                                 : 0) +
                                         (hash_type & SIGHASH_ANYONECANPAY ? 3 : 0)];
    if (!c->used || !span_equal(c->code, code)) {
        c->used = true;
        c->code = code;
        if (in->version == SIG_BASE)
            sighash_legacy_start(&c->mid, in->t->tx, in->index, code, hash_type);
        else
            sighash_v0_start(&c->mid, in->t, in->index, code, in->amount, hash_type);
    }
    struct sha256 h = c->mid;
    sha256_put_le32(&h, hash_type);
    sha256_final_double(&h, out);
}

static bool pubkey_has_valid_size(struct span key)
{
    if (key.len == 0) return false;
    uint8_t first = key.data[0];
    if (first == 2 || first == 3) return key.len == 33;
    return (first == 4 || first == 6 || first == 7) && key.len == 65;
}

bool check_ecdsa(struct interp *in, struct span sig, struct span key, struct span code)
{
    if (sig.len == 0 || !pubkey_has_valid_size(key)) return false;
    if (in->version == SIG_WITNESS_V0 && in->amount < 0) return false;
    uint8_t hash[32];
    ecdsa_sighash(hash, in, code, sig.data[sig.len - 1]);
    struct span der = span_of(sig.data, sig.len - 1);
    if (in->verifier && in->verifier->ecdsa) return in->verifier->ecdsa(in->verifier->ctx, key, der, hash);
    return ecdsa_verify(key, der, hash);
}

enum script_error check_schnorr(struct interp *in, struct span sig, const uint8_t key[32])
{
    if (sig.len != 64 && sig.len != 65) return SCRIPT_ERR_SCHNORR_SIG_SIZE;
    uint8_t hash_type = SIGHASH_DEFAULT;
    if (sig.len == 65) {
        hash_type = sig.data[64];
        /* The default type has to be left out: otherwise there would be two forms of it. */
        if (hash_type == SIGHASH_DEFAULT) return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    }
    uint8_t hash[32];
    if (!sighash_taproot(hash, in->t, in->index, hash_type, &in->taproot)) return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    bool good = in->verifier && in->verifier->schnorr ? in->verifier->schnorr(in->verifier->ctx, key, sig.data, hash)
                                                      : schnorr_verify(key, sig.data, hash);
    return good ? SCRIPT_ERR_OK : SCRIPT_ERR_SCHNORR_SIG;
}

static enum script_error eval_checksig_ecdsa(struct interp *in, struct span sig, struct span key, bool *valid)
{
    struct span code = span_from(in->script, in->code_start);
    if (in->version == SIG_BASE && find_and_delete(&code, code, sig, &in->arena) &&
        in->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE)
        return SCRIPT_ERR_SIG_FINDANDDELETE;
    enum script_error e = check_signature_encoding(sig, in->flags);
    if (e == SCRIPT_ERR_OK) e = check_pubkey_encoding(key, in->flags, in->version);
    if (e != SCRIPT_ERR_OK) return e;
    *valid = check_ecdsa(in, sig, key, code);
    if (!*valid && in->flags & SCRIPT_VERIFY_NULLFAIL && sig.len) return SCRIPT_ERR_SIG_NULLFAIL;
    return SCRIPT_ERR_OK;
}

/* BIP342. The order is consensus: the budget first, then the key's size, then the signature. */
static enum script_error eval_checksig_tapscript(struct interp *in, struct span sig, struct span key, bool *valid)
{
    *valid = sig.len > 0;
    if (*valid) {
        in->budget -= SIGOP_BUDGET_COST;
        if (in->budget < 0) return SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT;
    }
    if (key.len == 0) return SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY;
    if (key.len == 32) return *valid ? check_schnorr(in, sig, key.data) : SCRIPT_ERR_OK;
    /* A key of a kind to come: every signature that is not empty is good. */
    if (in->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE) return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
    return SCRIPT_ERR_OK;
}

enum script_error eval_checksig(struct interp *in, struct span sig, struct span pubkey, bool *valid)
{
    if (in->version == SIG_TAPSCRIPT) return eval_checksig_tapscript(in, sig, pubkey, valid);
    return eval_checksig_ecdsa(in, sig, pubkey, valid);
}

enum script_error op_codeseparator(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    in->code_start = in->pos;
    in->taproot.codesep_pos = in->op_index;
    return SCRIPT_ERR_OK;
}

/* (sig pubkey -- bool) */
enum script_error op_checksig(struct interp *in, uint8_t opcode)
{
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    bool valid;
    enum script_error e = eval_checksig(in, stack_span(in, 1), stack_span(in, 0), &valid);
    if (e != SCRIPT_ERR_OK) return e;
    if (opcode == OP_CHECKSIGVERIFY && !valid) return SCRIPT_ERR_CHECKSIGVERIFY;
    in->count -= 2;
    if (opcode == OP_CHECKSIG) stack_push_bool(in, valid);
    return SCRIPT_ERR_OK;
}

/* (sig n pubkey -- n or n + 1), tapscript only */
enum script_error op_checksigadd(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->version != SIG_TAPSCRIPT) return SCRIPT_ERR_BAD_OPCODE;
    if (in->count < 3) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t n;
    if (!stack_number(in, 1, 4, &n)) return SCRIPT_ERR_SCRIPTNUM;
    bool valid;
    enum script_error e = eval_checksig(in, stack_span(in, 2), stack_span(in, 0), &valid);
    if (e != SCRIPT_ERR_OK) return e;
    in->count -= 3;
    stack_push_number(in, n + valid);
    return SCRIPT_ERR_OK;
}
