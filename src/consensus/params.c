/* Chain parameters: finding a network's table, and the options that alter a copy of it. */
#include "consensus/params.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "consensus/params_networks.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

static const struct chain_params *const networks[CHAIN_TYPES] = {
    [CHAIN_MAIN] = &chain_params_main,         [CHAIN_TESTNET3] = &chain_params_testnet3,
    [CHAIN_TESTNET4] = &chain_params_testnet4, [CHAIN_SIGNET] = &chain_params_signet,
    [CHAIN_REGTEST] = &chain_params_regtest,
};

/* What getdeploymentinfo calls a buried deployment, and what -testactivationheight does. */
static const struct {
    const char *name;
    const char *option;
} buried_names[BURIED_COUNT] = {
    [BURIED_BIP34] = {"bip34", "bip34"}, [BURIED_BIP66] = {"bip66", "dersig"},   [BURIED_BIP65] = {"bip65", "cltv"},
    [BURIED_CSV] = {"csv", "csv"},       [BURIED_SEGWIT] = {"segwit", "segwit"},
};

const struct chain_params *chain_params_get(enum chain_type type)
{
    CHECK((unsigned)type < CHAIN_TYPES);
    return networks[type];
}

const struct chain_params *chain_params_find(const char *name)
{
    for (size_t i = 0; i < CHAIN_TYPES; i++)
        if (strcmp(networks[i]->name, name) == 0) return networks[i];
    return NULL;
}

const char *buried_deployment_name(enum buried_deployment d)
{
    CHECK((unsigned)d < BURIED_COUNT);
    return buried_names[d].name;
}

/* The network's magic: the first bytes of the double hash of the challenge with its length before it. */
static void signet_magic(uint8_t magic[4], struct span challenge)
{
    struct buffer framed = {0};
    buffer_put_compact_size(&framed, challenge.len);
    buffer_put_span(&framed, challenge);
    uint8_t hash[32];
    sha256d(hash, framed.data, framed.len);
    memcpy(magic, hash, 4);
    buffer_clear(&framed);
}

void chain_params_set_signet_challenge(struct chain_params *p, struct span challenge)
{
    p->signet = true;
    p->signet_challenge = challenge;
    signet_magic(p->magic, challenge);
    p->dns_seeds = NULL;
    p->dns_seed_count = 0;
    p->minimum_chain_work = u256_from_u64(0);
    memset(&p->assume_valid, 0, sizeof(p->assume_valid));
    p->assumed_blockchain_gb = 0;
    p->assumed_chainstate_gb = 0;
    p->tx_data_time_s = 0;
    p->tx_data_count = 0;
    p->tx_data_rate = 0;
}

/* A whole decimal number, perhaps with a minus; nothing before or after it. */
static bool parse_i64(int64_t *out, const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-';
    if (at == len) return false;
    int64_t v = 0;
    for (; at < len; at++) {
        if (text[at] < '0' || text[at] > '9') return false;
        int digit = text[at] - '0';
        if (__builtin_mul_overflow(v, 10, &v)) return false;
        if (__builtin_add_overflow(v, text[0] == '-' ? -digit : digit, &v)) return false;
    }
    *out = v;
    return true;
}

bool chain_params_set_activation(struct chain_params *p, const char *text, char *error, size_t error_size)
{
    const char *at = strchr(text, '@');
    if (!at) {
        snprintf(error, error_size, "Invalid format (%s) for -testactivationheight=name@height.", text);
        return false;
    }
    const char *value = at + 1;
    int64_t height;
    if (!parse_i64(&height, value, strlen(value)) || height < 0 || height >= INT32_MAX) {
        snprintf(error, error_size, "Invalid height value (%s) for -testactivationheight=name@height.", text);
        return false;
    }
    size_t name_len = (size_t)(at - text);
    for (size_t i = 0; i < BURIED_COUNT; i++) {
        const char *name = buried_names[i].option;
        if (strlen(name) != name_len || memcmp(name, text, name_len) != 0) continue;
        p->buried[i] = (int32_t)height;
        return true;
    }
    snprintf(error, error_size, "Invalid name (%s) for -testactivationheight=name@height.", text);
    return false;
}

enum { VBPARAMS_MAX = 4 };

/* Splits TEXT at its colons; returns the number of parts, VBPARAMS_MAX + 1 for more. */
static size_t split_colons(struct span parts[VBPARAMS_MAX], const char *text)
{
    size_t count = 0;
    for (;;) {
        size_t len = strcspn(text, ":");
        if (count == VBPARAMS_MAX) return VBPARAMS_MAX + 1;
        parts[count++] = span_of(text, len);
        if (!text[len]) return count;
        text += len + 1;
    }
}

bool chain_params_set_vbparams(struct chain_params *p, const char *text, char *error, size_t error_size)
{
    static const char *const field_names[VBPARAMS_MAX] = {"deployment", "nStartTime", "nTimeout",
                                                          "min_activation_height"};
    struct span parts[VBPARAMS_MAX];
    int64_t values[VBPARAMS_MAX] = {0};
    size_t count = split_colons(parts, text);
    if (count < 3 || count > VBPARAMS_MAX) {
        snprintf(error, error_size,
                 "Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]");
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (parse_i64(&values[i], (const char *)parts[i].data, parts[i].len)) continue;
        snprintf(error, error_size, "Invalid %s (%.*s)", field_names[i], (int)parts[i].len,
                 (const char *)parts[i].data);
        return false;
    }
    for (size_t i = 0; i < DEPLOYMENT_COUNT; i++) {
        struct bip9_params *d = &p->deployments[i];
        if (!span_equal(parts[0], span_str(d->name))) continue;
        d->start_time_s = values[1];
        d->timeout_s = values[2];
        d->min_activation_height = (int32_t)(uint32_t)(uint64_t)values[3];
        return true;
    }
    snprintf(error, error_size, "Invalid deployment (%.*s)", (int)parts[0].len, (const char *)parts[0].data);
    return false;
}
