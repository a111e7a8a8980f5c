/* The script interpreter's own interface: the machine that the opcode handlers work on. Nothing outside this room and
 * its tests includes it. */
#ifndef CAIRN_SCRIPT_INTERP_H
#define CAIRN_SCRIPT_INTERP_H

#include "base/arena.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "script/script.h"
#include "script/sighash.h"
#include "script/taproot.h"
#include "script/verify.h"

enum sig_version { SIG_BASE, SIG_WITNESS_V0, SIG_TAPSCRIPT };

enum {
    ELEMENT_SMALL = 32,    /* the longest value that an opcode makes: a hash */
    OP_PUSHES_MOST = 3,    /* OP_3DUP */
    SIGHASH_CLASSES = 6,   /* all, none, single; each with and without ANYONECANPAY */
    SIGOP_BUDGET_COST = 50 /* BIP342: witness bytes that one executed signature check needs */
};

/* A stack element: bytes of a script or witness item, which are not copied, or a small value of its own. */
struct element {
    const uint8_t *data; /* NULL: the bytes are in `small` */
    uint32_t len;
    uint8_t small[ELEMENT_SMALL];
};

/* What the signature hashes of one script code and class of hash type have in common: all but the hash type itself. */
struct sighash_cache {
    bool used;
    struct span code;
    struct sha256 mid;
};

/* One input being verified. The fields above the line stay as they are from script to script. */
struct interp {
    const struct script_tx *t;
    size_t index;
    amount_sat amount;
    unsigned flags;
    const struct sig_verifier *verifier;
    struct arena arena; /* script codes after FindAndDelete: rare */
    struct sighash_cache cache[SIGHASH_CLASSES];
    struct taproot_context taproot;
    uint8_t implied[25]; /* the script that a version 0 key hash stands for */
    int64_t budget;      /* BIP342, in weight units */
    /* ---- */
    enum sig_version version;
    struct span script;
    size_t pos;          /* past the current instruction */
    struct span push;    /* what the current instruction pushes */
    size_t code_start;   /* past the last executed OP_CODESEPARATOR */
    uint32_t op_index;   /* instructions before the current one */
    int op_count;        /* those that count towards MAX_OPS_PER_SCRIPT */
    uint32_t if_depth;   /* open OP_IFs */
    uint32_t if_skipped; /* depth of the outermost one whose branch is not taken, from 1; 0: all are taken */
    struct element *stack;
    size_t count;
    size_t alt_count; /* the alternative stack grows down from the end of `stack` */
    size_t cap;
    struct element room[MAX_STACK_SIZE + OP_PUSHES_MOST];
};

typedef enum script_error (*op_handler)(struct interp *in, uint8_t opcode);

enum {
    ROW_ALWAYS = 1,   /* looked at in branches that are not taken, too */
    ROW_DISABLED = 2, /* fails wherever it stands (CVE-2010-5137) */
    ROW_SUCCESS = 4,  /* OP_SUCCESSx in tapscript (BIP342) */
};

struct op_row {
    op_handler run; /* NULL: not an opcode */
    uint8_t flags;
};

/* The row of an opcode above OP_PUSHDATA4; pushes have none. */
const struct op_row *op_row_of(uint8_t opcode);

/* Prepares IN for one input; everything given must outlive it. interp_clear frees what the run allocated. */
void interp_init(struct interp *in, const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                 const struct sig_verifier *verifier);
void interp_clear(struct interp *in);

/* Replaces the stack by ITEMS; the items are not copied. */
void interp_set_stack(struct interp *in, const struct span *items, size_t count);

/* Runs SCRIPT on the stack as it is. */
enum script_error interp_run(struct interp *in, struct span script, enum sig_version version);

/* script_verify without its short cuts for standard templates: every script goes through interp_run. */
enum script_error script_verify_plain(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                                      const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                                      const struct sig_verifier *verifier);

/* As script_next, but after a failure *POS is where reading stopped (past the opcode and, where it was there, the
 * length), which the legacy signature hash of a broken script code shows. */
bool script_step(struct span script, size_t *pos, uint8_t *opcode, struct span *data);

/* True where OPCODE is the shortest way to push DATA. */
bool push_is_minimal(struct span data, uint8_t opcode);

/* BIP62/BIP66 rules of a signature with its hash type, and of a public key, as FLAGS ask for. */
enum script_error check_signature_encoding(struct span sig, unsigned flags);
enum script_error check_pubkey_encoding(struct span key, unsigned flags, enum sig_version version);

/* Removes every instruction-aligned occurrence of the push of SIG from CODE: the number found; *OUT is CODE where there
 * is none, else bytes in ARENA. */
size_t find_and_delete(struct span *out, struct span code, struct span sig, struct arena *arena);

/* Checks one signature (OP_CHECKSIG): *VALID says whether it is good; an error ends the script. */
enum script_error eval_checksig(struct interp *in, struct span sig, struct span pubkey, bool *valid);

