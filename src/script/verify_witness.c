/* Witness programs: version 0 (BIP141), taproot (BIP341), tapscript (BIP342), versions to come. */
#include "script/verify_witness.h"

#include "crypto/ripemd160.h"
#include "primitives/compact_size.h"
#include "script/taproot.h"

enum { KEYHASH_BYTES = 20, SCRIPTHASH_BYTES = 32, SIGOP_BUDGET_BASE = 50 };

/* BIP342: an OP_SUCCESSx anywhere before the first broken instruction makes the spend valid whatever else is there. */
static bool tapscript_ends_early(struct span script, unsigned flags, enum script_error *result)
{
    size_t pos = 0;
    uint8_t opcode;
    struct span data;
    while (pos < script.len) {
        if (!script_step(script, &pos, &opcode, &data)) {
            *result = SCRIPT_ERR_BAD_OPCODE;
            return true;
        }
        if (op_row_of(opcode)->flags & ROW_SUCCESS) {
            *result = flags & SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS ? SCRIPT_ERR_DISCOURAGE_OP_SUCCESS : SCRIPT_ERR_OK;
            return true;
        }
    }
    return false;
}

/* Runs SCRIPT on the COUNT witness items before it: exactly one true element must be left. */
static enum script_error run_witness_script(struct interp *in, const struct span *items, size_t count,
                                            struct span script, enum sig_version version)
{
    enum script_error e;
    if (version == SIG_TAPSCRIPT) {
        if (tapscript_ends_early(script, in->flags, &e)) return e;
        if (count > MAX_STACK_SIZE) return SCRIPT_ERR_STACK_SIZE;
    }
    for (size_t i = 0; i < count; i++)
        if (items[i].len > MAX_SCRIPT_ELEMENT_SIZE) return SCRIPT_ERR_PUSH_SIZE;
    interp_set_stack(in, items, count);
    e = interp_run(in, script, version);
    if (e != SCRIPT_ERR_OK) return e;
    if (in->count != 1) return SCRIPT_ERR_CLEANSTACK;
    return bytes_are_true(stack_span(in, 0)) ? SCRIPT_ERR_OK : SCRIPT_ERR_EVAL_FALSE;
}

/* The script that a version 0 key hash stands for: a pay-to-public-key-hash of it. */
static void keyhash_script(uint8_t out[25], struct span program)
{
    out[0] = OP_DUP;
    out[1] = OP_HASH160;
    out[2] = KEYHASH_BYTES;
    memcpy(out + 3, program.data, KEYHASH_BYTES);
    out[23] = OP_EQUALVERIFY;
    out[24] = OP_CHECKSIG;
}

static enum script_error verify_keyhash(struct interp *in, const struct witness *witness, struct span program,
                                        bool fast)
{
    if (witness->count != 2) return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    keyhash_script(in->implied, program);
    struct span script = span_of(in->implied, sizeof(in->implied));
    if (!fast) return run_witness_script(in, witness->items, 2, script, SIG_WITNESS_V0);
    struct span sig = witness->items[0], key = witness->items[1];
    if (sig.len > MAX_SCRIPT_ELEMENT_SIZE || key.len > MAX_SCRIPT_ELEMENT_SIZE) return SCRIPT_ERR_PUSH_SIZE;
    uint8_t hash[20];
    hash160(hash, key.data, key.len);
    if (memcmp(hash, program.data, KEYHASH_BYTES)) return SCRIPT_ERR_EQUALVERIFY;
    bool valid;
    in->version = SIG_WITNESS_V0;
    in->script = script;
    in->code_start = 0;
    enum script_error e = eval_checksig(in, sig, key, &valid);
    if (e != SCRIPT_ERR_OK) return e;
    return valid ? SCRIPT_ERR_OK : SCRIPT_ERR_EVAL_FALSE;
}

static enum script_error verify_scripthash(struct interp *in, const struct witness *witness, struct span program)
{
    if (witness->count == 0) return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    struct span script = witness->items[witness->count - 1];
    uint8_t hash[32];
    sha256_once(hash, script.data, script.len);
    if (memcmp(hash, program.data, SCRIPTHASH_BYTES)) return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    return run_witness_script(in, witness->items, witness->count - 1, script, SIG_WITNESS_V0);
}

/* Bytes of the witness on the wire. */
static uint64_t witness_size(const struct witness *witness)
{
    uint64_t size = compact_size_len(witness->count);
    for (size_t i = 0; i < witness->count; i++) size += compact_size_len(witness->items[i].len) + witness->items[i].len;
    return size;
}

static void annex_hash(uint8_t out[32], struct span annex)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_put_compact_size(&h, annex.len);
    sha256_put(&h, annex.data, annex.len);
    sha256_final(&h, out);
}

/* The stack without annex: ..., script, control block. */
static enum script_error verify_script_path(struct interp *in, const struct witness *witness, size_t count,
                                            struct span program)
{
    struct span control = witness->items[count - 1], script = witness->items[count - 2];
    if (!taproot_control_has_valid_size(control)) return SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
    uint8_t leaf_version = control.data[0] & TAPROOT_LEAF_MASK;
    tapleaf_hash(in->taproot.leaf_hash, leaf_version, script);
    if (!taproot_commits_to(program.data, control, in->taproot.leaf_hash)) return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    if (leaf_version == TAPROOT_LEAF_TAPSCRIPT) {
        in->taproot.tapscript = true;
        in->budget = (int64_t)witness_size(witness) + SIGOP_BUDGET_BASE;
        return run_witness_script(in, witness->items, count - 2, script, SIG_TAPSCRIPT);
    }
    if (in->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
    return SCRIPT_ERR_OK;
}

static enum script_error verify_taproot(struct interp *in, const struct witness *witness, struct span program)
{
    if (!(in->flags & SCRIPT_VERIFY_TAPROOT)) return SCRIPT_ERR_OK;
    size_t count = witness->count;
    if (count == 0) return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    struct span last = witness->items[count - 1];
    in->taproot.tapscript = false;
    in->taproot.has_annex = count >= 2 && last.len && last.data[0] == TAPROOT_ANNEX_TAG;
    if (in->taproot.has_annex) {
        annex_hash(in->taproot.annex_hash, last);
        count--;
    }
    if (count == 1) return check_schnorr(in, witness->items[0], program.data);
    return verify_script_path(in, witness, count, program);
}

enum script_error verify_witness_program(struct interp *in, const struct witness *witness, int version,
                                         struct span program, bool is_p2sh, bool fast)
{
    if (version == 0) {
        if (program.len == SCRIPTHASH_BYTES) return verify_scripthash(in, witness, program);
        if (program.len == KEYHASH_BYTES) return verify_keyhash(in, witness, program, fast);
        return SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
    }
    if (version == 1 && program.len == 32 && !is_p2sh) return verify_taproot(in, witness, program);
    /* Pay-to-anchor: anybody may spend it, and no flag minds. */
    if (version == 1 && program.len == 2 && program.data[0] == 0x4e && program.data[1] == 0x73 && !is_p2sh)
        return SCRIPT_ERR_OK;
    if (in->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
    return SCRIPT_ERR_OK;
}
