/* Scripts from strangers. Layout: flags (4 bytes), then scriptSig, scriptPubKey and witness items, each after a length
 * byte or two (below 253, or 253 and two bytes). */
#include "script/script.h"
#include "base/check.h"
#include "script/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span read_piece(struct reader *r)
{
    size_t len = read_u8(r);
    if (len == 253) len = read_le16(r);
    if (len > reader_left(r)) len = reader_left(r);
    return read_span(r, len);
}

/* Walks the script: positions must grow and stay inside. */
static void walk(struct span script)
{
    size_t pos = 0, before = 0;
    uint8_t opcode;
    struct span push;
    while (script_next(script, &pos, &opcode, &push)) {
        CHECK(pos > before && pos <= script.len);
        before = pos;
    }
    struct buffer text = {0};
    script_asm(&text, script, true);
    buffer_clear(&text);
    CHECK(script_sigops(script, true) <= script_sigops(script, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(span_of(data, size));
    unsigned flags = read_le32(&r) & SCRIPT_VERIFY_ALL;
    if (flags & (SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_CLEANSTACK | SCRIPT_VERIFY_TAPROOT))
        flags |= SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS;
    struct tx_in in[2] = {{.script_sig = read_piece(&r), .sequence = 5}, {.sequence = SEQUENCE_FINAL}};
    struct tx_out spent[2] = {{.value = 100000, .script_pubkey = read_piece(&r)}, {.value = 7}};
    struct span items[8];
    size_t count = 0;
    while (count < ARRAY_LEN(items) && reader_left(&r)) items[count++] = read_piece(&r);
    in[0].witness = (struct witness){.items = items, .count = count};
    struct tx_out out = {.value = 90000, .script_pubkey = spent[0].script_pubkey};
    struct tx tx = {.version = 2, .lock_time = 3, .in = in, .in_count = 2, .out = &out, .out_count = 1};
    tx.has_witness = count > 0;
    tx_hash(&tx);
    walk(in[0].script_sig);
    walk(spent[0].script_pubkey);
    struct script_tx t;
    script_tx_init(&t, &tx, spent);
    enum script_error first = script_verify_input(&t, 0, flags, NULL);
    CHECK(first == script_verify_input(&t, 0, flags, NULL));
    CHECK(first < SCRIPT_ERR_COUNT);
    return 0;
}
