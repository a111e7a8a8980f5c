/* The public library, through include/cairn/cairn.h alone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cairn/cairn.h"
#include "support/data.h"

/* Mainnet's first payment (block 170): one input, a public-key output of 50 bitcoins. */
static const char first_payment[] = "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd370400000000"
                                    "4847304402204e45e16932b8af514961a1d3"
                                    "a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc5"
                                    "6cbbac4622082221a8768d1d0901ffffffff"
                                    "0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302f"
                                    "a28414e7aab37397f554a7df5f142c21c1b7"
                                    "303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f"
                                    "8c53bc1eb68a382e97b1482ecad7b148a690"
                                    "9a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";
static const char first_spent[] =
    "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464"
    "f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac";

static size_t unhex(uint8_t *out, const char *text)
{
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = 0;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return n;
}

static struct cairn_tx *payment(void)
{
    uint8_t raw[400];
    struct cairn_tx *tx = cairn_tx_parse(raw, unhex(raw, first_payment));
    cr_assert_not_null(tx);
    return tx;
}

Test(lib_tx, reads_a_transaction)
{
    struct cairn_tx *tx = payment();
    uint8_t hash[32], back[32];
    char text[CAIRN_HASH_TEXT];
    cairn_tx_txid(tx, hash);
    cr_assert_str_eq(cairn_hash_text(text, hash), "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16");
    cr_assert(cairn_hash_parse(back, text));
    cr_assert_eq(memcmp(back, hash, 32), 0);
    cr_assert_not(cairn_hash_parse(back, "f4"));
    cr_assert_eq(cairn_tx_version(tx), 1);
    cr_assert_eq(cairn_tx_lock_time(tx), 0);
    cr_assert_eq(cairn_tx_size(tx), sizeof first_payment / 2);
    cr_assert_eq(cairn_tx_weight(tx), 4 * (sizeof first_payment / 2));
    cr_assert_not(cairn_tx_is_coinbase(tx));
    cr_assert_eq(cairn_tx_input_count(tx), 1);
    cr_assert_eq(cairn_tx_output_count(tx), 2);

    struct cairn_input in;
    struct cairn_output out;
    struct cairn_bytes item;
    cr_assert(cairn_tx_input(tx, 0, &in));
    cr_assert_eq(in.prev_index, 0);
    cr_assert_eq(in.sequence, 0xffffffff);
    cr_assert_eq(in.script_sig.len, 72);
    cr_assert_eq(in.witness_count, 0);
    cr_assert_not(cairn_tx_input(tx, 1, &in));
    cr_assert_not(cairn_tx_witness(tx, 0, 0, &item));
    cr_assert_not(cairn_tx_witness(tx, 9, 0, &item));
    cr_assert(cairn_tx_output(tx, 1, &out));
    cr_assert_eq(out.value, INT64_C(4000000000));
    cr_assert_not(cairn_tx_output(tx, 2, &out));
    cairn_tx_free(tx);
    cairn_tx_free(NULL);
}

Test(lib_tx, writes_what_it_read)
{
    struct cairn_tx *tx = payment();
    uint8_t raw[400], out[400];
    size_t len = unhex(raw, first_payment);
    cr_assert_eq(cairn_tx_write(tx, true, NULL, 0), len);
    cr_assert_eq(cairn_tx_write(tx, true, out, sizeof out), len);
    cr_assert_eq(memcmp(raw, out, len), 0);
    cr_assert_eq(cairn_tx_write(tx, false, out, sizeof out), len);
    cr_assert_eq(memcmp(raw, out, len), 0);
    out[3] = 0x77; /* a short buffer gets what fits, and no more */
    cr_assert_eq(cairn_tx_write(tx, true, out, 3), len);
    cr_assert_eq(out[3], 0x77);
    cr_assert_null(cairn_tx_parse(raw, len - 1));
    cr_assert_null(cairn_tx_parse(raw, 0));
    cairn_tx_free(tx);
}

