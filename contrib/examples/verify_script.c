/* Verifies every input of a transaction:  verify_script TX_HEX AMOUNT:SCRIPT_HEX...
 * One AMOUNT:SCRIPT_HEX (satoshis, script of the output spent) for each input, in order. Without arguments it takes the
 * first payment ever made in Bitcoin (block 170). Exit status 0 where all inputs may spend. */
#include <cairn/cairn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *const first_payment[] = {
    "verify_script",
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961"
    "a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901"
    "ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df"
    "5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1"
    "482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000",
    "5000000000:410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b"
    "8b64f9d4c03f999b8643f656b412a3ac",
};

static struct cairn_bytes unhex(const char *text)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = malloc(len + 1);
    for (size_t i = 0; bytes && i < len; i++) {
        unsigned value = 0;
        if (sscanf(text + 2 * i, "%2x", &value) != 1) {
            fprintf(stderr, "not hexadecimal: %s\n", text);
            exit(2);
        }
        bytes[i] = (uint8_t)value;
    }
    return (struct cairn_bytes){.data = bytes, .len = len};
}

int main(int argc, char **argv)
{
    char *const *args = argv;
    if (argc == 1) {
        args = first_payment;
        argc = 3;
    }
    struct cairn_bytes raw = unhex(args[1]);
    struct cairn_tx *tx = cairn_tx_parse(raw.data, raw.len);
    if (!tx) {
        fprintf(stderr, "this is no transaction\n");
        return 2;
    }
    size_t count = (size_t)argc - 2;
    struct cairn_output *spent = calloc(count + 1, sizeof *spent);
    for (size_t i = 0; spent && i < count; i++) {
        const char *colon = strchr(args[i + 2], ':');
        spent[i].value = strtoll(args[i + 2], NULL, 10);
        spent[i].script_pubkey = unhex(colon ? colon + 1 : "");
    }
    struct cairn_spend *spend = cairn_spend_new(tx, spent, count);
    if (!spend) {
        fprintf(stderr, "%zu inputs need as many spent outputs\n", cairn_tx_input_count(tx));
        return 2;
    }
    uint8_t hash[32];
    char text[CAIRN_HASH_TEXT];
    cairn_tx_txid(tx, hash);
    printf("%s\n", cairn_hash_text(text, hash));
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        int error = 0;
        bool ok = cairn_spend_verify(spend, i, CAIRN_VERIFY_ALL, &error) == CAIRN_VERIFY_OK;
        printf("input %zu: %s\n", i, ok ? "ok" : cairn_script_error_text(error));
        failed += !ok;
    }
    cairn_spend_free(spend);
    cairn_tx_free(tx);
    for (size_t i = 0; i < count; i++) free((void *)(uintptr_t)spent[i].script_pubkey.data);
    free(spent);
    free((void *)(uintptr_t)raw.data);
    return failed ? 1 : 0;
}
