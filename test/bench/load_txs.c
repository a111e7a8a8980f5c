/* Transactions for mempool_load.py: chains and fans of one input and two outputs that anybody can spend (P2WSH of
 * OP_TRUE), on coins that were mined; rates rise, so that a full pool goes on changing.
 *
 *     load_txs COINS COUNT STREAMS FOLDER
 *
 * COINS has lines "txid index satoshis". Writes FOLDER/0, 1 ... STREAMS - 1: for each transaction its length (4 bytes,
 * little endian) and its bytes, parents before children. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/random.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "primitives/hash.h"
#include "primitives/tx.h"

enum {
    CLUSTER = 50,
    GROUP = 40, /* clusters whose transactions take turns */
    VSIZE = 139,
    LOW_RATE = 200, /* satoshis per 1000 virtual bytes; at the end RISE times that */
    RISE = 100,
};

struct coin_at {
    struct outpoint at;
    amount_sat value;
};

static uint8_t script[34];

static void output(struct buffer *out, amount_sat value)
{
    buffer_put_le64(out, (uint64_t)value);
    buffer_put_compact_size(out, sizeof(script));
    buffer_put(out, script, sizeof(script));
}

/* The second output gets SMALL. */
static void spend(struct buffer *out, const struct coin_at *coin, amount_sat fee, amount_sat small)
{
    static const uint8_t segwit[2] = {0, 1}, witness[3] = {1, 1, 0x51};
    buffer_put_le32(out, 2);
    buffer_put(out, segwit, sizeof(segwit));
    buffer_put_compact_size(out, 1);
    buffer_put(out, coin->at.txid.bytes, 32);
    buffer_put_le32(out, coin->at.index);
    buffer_put_compact_size(out, 0);
    buffer_put_le32(out, SEQUENCE_FINAL - 1);
    buffer_put_compact_size(out, 2);
    output(out, coin->value - fee - small);
    output(out, small);
    buffer_put(out, witness, sizeof(witness));
    buffer_put_le32(out, 0);
}

struct cluster {
    bool fan;
    struct coin_at coins[2 * CLUSTER + 2]; /* to be spent, in this order */
    size_t first, count;
};

static void next_of(struct cluster *c, struct random *r, double progress, FILE *file)
{
    struct arena arena = {0};
    struct buffer raw = {0}, length = {0};
    struct tx tx;
    struct coin_at coin = c->coins[c->first++];
    double rate = LOW_RATE * (1 + progress * (RISE - 1)) * (0.5 + 1.5 * (double)random_below(r, 1000) / 1000);
    amount_sat fee = (amount_sat)(rate * VSIZE / 1000) + 1, half = c->fan ? (coin.value - fee) / 2 : 1000;
    spend(&raw, &coin, fee, half);
    if (!tx_parse(&tx, buffer_span(&raw), &arena, 0)) abort();
    c->coins[c->count++] = (struct coin_at){{tx.txid, 0}, tx.out[0].value};
    if (c->fan) c->coins[c->count++] = (struct coin_at){{tx.txid, 1}, tx.out[1].value};
    buffer_put_le32(&length, (uint32_t)raw.len);
    fwrite(length.data, 1, length.len, file);
    fwrite(raw.data, 1, raw.len, file);
    buffer_clear(&raw);
    buffer_clear(&length);
    arena_clear(&arena);
}

static bool next_coin(FILE *coins, struct coin_at *out)
{
    char text[65];
    unsigned index;
    long long value;
    if (fscanf(coins, "%64s %u %lld", text, &index, &value) != 3) return false;
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        out->at.txid.bytes[31 - i] = (uint8_t)byte;
    }
    out->at.index = index;
    out->value = value;
    return true;
}

static size_t write_group(FILE *coins, FILE *file, struct random *r, size_t made, size_t wanted)
{
    static struct cluster clusters[GROUP];
    size_t n = 0, count = 0;
    while (n < GROUP && next_coin(coins, &clusters[n].coins[0])) {
        clusters[n].fan = random_below(r, 2);
        clusters[n].first = 0;
        clusters[n++].count = 1;
    }
    for (size_t round = 0; round < CLUSTER && n; round++)
        for (size_t i = 0; i < n && made + count < wanted; i++, count++)
            next_of(&clusters[i], r, (double)(made + count) / (double)wanted, file);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    FILE *coins = fopen(argv[1], "r"), *files[64] = {0};
    size_t wanted = (size_t)atoll(argv[2]), streams = (size_t)atoi(argv[3]), made = 0, more = 1;
    struct random r;
    uint8_t true_script = 0x51;
    if (!coins || !streams || streams > 64) return 2;
    script[1] = 32;
    sha256_once(script + 2, &true_script, 1);
    random_init_u64(&r, 1);
    for (size_t i = 0; i < streams; i++) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%zu", argv[4], i);
        files[i] = fopen(name, "wb");
        if (!files[i]) return 1;
    }
    for (size_t i = 0; made < wanted && more; i++)
        made += more = write_group(coins, files[i % streams], &r, made, wanted);
    for (size_t i = 0; i < streams; i++)
        if (fclose(files[i])) return 1;
    fclose(coins);
    printf("%zu\n", made);
    return 0;
}
