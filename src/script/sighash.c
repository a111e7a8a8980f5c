/* Signature hashes: the original one, BIP143 and BIP341/342. The transaction is streamed into SHA-256, never copied. */
#include "script/sighash.h"

#include "base/check.h"
#include "base/endian.h"
#include "crypto/sha256.h"
#include "script/interp.h"

/* Every function takes the running hash first; numbers are little-endian. */
static void put_script(struct sha256 *h, struct span script)
{
    sha256_put_compact_size(h, script.len);
    if (script.len) sha256_put(h, script.data, script.len);
}

static void put_outpoint(struct sha256 *h, const struct outpoint *o)
{
    uint8_t bytes[36];
    memcpy(bytes, o->txid.bytes, 32);
    put_le32(bytes + 32, o->index);
    sha256_put(h, bytes, sizeof(bytes));
}

static void put_output(struct sha256 *h, const struct tx_out *o)
{
    uint8_t bytes[9 + 75];
    put_le64(bytes, (uint64_t)o->value);
    if (o->script_pubkey.len > 75) {
        sha256_put(h, bytes, 8);
        put_script(h, o->script_pubkey);
        return;
    }
    bytes[8] = (uint8_t)o->script_pubkey.len;
    if (o->script_pubkey.len) memcpy(bytes + 9, o->script_pubkey.data, o->script_pubkey.len);
    sha256_put(h, bytes, 9 + o->script_pubkey.len);
}

static void hash_prevouts(uint8_t out[32], const struct tx *tx)
{
    struct sha256 h;
    sha256_init(&h);
    for (size_t i = 0; i < tx->in_count; i++) put_outpoint(&h, &tx->in[i].prevout);
    sha256_final(&h, out);
}

static void hash_sequences(uint8_t out[32], const struct tx *tx)
{
    struct sha256 h;
    sha256_init(&h);
    for (size_t i = 0; i < tx->in_count; i++) sha256_put_le32(&h, tx->in[i].sequence);
    sha256_final(&h, out);
}

static void hash_outputs(uint8_t out[32], const struct tx *tx)
{
    struct sha256 h;
    sha256_init(&h);
    for (size_t i = 0; i < tx->out_count; i++) put_output(&h, &tx->out[i]);
    sha256_final(&h, out);
}

static void hash_spent(struct sighash_midstates *mid, const struct tx_out *spent, size_t count)
{
    struct sha256 amounts, scripts;
    sha256_init(&amounts);
    sha256_init(&scripts);
    for (size_t i = 0; i < count; i++) {
        sha256_put_le64(&amounts, (uint64_t)spent[i].value);
        put_script(&scripts, spent[i].script_pubkey);
    }
    sha256_final(&amounts, mid->amounts);
    sha256_final(&scripts, mid->script_pubkeys);
}

static void make_midstates(struct script_tx *t, bool v0, bool taproot)
{
    struct sighash_midstates *mid = &t->mid;
    mid->v0_ready = v0;
    mid->taproot_ready = taproot;
    if (!v0 && !taproot) return;
    hash_prevouts(mid->prevouts, t->tx);
    hash_sequences(mid->sequences, t->tx);
    hash_outputs(mid->outputs, t->tx);
    if (v0) {
        sha256_once(mid->prevouts_double, mid->prevouts, 32);
        sha256_once(mid->sequences_double, mid->sequences, 32);
        sha256_once(mid->outputs_double, mid->outputs, 32);
    }
    if (taproot) hash_spent(mid, t->spent, t->tx->in_count);
}

void script_tx_init(struct script_tx *t, const struct tx *tx, const struct tx_out *spent)
{
    t->tx = tx;
    t->spent = spent;
    bool v0 = false, taproot = false;
    for (size_t i = 0; i < tx->in_count && !(v0 && taproot); i++) {
        if (tx->in[i].witness.count == 0) continue;
        /* What is not plainly a taproot spend may be version 0, bare or inside P2SH. */
        if (spent && spent[i].script_pubkey.len == 34 && spent[i].script_pubkey.data[0] == OP_1)
            taproot = true;
        else
            v0 = true;
    }
    make_midstates(t, v0, taproot);
}

void script_tx_init_all(struct script_tx *t, const struct tx *tx, const struct tx_out *spent)
{
    t->tx = tx;
    t->spent = spent;
    make_midstates(t, true, spent != NULL);
}

