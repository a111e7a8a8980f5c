/* What the files of tx_stream share: locks (what an output asks for), coins, transactions, and the state of a run.
 *
 * tx_stream makes random transactions, good and bad in every way that it knows, for mempool_with_core.py. The same seed
 * and the same answers on standard input give the same transactions. */
#ifndef CAIRN_INTEROP_STREAM_H
#define CAIRN_INTEROP_STREAM_H

#include "base/alloc.h"
#include "base/check.h"
#include "base/random.h"
#include "consensus/params.h"
#include "script/script.h"
#include "script/sighash.h"

enum { STREAM_KEYS = 16, NOBODY = UINT32_MAX };

struct stream_key {
    uint8_t secret[32], pub[33], full[65], hash[20], full_hash[20];
};

/* Around the inner script, or instead of one. */
enum wrap {
    WRAP_BARE,
    WRAP_P2SH,
    WRAP_P2WSH,
    WRAP_P2SH_P2WSH,
    WRAP_LEAF, /* of a taproot tree */
    WRAP_P2WPKH,
    WRAP_P2SH_P2WPKH,
    WRAP_P2TR,
    WRAP_ANCHOR,
    WRAP_PROGRAM, /* a witness program of some version and length */
    WRAP_DATA,    /* OP_RETURN */
    WRAP_JUNK,
    WRAP_COUNT,
};

enum inner {
    IN_PK,
    IN_PKH,
    IN_MULTI,    /* M of N */
    IN_TRUE,     /* OP_1 */
    IN_CLTV,     /* N CLTV DROP <key> CHECKSIG */
    IN_CSV,      /* N CSV DROP <key> CHECKSIG */
    IN_SIGOPS,   /* N of them, never executed */
    IN_ITEMS,    /* M items of N bytes on the stack, all dropped */
    IN_IF,       /* takes its argument from the stack: minimal-if */
    IN_NOP,      /* an upgradable NOP */
    IN_CODESEP,  /* CODESEPARATOR <key> CHECKSIG */
    IN_PADDED,   /* N bytes of pushes that are dropped */
    IN_FALSE,    /* OP_0 */
    IN_UNCLEAN,  /* leaves two items */
    IN_SUCCESS,  /* an OP_SUCCESSx of tapscript */
    IN_CHECKADD, /* tapscript's CHECKSIGADD; elsewhere a bad opcode */
    IN_COUNT,
};

struct lock {
    uint8_t wrap, inner, key;
    bool full;     /* an uncompressed key */
    uint32_t n, m; /* what WRAP or INNER make of it */
};

/* What is wrong with the unlocking of an input. */
enum damage {
    DAMAGE_NONE,
    DAMAGE_HASH,       /* signs something else */
    DAMAGE_KEY,        /* another's key signs */
    DAMAGE_HIGH_S,     /* ECDSA */
    DAMAGE_HASH_TYPE,  /* an undefined one, signed */
    DAMAGE_OTHER_TYPE, /* a defined one: nothing wrong */
    DAMAGE_EMPTY_SIG,
    DAMAGE_DER,       /* padded */
    DAMAGE_BIT,       /* one bit of the signature */
    DAMAGE_EXTRA,     /* one more stack item */
    DAMAGE_MISSING,   /* one fewer */
    DAMAGE_NO_PUSH,   /* an operation in the scriptSig */
    DAMAGE_LONG_PUSH, /* a push not in its shortest form */
    DAMAGE_DUMMY,     /* of CHECKMULTISIG */
    DAMAGE_STRIP,     /* no witness */
    DAMAGE_WITNESS,   /* a witness where none belongs */
    DAMAGE_ANNEX,
    DAMAGE_CONTROL, /* a bit of the control block */
    DAMAGE_LEAF,    /* another leaf version */
    DAMAGE_SCRIPT,  /* a bit of the redeem or witness script */
    DAMAGE_PUBKEY,  /* a hybrid or impossible key */
    DAMAGE_ARG,     /* of IN_IF */
    DAMAGE_BIG,     /* an oversized item */
    DAMAGE_COUNT,
};

struct coin_of {
    struct outpoint at;
    amount_sat value;
    struct lock lock;
    uint32_t maker;   /* of STREAM->txs; a coinbase is one of them, too */
    uint32_t spender; /* that lives; NOBODY */
};

enum life { LIFE_DEAD, LIFE_POOL, LIFE_CHAIN };

struct made_tx {
    struct txid txid;
    struct buffer raw;
    uint32_t first_coin, coin_count;
    uint32_t *spends; /* coins */
    uint32_t spend_count;
    amount_sat fee;
    uint64_t vsize;
    int32_t version;
    int32_t height; /* in the chain */
    enum life life;
    bool coinbase;
};

struct stream {
    struct random rng;
    struct stream_key keys[STREAM_KEYS];
    struct coin_of *coins;
    size_t coin_count, coin_cap;
    struct made_tx *txs;
    size_t tx_count, tx_cap;
    int32_t height; /* of the tip */
    int64_t median_time;
    unsigned mode, mode_left; /* what sort of transactions are made for a while */
    bool calm;                /* all fees suffice */
    bool blocks;              /* what is made now goes into a block: nothing may be wrong with it */
};

/* True PERCENT times of a hundred. */
static inline bool chance(struct stream *s, unsigned percent)
{
    return random_below(&s->rng, 100) < percent;
}

static inline uint32_t pick(struct stream *s, uint64_t limit)
{
    return (uint32_t)random_below(&s->rng, limit);
}

/* ---- stream_lock.c ---- */

void stream_keys_init(struct stream *s);
/* A lock that is standard and can be opened; one of any sort. */
struct lock lock_standard(struct stream *s);
struct lock lock_any(struct stream *s);
bool lock_can_open(const struct lock *l);
void lock_script(struct buffer *out, const struct stream *s, const struct lock *l);
void lock_script_pubkey(struct buffer *out, const struct stream *s, const struct lock *l);

/* ---- stream_unlock.c ---- */

/* Fills scriptSig and witness of input INDEX; the bytes lie in ARENA. */
void unlock(struct stream *s, struct arena *arena, const struct script_tx *t, size_t index, const struct lock *l,
            enum damage damage, struct tx_in *in);

/* ---- stream_tx.c ---- */

/* Makes a transaction; its number, NOBODY where nothing could be spent. */
uint32_t make_tx(struct stream *s);
/* A package: LIST gets numbers of transactions in the order in which they are to be told. */
size_t make_package(struct stream *s, uint32_t list[32]);
/* Sets who lives; inputs of what lives are spent. */
void set_life(struct stream *s, uint32_t tx, enum life life, int32_t height);
struct made_tx *add_tx(struct stream *s, uint32_t *number);
void add_coin(struct stream *s, uint32_t maker, uint32_t index, amount_sat value, struct lock lock);
/* Bytes that are hardly a transaction. */
void make_junk(struct stream *s, struct buffer *out);

#endif
