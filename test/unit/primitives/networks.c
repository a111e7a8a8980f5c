/* The address prefixes of the five networks. */
#include "networks.h"

#include <criterion/criterion.h>

#include "base/hex.h"
#include "support/data.h"

static void hex_field(uint8_t *out, size_t len, json_t *object, const char *key)
{
    cr_assert(hex_decode(out, len, json_string_value(json_object_get(object, key))), "%s", key);
}

void networks_load(struct network out[NETWORKS])
{
    json_t *params = data_json(CAIRN_TEST_DATA, "params/chainparams.json");
    const char *name;
    json_t *row;
    size_t i = 0;
    json_object_foreach(json_object_get(params, "networks"), name, row)
    {
        cr_assert_lt(i, NETWORKS);
        struct network *n = &out[i++];
        json_t *base58 = json_object_get(row, "base58_prefixes");
        hex_field(&n->prefixes.p2pkh, 1, base58, "p2pkh");
        hex_field(&n->prefixes.p2sh, 1, base58, "p2sh");
        hex_field(&n->prefixes.wif, 1, base58, "wif");
        hex_field(n->prefixes.xpub, 4, base58, "xpub");
        hex_field(n->prefixes.xprv, 4, base58, "xprv");
        snprintf(n->name, sizeof(n->name), "%s", name);
        snprintf(n->hrp, sizeof(n->hrp), "%s", json_string_value(json_object_get(row, "bech32_hrp")));
        n->prefixes.hrp = n->hrp;
    }
    cr_assert_eq(i, NETWORKS);
    json_decref(params);
}

const struct address_prefixes *network_prefixes(const struct network networks[NETWORKS], const char *name)
{
    for (size_t i = 0; i < NETWORKS; i++)
        if (!strcmp(networks[i].name, name)) return &networks[i].prefixes;
    cr_assert(false, "no network %s", name);
    return NULL;
}
