/* A real block with the outputs that it spends. In a header: the benchmark uses it too. */
#ifndef CAIRN_TEST_SCRIPT_REAL_BLOCK_H
#define CAIRN_TEST_SCRIPT_REAL_BLOCK_H

#include "primitives/block.h"
#include "support/data.h"
#include "support/script_text.h"

struct real_block {
    struct arena arena;
    struct buffer raw;
    struct buffer text;
    struct block *block;
    struct tx_out **spent; /* for each transaction, in_count outputs; NULL for the coinbase */
    unsigned flags;
    size_t inputs;
    uint64_t sigop_cost; /* as the index has it */
    uint64_t legacy_sigops;
};

/* One line of the list of spent outputs: "txid:vout amount height coinbase script". */
static inline char *real_block_line(struct real_block *b, char *line, struct tx_out *out)
{
    char *end = strchr(line, '\n');
    CHECK(end);
    *end = 0;
    char *amount = strchr(line, ' ') + 1, *script = strrchr(line, ' ') + 1;
    out->value = strtoll(amount, NULL, 10);
    out->script_pubkey = strcmp(script, "-") ? script_text_hex(&b->arena, script) : span_of(NULL, 0);
    return end + 1;
}

static inline void real_block_spent(struct real_block *b)
{
    char *line = (char *)(uintptr_t)buffer_text(&b->text);
    b->spent = arena_alloc_array(&b->arena, b->block->tx_count, sizeof(*b->spent));
    for (size_t i = 0; i < b->block->tx_count; i++) {
        const struct tx *tx = &b->block->txs[i];
        b->spent[i] = NULL;
        if (tx_is_coinbase(tx)) continue;
        b->spent[i] = arena_alloc_array(&b->arena, tx->in_count, sizeof(**b->spent));
        for (size_t j = 0; j < tx->in_count; j++, b->inputs++) line = real_block_line(b, line, &b->spent[i][j]);
    }
    CHECK(*line == 0);
}

/* Reads the block of one row of blocks/real/index.json; false where its spent outputs are not known. */
static inline bool real_block_read(struct real_block *b, const char *data, const json_t *row)
{
    const json_t *flags = json_object_get(row, "script_flags");
    if (!json_is_array(flags)) return false;
    char name[128];
    const char *network = json_string_value(json_object_get(row, "network"));
    long long height = json_integer_value(json_object_get(row, "height"));
    *b = (struct real_block){.sigop_cost = (uint64_t)json_integer_value(json_object_get(row, "sigop_cost")),
                             .legacy_sigops = (uint64_t)json_integer_value(json_object_get(row, "legacy_sigops"))};
    for (size_t i = 0; i < json_array_size(flags); i++)
        b->flags |= script_text_flag(json_string_value(json_array_get(flags, i)));
    snprintf(name, sizeof(name), "blocks/real/%s-%lld.blk.zst", network, height);
    b->raw = data_read(data, name);
    snprintf(name, sizeof(name), "blocks/real/%s-%lld.spent.zst", network, height);
    b->text = data_read(data, name);
    b->block = block_parse(buffer_span(&b->raw));
    CHECK(b->block);
    real_block_spent(b);
    return true;
}

static inline void real_block_clear(struct real_block *b)
{
    block_free(b->block);
    buffer_clear(&b->raw);
    buffer_clear(&b->text);
    arena_clear(&b->arena);
}

#endif
