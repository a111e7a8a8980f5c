/* cairn-miner: what getblocktemplate says. */
#include <string.h>

#include "base/hex.h"
#include "consensus/pow.h"
#include "daemon/miner.h"
#include "daemon/raw_json.h"

enum { OP_TRUE_CODE = 0x51, MAX_TXS = 1000000 };

void miner_template_request(struct buffer *out, bool signet, const char *long_poll_id)
{
    struct buffer params = {0};
    buffer_printf(&params, "[{\"rules\":[\"segwit\"%s],\"capabilities\":[\"coinbasevalue\",\"longpoll\"]",
                  signet ? ",\"signet\"" : "");
    if (long_poll_id) {
        buffer_put_str(&params, ",\"longpollid\":");
        raw_json_put_string(&params, span_str(long_poll_id));
    }
    buffer_put_str(&params, "}]");
    cli_request(out, "getblocktemplate", buffer_span(&params), "1", false);
    buffer_clear(&params);
}

static bool has_word(const json_t *list, const char *word)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text && !strcmp(text + (*text == '!'), word)) return true;
    }
    return false;
}

/* A rule with a '!' before it must be understood. */
static bool check_rules(const json_t *result, struct buffer *error)
{
    static const char *const known[] = {"csv", "segwit", "taproot", "signet", "testdummy"};
    const json_t *rules = json_object_get(result, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *rule = json_string_value(json_array_get(rules, i));
        bool ok = !rule || *rule != '!';
        for (size_t k = 0; k < ARRAY_LEN(known) && !ok; k++) ok = !strcmp(rule + 1, known[k]);
        if (ok) continue;
        buffer_printf(error, "the node has a rule that this miner does not know: %s", rule + 1);
        return false;
    }
    return true;
}

/* A signet block must carry a signature, unless its challenge is one that is met by nothing (BIP325). */
static bool check_challenge(const json_t *result, struct buffer *error)
{
    const char *text = json_string_value(json_object_get(result, "signet_challenge"));
    if (!text) return true;
    struct buffer challenge = {0};
    bool ok =
        hex_decode_append(&challenge, text, strlen(text)) && challenge.len == 1 && challenge.data[0] == OP_TRUE_CODE;
    buffer_clear(&challenge);
    if (!ok)
        buffer_printf(error,
                      "this signet's blocks must be signed (challenge %s), and cairn-miner has no key: it mines on a "
                      "signet with the challenge 51 (OP_TRUE) only",
                      text);
    return ok;
}

static bool read_int(const json_t *result, const char *name, int64_t least, int64_t most, int64_t *out,
                     struct buffer *error)
{
    const json_t *v = json_object_get(result, name);
    if (json_is_integer(v) && json_integer_value(v) >= least && json_integer_value(v) <= most) {
        *out = json_integer_value(v);
        return true;
    }
    buffer_printf(error, "the template has no usable %s", name);
    return false;
}

static bool read_header(const json_t *result, struct mine_template *t, struct buffer *error)
{
    int64_t version, height, value, now, least = 0;
    if (!read_int(result, "version", INT32_MIN, UINT32_MAX, &version, error) ||
        !read_int(result, "height", 1, INT32_MAX, &height, error) ||
        !read_int(result, "coinbasevalue", 0, MAX_MONEY_SAT, &value, error) ||
        !read_int(result, "curtime", 0, UINT32_MAX, &now, error))
        return false;
    if (json_object_get(result, "mintime") && !read_int(result, "mintime", 0, UINT32_MAX, &least, error)) return false;
    const char *prev = json_string_value(json_object_get(result, "previousblockhash"));
    const char *bits = json_string_value(json_object_get(result, "bits"));
    uint8_t compact[4];
    if (!prev || !hex_decode_reversed(t->prev.bytes, 32, prev) || !bits || !hex_decode_reversed(compact, 4, bits)) {
        buffer_put_str(error, "the template has no usable previousblockhash or bits");
        return false;
    }
    t->version = (int32_t)version;
    t->height = (int32_t)height;
    t->coinbase_value = value;
    t->time = (uint32_t)(now > least ? now : least);
    t->bits = (uint32_t)compact[3] << 24 | (uint32_t)compact[2] << 16 | (uint32_t)compact[1] << 8 | compact[0];
    bool negative, overflow;
    t->target = compact_to_target(t->bits, &negative, &overflow);
    if (!negative && !overflow) return true;
    buffer_put_str(error, "the template's bits are no target");
    return false;
}