/* The script code with its OP_CODESEPARATORs left out, after its length. */
static void put_legacy_code(struct sha256 *h, struct span code)
{
    size_t pos = 0, from = 0, separators = 0;
    uint8_t opcode;
    struct span data;
    while (script_step(code, &pos, &opcode, &data)) separators += opcode == OP_CODESEPARATOR;
    /* Of a push that runs past the end only the opcode and the length are hashed: reading stopped there. */
    size_t stop = pos;
    sha256_put_compact_size(h, code.len - separators);
    pos = 0;
    while (separators && script_step(code, &pos, &opcode, &data)) {
        if (opcode != OP_CODESEPARATOR) continue;
        sha256_put(h, code.data + from, pos - 1 - from);
        from = pos;
    }
    if (from != code.len) sha256_put(h, code.data + from, stop - from);
}

bool sighash_single_bug(const struct tx *tx, size_t index, int32_t hash_type)
{
    return (hash_type & 0x1f) == SIGHASH_SINGLE && index >= tx->out_count;
}

static void put_legacy_inputs(struct sha256 *h, const struct tx *tx, size_t index, struct span code, int32_t hash_type)
{
    bool anyone = hash_type & SIGHASH_ANYONECANPAY;
    int32_t base = hash_type & 0x1f;
    bool free_sequences = base == SIGHASH_NONE || base == SIGHASH_SINGLE;
    sha256_put_compact_size(h, anyone ? 1 : tx->in_count);
    for (size_t i = anyone ? index : 0; i < (anyone ? index + 1 : tx->in_count); i++) {
        const struct tx_in *in = &tx->in[i];
        if (i == index) {
            put_outpoint(h, &in->prevout);
            put_legacy_code(h, code);
            sha256_put_le32(h, in->sequence);
        } else {
            uint8_t bytes[41];
            memcpy(bytes, in->prevout.txid.bytes, 32);
            put_le32(bytes + 32, in->prevout.index);
            bytes[36] = 0;
            put_le32(bytes + 37, free_sequences ? 0 : in->sequence);
            sha256_put(h, bytes, sizeof(bytes));
        }
    }
}

static void put_legacy_outputs(struct sha256 *h, const struct tx *tx, size_t index, int32_t hash_type)
{
    static const uint8_t blank[9] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    switch (hash_type & 0x1f) {
    case SIGHASH_NONE: sha256_put_compact_size(h, 0); return;
    case SIGHASH_SINGLE:
        sha256_put_compact_size(h, index + 1);
        for (size_t i = 0; i < index; i++) sha256_put(h, blank, sizeof(blank));
        put_output(h, &tx->out[index]);
        return;
    default:
        sha256_put_compact_size(h, tx->out_count);
        for (size_t i = 0; i < tx->out_count; i++) put_output(h, &tx->out[i]);
    }
}

void sighash_legacy_start(struct sha256 *h, const struct tx *tx, size_t index, struct span script_code,
                          int32_t hash_type)
{
    sha256_init(h);
    sha256_put_le32(h, (uint32_t)tx->version);
    put_legacy_inputs(h, tx, index, script_code, hash_type);
    put_legacy_outputs(h, tx, index, hash_type);
    sha256_put_le32(h, tx->lock_time);
}

void sighash_legacy(uint8_t out[32], const struct tx *tx, size_t index, struct span script_code, int32_t hash_type)
{
    CHECK(index < tx->in_count);
    if (sighash_single_bug(tx, index, hash_type)) {
        memset(out, 0, 32);
        out[0] = 1;
        return;
    }
    struct sha256 h;
    sighash_legacy_start(&h, tx, index, script_code, hash_type);
    sha256_put_le32(&h, (uint32_t)hash_type);
    sha256_final_double(&h, out);
}

/* One of the three hashes over the whole transaction: the shared one, or made now where there is none. */
static void put_v0_hash(struct sha256 *h, const struct script_tx *t, const uint8_t shared[32],
                        void (*make)(uint8_t out[32], const struct tx *tx))
{
    uint8_t hash[32];
    if (t->mid.v0_ready) {
        sha256_put(h, shared, 32);
        return;
    }
    make(hash, t->tx);
    sha256_once(hash, hash, 32);
    sha256_put(h, hash, 32);
}

static void put_v0_outputs(struct sha256 *h, const struct script_tx *t, size_t index, int32_t base)
{
    uint8_t hash[32] = {0};
    if (base != SIGHASH_SINGLE && base != SIGHASH_NONE) {
        put_v0_hash(h, t, t->mid.outputs_double, hash_outputs);
        return;
    }
    if (base == SIGHASH_SINGLE && index < t->tx->out_count) {
        struct sha256 one;
        sha256_init(&one);
        put_output(&one, &t->tx->out[index]);
        sha256_final_double(&one, hash);
    }
    sha256_put(h, hash, 32);
}