/* True where SIG (hash type included) is good for KEY over CODE, legacy or BIP143; says nothing about encodings. */
bool check_ecdsa(struct interp *in, struct span sig, struct span key, struct span code);

/* BIP341/342 signature of 64 or 65 bytes under the 32-byte KEY. */
enum script_error check_schnorr(struct interp *in, struct span sig, const uint8_t key[32]);

/* Feeds all of the legacy or BIP143 signature message but the hash type. */
void sighash_legacy_start(struct sha256 *h, const struct tx *tx, size_t index, struct span script_code,
                          int32_t hash_type);
void sighash_v0_start(struct sha256 *h, const struct script_tx *t, size_t index, struct span script_code,
                      amount_sat amount, int32_t hash_type);
/* True where HASH_TYPE asks for the output of an input that has none: the legacy hash is then 1. */
bool sighash_single_bug(const struct tx *tx, size_t index, int32_t hash_type);

/* Handlers, by subject. */
enum script_error op_number(struct interp *in, uint8_t opcode); /* interp_flow.c */
enum script_error op_nop(struct interp *in, uint8_t opcode);
enum script_error op_upgradable_nop(struct interp *in, uint8_t opcode);
enum script_error op_if(struct interp *in, uint8_t opcode);
enum script_error op_else(struct interp *in, uint8_t opcode);
enum script_error op_endif(struct interp *in, uint8_t opcode);
enum script_error op_verify(struct interp *in, uint8_t opcode);
enum script_error op_return(struct interp *in, uint8_t opcode);
enum script_error op_locktime(struct interp *in, uint8_t opcode);
enum script_error op_sequence(struct interp *in, uint8_t opcode);
enum script_error op_to_alt(struct interp *in, uint8_t opcode); /* interp_stack.c */
enum script_error op_from_alt(struct interp *in, uint8_t opcode);
enum script_error op_drop(struct interp *in, uint8_t opcode);
enum script_error op_copy(struct interp *in, uint8_t opcode);
enum script_error op_rotate(struct interp *in, uint8_t opcode);
enum script_error op_ifdup(struct interp *in, uint8_t opcode);
enum script_error op_depth(struct interp *in, uint8_t opcode);
enum script_error op_nip(struct interp *in, uint8_t opcode);
enum script_error op_pick(struct interp *in, uint8_t opcode);
enum script_error op_tuck(struct interp *in, uint8_t opcode);
enum script_error op_size(struct interp *in, uint8_t opcode);
enum script_error op_equal(struct interp *in, uint8_t opcode);
enum script_error op_unary(struct interp *in, uint8_t opcode); /* interp_arith.c */
enum script_error op_binary(struct interp *in, uint8_t opcode);
enum script_error op_within(struct interp *in, uint8_t opcode);
enum script_error op_hash(struct interp *in, uint8_t opcode);          /* interp_crypto.c */
enum script_error op_codeseparator(struct interp *in, uint8_t opcode); /* interp_sig.c */
enum script_error op_checksig(struct interp *in, uint8_t opcode);
enum script_error op_checksigadd(struct interp *in, uint8_t opcode);
enum script_error op_checkmultisig(struct interp *in, uint8_t opcode); /* interp_multisig.c */

static inline struct span element_span(const struct element *e)
{
    return span_of(e->data ? e->data : e->small, e->len);
}

/* The element DEPTH below the top (0 is the top), which must be there. */
static inline struct element *stack_at(struct interp *in, size_t depth)
{
    return &in->stack[in->count - 1 - depth];
}

static inline struct span stack_span(struct interp *in, size_t depth)
{
    return element_span(stack_at(in, depth));
}

static inline struct element *stack_grow(struct interp *in)
{
    CHECK(in->count + in->alt_count < in->cap);
    return &in->stack[in->count++];
}

static inline void stack_push(struct interp *in, struct span bytes)
{
    static const uint8_t nothing[1];
    struct element *e = stack_grow(in);
    e->data = bytes.len ? bytes.data : nothing;
    e->len = (uint32_t)bytes.len;
}

static inline void stack_push_bool(struct interp *in, bool v)
{
    struct element *e = stack_grow(in);
    e->data = NULL;
    e->len = v;
    e->small[0] = 1;
}

static inline void stack_push_number(struct interp *in, int64_t v)
{
    struct element *e = stack_grow(in);
    e->data = NULL;
    e->len = (uint32_t)script_num_encode(e->small, v);
}

/* The number DEPTH below the top; false where it is none (SCRIPT_ERR_SCRIPTNUM). */
static inline bool stack_number(struct interp *in, size_t depth, size_t max_len, int64_t *out)
{
    return script_num_decode(out, stack_span(in, depth), in->flags & SCRIPT_VERIFY_MINIMALDATA, max_len);
}

/* False for zero of any length, negative zero included. */
bool bytes_are_true(struct span bytes);

#endif