Test(lib_spend, verifies_the_first_payment)
{
    struct cairn_tx *tx = payment();
    uint8_t script[80];
    struct cairn_output spent = {.value = INT64_C(5000000000)};
    spent.script_pubkey.len = unhex(script, first_spent);
    spent.script_pubkey.data = script;
    cr_assert_null(cairn_spend_new(tx, &spent, 0));
    struct cairn_spend *spend = cairn_spend_new(tx, &spent, 1);
    script[10] ^= 1; /* it has its own copy */
    int error = -1;
    cr_assert_eq(cairn_spend_verify(spend, 0, CAIRN_VERIFY_ALL, &error), CAIRN_VERIFY_OK);
    cr_assert_eq(error, 0);
    cr_assert_eq(cairn_spend_verify(spend, 0, CAIRN_VERIFY_NONE, NULL), CAIRN_VERIFY_OK);
    cr_assert_eq(cairn_spend_verify(spend, 1, CAIRN_VERIFY_ALL, &error), CAIRN_VERIFY_BAD_INDEX);
    cr_assert_eq(cairn_spend_verify(spend, 0, CAIRN_VERIFY_WITNESS, &error), CAIRN_VERIFY_BAD_FLAGS);
    cr_assert_eq(cairn_spend_verify(spend, 0, CAIRN_VERIFY_TAPROOT | CAIRN_VERIFY_P2SH, &error),
                 CAIRN_VERIFY_BAD_FLAGS);
    cr_assert_eq(cairn_spend_verify(spend, 0, 1u << 31, &error), CAIRN_VERIFY_BAD_FLAGS);
    cr_assert_eq(cairn_spend_verify(NULL, 0, 0, &error), CAIRN_VERIFY_BAD_SPENDS);
    cairn_spend_free(spend);

    script[10] ^= 1;
    script[20] ^= 1; /* another public key */
    spend = cairn_spend_new(tx, &spent, 1);
    cr_assert_eq(cairn_spend_verify(spend, 0, CAIRN_VERIFY_ALL, &error), CAIRN_VERIFY_FAILED);
    cr_assert_str_eq(cairn_script_error_name(error), "EVAL_FALSE");
    cr_assert_str_eq(cairn_script_error_name(9999), "UNKNOWN_ERROR");
    cr_assert_str_eq(cairn_script_error_text(-1), "unknown error");
    cairn_spend_free(spend);
    cairn_spend_free(NULL);
    cairn_tx_free(tx);
}

/* One line of a .spent file: "txid:vout amount height coinbase script"; moves to the next. */
static char *parse_spent(char *line, struct cairn_output *out, uint8_t *scripts, size_t *used)
{
    char *end = strchr(line, '\n');
    cr_assert_not_null(end);
    *end = '\0';
    char *amount = strchr(line, ' ') + 1;
    char *script = strrchr(line, ' ') + 1;
    out->value = strtoll(amount, NULL, 10);
    out->script_pubkey.data = scripts + *used;
    out->script_pubkey.len = script[0] == '-' ? 0 : unhex(scripts + *used, script);
    *used += out->script_pubkey.len;
    return end + 1;
}

/* Every input of mainnet block 866342 (p2tr by key and by script, p2wpkh, p2wsh, wrapped and legacy), and the same with
 * the amounts changed: only legacy inputs do not sign them. */
Test(lib_spend, verifies_a_real_block, .timeout = 120)
{
    if (!data_present(CAIRN_TEST_DATA, "block 866342")) cr_skip_test("no test data");
    struct buffer raw = data_read(CAIRN_TEST_DATA, "blocks/real/mainnet-866342.blk.zst");
    struct buffer spent = data_read(CAIRN_TEST_DATA, "blocks/real/mainnet-866342.spent.zst");
    struct cairn_block *block = cairn_block_parse(raw.data, raw.len);
    cr_assert_not_null(block);
    cr_assert_eq(cairn_block_tx_count(block), 4864);
    char *line = (char *)(uintptr_t)buffer_text(&spent);
    uint8_t *scripts = malloc(spent.len);
    size_t used = 0, inputs = 0, refused = 0;
    for (size_t t = 1; t < cairn_block_tx_count(block); t++) {
        const struct cairn_tx *tx = cairn_block_tx(block, t);
        size_t count = cairn_tx_input_count(tx);
        struct cairn_output *outs = calloc(count, sizeof *outs);
        for (size_t i = 0; i < count; i++) line = parse_spent(line, &outs[i], scripts, &used);
        struct cairn_spend *spend = cairn_spend_new(tx, outs, count);
        for (size_t i = 0; i < count; i++)
            cr_assert_eq(cairn_spend_verify(spend, i, CAIRN_VERIFY_ALL, NULL), CAIRN_VERIFY_OK, "tx %zu input %zu", t,
                         i);
        cairn_spend_free(spend);
        inputs += count;
        if (t < 200) {
            for (size_t i = 0; i < count; i++) outs[i].value++;
            spend = cairn_spend_new(tx, outs, count);
            for (size_t i = 0; i < count; i++)
                refused += cairn_spend_verify(spend, i, CAIRN_VERIFY_ALL, NULL) == CAIRN_VERIFY_FAILED;
            cairn_spend_free(spend);
        }
        free(outs);
    }
    cr_assert_eq(inputs, 7972);
    cr_assert_gt(refused, 100);
    free(scripts);
    cairn_block_free(block);
    buffer_clear(&raw);
    buffer_clear(&spent);
}