/* How far the time may run ahead of the template's: as far as real time does, where the node lets us. On the test
 * networks the difficulty depends on the time, so that it stays. */
static uint32_t time_roll(const json_t *result, const char *chain, uint32_t now)
{
    const json_t *mutable = json_object_get(result, "mutable");
    if (!has_word(mutable, "time") && !has_word(mutable, "time/increment")) return 0;
    if (!strcmp(chain, "test") || !strcmp(chain, "testnet4")) return 0;
    const json_t *most = json_object_get(result, "maxtime");
    if (!json_is_integer(most)) return UINT32_MAX - now;
    int64_t left = json_integer_value(most) - (int64_t)now;
    return left <= 0 ? 0 : left > (int64_t)(UINT32_MAX - now) ? UINT32_MAX - now : (uint32_t)left;
}

/* The general-purpose bits (BIP320) without those in which something is being voted on. */
static uint32_t rolling_mask(const json_t *result)
{
    uint32_t mask = MINE_ROLLING_MASK;
    const json_t *required = json_object_get(result, "vbrequired");
    if (json_is_integer(required)) mask &= ~(uint32_t)json_integer_value(required);
    void *at = json_object_iter(json_object_get(result, "vbavailable"));
    for (; at; at = json_object_iter_next(json_object_get(result, "vbavailable"), at)) {
        json_int_t bit = json_integer_value(json_object_iter_value(at));
        if (bit >= 0 && bit < 32) mask &= ~(UINT32_C(1) << bit);
    }
    return mask;
}

static bool read_txs(const json_t *result, struct mine_template *t, struct buffer *error)
{
    const json_t *list = json_object_get(result, "transactions");
    bool ok = json_array_size(list) < MAX_TXS;
    for (size_t i = 0; i < json_array_size(list) && ok; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(list, i), "data"));
        struct buffer raw = {0};
        ok = text && hex_decode_append(&raw, text, strlen(text)) && mine_template_add_tx(t, buffer_span(&raw));
        buffer_clear(&raw);
    }
    if (!ok) buffer_put_str(error, "the template holds a transaction that cannot be read");
    return ok;
}

static bool read_coinbase(const json_t *result, struct mine_template *t, struct buffer *error)
{
    const char *commitment = json_string_value(json_object_get(result, "default_witness_commitment"));
    json_t *aux = json_object_get(result, "coinbaseaux");
    bool ok = !commitment || hex_decode_append(&t->commitment, commitment, strlen(commitment));
    for (void *at = json_object_iter(aux); at && ok; at = json_object_iter_next(aux, at)) {
        const char *text = json_string_value(json_object_iter_value(at));
        ok = text && hex_decode_append(&t->aux, text, strlen(text));
    }
    t->witness = commitment || has_word(json_object_get(result, "rules"), "segwit");
    if (!ok) buffer_put_str(error, "the template's default_witness_commitment or coinbaseaux is no hex");
    return ok;
}

bool miner_read_template(const json_t *result, const char *chain, bool version_rolling, struct mine_template *t,
                         struct buffer *long_poll_id, struct buffer *error)
{
    *t = (struct mine_template){0};
    if (!json_is_object(result)) {
        buffer_put_str(error, "the node's answer is no template");
        return false;
    }
    bool ok = check_rules(result, error) && check_challenge(result, error) && read_header(result, t, error) &&
              read_coinbase(result, t, error) && read_txs(result, t, error);
    if (!ok) {
        mine_template_clear(t);
        return false;
    }
    t->time_roll = time_roll(result, chain, t->time);
    if (version_rolling) t->rolling_mask = rolling_mask(result);
    const char *id = json_string_value(json_object_get(result, "longpollid"));
    long_poll_id->len = 0;
    if (id) buffer_put_str(long_poll_id, id);
    return true;
}
