/* Addresses and keys that users type: what decodes must encode to something that decodes to the same. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/params.h"
#include "primitives/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_network(const char *text, const struct address_prefixes *prefixes)
{
    struct destination dest, again;
    struct address_error error;
    struct buffer out = {0};
    if (address_decode(&dest, text, prefixes, &error)) {
        CHECK(address_encode(&out, &dest, prefixes));
        CHECK(address_decode(&again, buffer_text(&out), prefixes, NULL));
        CHECK(dest.kind == again.kind && dest.len == again.len && memcmp(dest.program, again.program, dest.len) == 0);
        out.len = 0;
        destination_script(&out, &dest);
        CHECK(out.len > 0);
    } else {
        CHECK(error.message && error.location_count <= ARRAY_LEN(error.locations));
    }
    uint8_t key[32];
    bool compressed;
    if (wif_decode(key, &compressed, text, prefixes)) {
        out.len = 0;
        wif_encode(&out, key, compressed, prefixes);
        CHECK(strcmp(buffer_text(&out), text) == 0);
    }
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    check_network(text, &chain_params_get(CHAIN_MAIN)->prefixes);
    check_network(text, &chain_params_get(CHAIN_REGTEST)->prefixes);
    free(text);
    return 0;
}