void sighash_v0_start(struct sha256 *h, const struct script_tx *t, size_t index, struct span script_code,
                      amount_sat amount, int32_t hash_type)
{
    static const uint8_t zero[32];
    const struct tx_in *in = &t->tx->in[index];
    bool anyone = hash_type & SIGHASH_ANYONECANPAY;
    int32_t base = hash_type & 0x1f;
    sha256_init(h);
    sha256_put_le32(h, (uint32_t)t->tx->version);
    if (anyone)
        sha256_put(h, zero, 32);
    else
        put_v0_hash(h, t, t->mid.prevouts_double, hash_prevouts);
    if (anyone || base == SIGHASH_SINGLE || base == SIGHASH_NONE)
        sha256_put(h, zero, 32);
    else
        put_v0_hash(h, t, t->mid.sequences_double, hash_sequences);
    put_outpoint(h, &in->prevout);
    put_script(h, script_code);
    sha256_put_le64(h, (uint64_t)amount);
    sha256_put_le32(h, in->sequence);
    put_v0_outputs(h, t, index, base);
    sha256_put_le32(h, t->tx->lock_time);
}

void sighash_v0(uint8_t out[32], const struct script_tx *t, size_t index, struct span script_code, amount_sat amount,
                int32_t hash_type)
{
    CHECK(index < t->tx->in_count);
    struct sha256 h;
    sighash_v0_start(&h, t, index, script_code, amount, hash_type);
    sha256_put_le32(&h, (uint32_t)hash_type);
    sha256_final_double(&h, out);
}

static void put_taproot_tx(struct sha256 *h, const struct script_tx *t, bool anyone, uint8_t outputs)
{
    sha256_put_le32(h, (uint32_t)t->tx->version);
    sha256_put_le32(h, t->tx->lock_time);
    if (!anyone) {
        sha256_put(h, t->mid.prevouts, 32);
        sha256_put(h, t->mid.amounts, 32);
        sha256_put(h, t->mid.script_pubkeys, 32);
        sha256_put(h, t->mid.sequences, 32);
    }
    if (outputs == SIGHASH_ALL) sha256_put(h, t->mid.outputs, 32);
}

static void put_taproot_input(struct sha256 *h, const struct script_tx *t, size_t index, bool anyone,
                              const struct taproot_context *context)
{
    uint8_t spend_type = (uint8_t)(context->tapscript << 1 | context->has_annex);
    sha256_put(h, &spend_type, 1);
    if (anyone) {
        put_outpoint(h, &t->tx->in[index].prevout);
        put_output(h, &t->spent[index]);
        sha256_put_le32(h, t->tx->in[index].sequence);
    } else {
        sha256_put_le32(h, (uint32_t)index);
    }
    if (context->has_annex) sha256_put(h, context->annex_hash, 32);
}

bool sighash_taproot(uint8_t out[32], const struct script_tx *t, size_t index, uint8_t hash_type,
                     const struct taproot_context *context)
{
    CHECK(index < t->tx->in_count);
    if (!t->mid.taproot_ready || !t->spent) return false;
    if (hash_type > 3 && !(hash_type >= 0x81 && hash_type <= 0x83)) return false;
    uint8_t outputs = hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : hash_type & 3;
    bool anyone = hash_type & SIGHASH_ANYONECANPAY;
    if (outputs == SIGHASH_SINGLE && index >= t->tx->out_count) return false;
    struct sha256 h;
    const uint8_t start[2] = {0, hash_type}; /* the epoch, then the type */
    tagged_hash_init(&h, "TapSighash");
    sha256_put(&h, start, sizeof(start));
    put_taproot_tx(&h, t, anyone, outputs);
    put_taproot_input(&h, t, index, anyone, context);
    if (outputs == SIGHASH_SINGLE) {
        struct sha256 one;
        uint8_t hash[32];
        sha256_init(&one);
        put_output(&one, &t->tx->out[index]);
        sha256_final(&one, hash);
        sha256_put(&h, hash, 32);
    }
    if (context->tapscript) {
        const uint8_t key_version = 0;
        sha256_put(&h, context->leaf_hash, 32);
        sha256_put(&h, &key_version, 1);
        sha256_put_le32(&h, context->codesep_pos);
    }
    sha256_final(&h, out);
    return true;
}
