/* Random transactions for mempool_with_core.py. Commands come on standard input, a line each:
 *
 *   gen N                    N events: "d NUMBER TXID HEX" tells a transaction that is new; then "t NUMBER" (one) or
 *                            "p NUMBER NUMBER ..." (a package); "j HEX" is junk; "." ends
 *   block N                  the same of transactions that a block may have, with no events
 *   life NUMBER p|c|d HEIGHT the transaction lies in the pool, in the chain, nowhere
 *   coinbase TXID VALUE HEIGHT  pays to the first address; answered by "n NUMBER"
 *   tip HEIGHT MEDIAN_TIME
 *   addresses                one a line, "." */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "primitives/address.h"
#include "script/standard.h"
#include "stream.h"

static void print_hex(struct buffer *line, struct span bytes)
{
    line->len = 0;
    hex_append(line, bytes);
    printf("%s", buffer_text(line));
}

/* Tells what is new since KNOWN. */
static void print_new(struct stream *s, size_t known, struct buffer *line)
{
    char txid[65];
    for (size_t i = known; i < s->tx_count; i++) {
        hex_encode_reversed(txid, s->txs[i].txid.bytes, 32);
        printf("d %zu %s ", i, txid);
        print_hex(line, buffer_span(&s->txs[i].raw));
        printf("\n");
    }
}

static void one_event(struct stream *s, struct buffer *line)
{
    size_t known = s->tx_count, count;
    uint32_t list[32], number;
    struct buffer junk = {0};
    if (chance(s, 1)) {
        make_junk(s, &junk);
        printf("j ");
        print_hex(line, buffer_span(&junk));
        printf("\n");
    } else if (chance(s, 10)) {
        count = make_package(s, list);
        print_new(s, known, line);
        if (count == 0) return;
        printf("p");
        for (size_t i = 0; i < count; i++) printf(" %" PRIu32, list[i]);
        printf("\n");
    } else {
        number = make_tx(s);
        print_new(s, known, line);
        if (number != NOBODY) printf("t %" PRIu32 "\n", number);
    }
    buffer_clear(&junk);
}

static void generate(struct stream *s, size_t count, bool blocks)
{
    struct buffer line = {0};
    s->blocks = blocks;
    for (size_t i = 0; i < count; i++) {
        if (blocks) {
            size_t known = s->tx_count;
            make_tx(s);
            print_new(s, known, &line);
        } else {
            one_event(s, &line);
        }
    }
    s->blocks = false;
    printf(".\n");
    buffer_clear(&line);
}

static struct lock address_lock(void)
{
    return (struct lock){.wrap = WRAP_P2WPKH, .inner = IN_PK};
}

static void coinbase(struct stream *s, const char *txid, int64_t value, int32_t height)
{
    uint32_t number;
    struct made_tx *tx = add_tx(s, &number);
    CHECK(hex_decode_reversed(tx->txid.bytes, 32, txid));
    tx->coinbase = true;
    add_coin(s, number, 0, value, address_lock());
    set_life(s, number, LIFE_CHAIN, height);
    printf("n %" PRIu32 "\n", number);
}

static void print_address(struct stream *s)
{
    struct buffer script = {0}, text = {0};
    struct destination to;
    struct lock lock = address_lock();
    lock_script_pubkey(&script, s, &lock);
    script_destination(&to, buffer_span(&script));
    CHECK(address_encode(&text, &to, &chain_params_get(CHAIN_REGTEST)->prefixes));
    printf("%s\n.\n", buffer_text(&text));
    buffer_clear(&script);
    buffer_clear(&text);
}

static void life(struct stream *s, size_t number, char how, int32_t height)
{
    CHECK(number < s->tx_count);
    set_life(s, (uint32_t)number, how == 'p' ? LIFE_POOL : how == 'c' ? LIFE_CHAIN : LIFE_DEAD, height);
}

static void obey(struct stream *s, const char *line)
{
    size_t number;
    char how, txid[65];
    int32_t height;
    int64_t value;
    if (sscanf(line, "gen %zu", &number) == 1)
        generate(s, number, false);
    else if (sscanf(line, "block %zu", &number) == 1)
        generate(s, number, true);
    else if (sscanf(line, "life %zu %c %" SCNd32, &number, &how, &height) == 3)
        life(s, number, how, height);
    else if (sscanf(line, "coinbase %64s %" SCNd64 " %" SCNd32, txid, &value, &height) == 3)
        coinbase(s, txid, value, height);
    else if (sscanf(line, "tip %" SCNd32 " %" SCNd64, &s->height, &s->median_time) == 2)
        return;
    else if (strncmp(line, "addresses", 9) == 0)
        print_address(s);
    else
        CHECK(!"a command that is known");
}

int main(int argc, char **argv)
{
    struct stream s = {0};
    char line[200];
    random_init_u64(&s.rng, argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
    stream_keys_init(&s);
    while (fgets(line, sizeof(line), stdin)) {
        obey(&s, line);
        fflush(stdout);
    }
    for (size_t i = 0; i < s.tx_count; i++) {
        buffer_clear(&s.txs[i].raw);
        free(s.txs[i].spends);
    }
    free(s.txs);
    free(s.coins);
    return 0;
}