Test(lib_block, checks_and_writes_a_block)
{
    if (!data_present(CAIRN_TEST_DATA, "block 757739")) cr_skip_test("no test data");
    struct buffer raw = data_read(CAIRN_TEST_DATA, "blocks/real/mainnet-757739.blk.zst");
    struct cairn_block *block = cairn_block_parse(raw.data, raw.len);
    cr_assert_not_null(block);
    uint8_t hash[32], *copy = malloc(raw.len);
    char text[CAIRN_HASH_TEXT];
    struct cairn_header header;
    struct cairn_verdict verdict;
    cairn_block_hash(block, hash);
    cr_assert_str_eq(cairn_hash_text(text, hash), "00000000000000000002601c74946371bd1bf00ad3154f011c20abad1cabd0ea");
    cairn_block_header(block, &header);
    cr_assert_eq(cairn_block_size(block), 22767);
    cr_assert_eq(cairn_block_tx_count(block), 63);
    cr_assert_null(cairn_block_tx(block, 63));
    cr_assert_eq(cairn_block_write(block, copy, raw.len), raw.len);
    cr_assert_eq(memcmp(copy, raw.data, raw.len), 0);
    cr_assert(cairn_block_check(block, "main", &verdict), "%s", verdict.reason);
    cr_assert_not(cairn_block_check(block, "nowhere", &verdict));
    cr_assert_str_eq(verdict.reason, "unknown-network");
    cairn_block_free(block);

    copy[4] ^= 1; /* another parent, and with it another hash */
    block = cairn_block_parse(copy, raw.len);
    cr_assert_not(cairn_block_check(block, "main", &verdict));
    cr_assert_str_eq(verdict.reason, "high-hash");
    cairn_block_free(block);
    cr_assert_null(cairn_block_parse(copy, raw.len - 1));
    cairn_block_free(NULL);
    free(copy);
    buffer_clear(&raw);
}

static void write_file(const char *folder, const char *name, const uint8_t *data, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    cr_assert_eq(fwrite(data, 1, len, f), len);
    fclose(f);
}

static void remove_folder(const char *folder)
{
    char path[256];
    const char *const names[] = {"blk00000.dat", "blk00001.dat", "xor.dat"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

Test(lib_block_files, reads_plain_and_obfuscated_files)
{
    if (!data_present(CAIRN_TEST_DATA, "blocks 0 to 599")) cr_skip_test("no test data");
    struct buffer raw = data_read(CAIRN_TEST_DATA, "blocks/mainnet-0-599.dat");
    char folder[] = "/tmp/cairn-lib-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_null(cairn_block_files_open(folder, "main"));
    /* The second file starts in the middle of rubbish that looks like the start of a record. */
    static const uint8_t rubbish[] = {0xf9, 0xbe, 0xb4, 0xd9, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0xf9, 0xbe};
    uint8_t *second = malloc(raw.len + sizeof rubbish);
    memcpy(second, rubbish, sizeof rubbish);
    memcpy(second + sizeof rubbish, raw.data, raw.len);
    static const uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 0x80};
    for (int round = 0; round < 2; round++) {
        if (round == 1) {
            for (size_t i = 0; i < raw.len; i++) raw.data[i] ^= key[i % 8];
            for (size_t i = 0; i < raw.len + sizeof rubbish; i++) second[i] ^= key[i % 8];
            write_file(folder, "xor.dat", key, sizeof key);
        }
        write_file(folder, "blk00000.dat", raw.data, raw.len);
        write_file(folder, "blk00001.dat", second, raw.len + sizeof rubbish);
        struct cairn_block_files *files = cairn_block_files_open(folder, "main");
        cr_assert_not_null(files);
        size_t count = 0;
        for (struct cairn_block *b; (b = cairn_block_files_next(files)); count++) cairn_block_free(b);
        cr_assert_eq(count, 1200);
        cr_assert_eq(cairn_block_files_skipped(files), 1);
        cr_assert_null(cairn_block_files_next(files));
        cairn_block_files_free(files);
    }
    cr_assert_null(cairn_block_files_open(folder, "nowhere"));
    cairn_block_files_free(NULL);
    remove_folder(folder);
    free(second);
    buffer_clear(&raw);
}
