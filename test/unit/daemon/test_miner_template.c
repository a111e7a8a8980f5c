/* What cairn-miner makes of an answer to getblocktemplate. */
#include <criterion/criterion.h>

#include "daemon/miner.h"

static const char base[] =
    "{'version':536870912,'rules':['csv','!segwit','taproot'],'vbavailable':{},'vbrequired':0,"
    "'previousblockhash':'0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206','transactions':[],"
    "'coinbaseaux':{},'coinbasevalue':5000000000,'longpollid':'abc0','mintime':1700000000,'mutable':['time'],"
    "'curtime':1700000010,'bits':'207fffff','height':7}";

/* The template with members of MORE (in single quotes) in place of its own. */
static bool read_with(const char *more, const char *chain, bool rolling, struct mine_template *t, struct buffer *error)
{
    struct buffer text = {0}, id = {0};
    for (const char *c = base; *c; c++) buffer_put_u8(&text, *c == '\'' ? '"' : (uint8_t)*c);
    json_t *root = json_loads(buffer_text(&text), 0, NULL);
    text.len = 0;
    for (const char *c = more; *c; c++) buffer_put_u8(&text, *c == '\'' ? '"' : (uint8_t)*c);
    json_t *changes = json_loads(buffer_text(&text), 0, NULL);
    cr_assert(root && changes, "%s", more);
    json_object_update(root, changes);
    bool ok = miner_read_template(root, chain, rolling, t, &id, error);
    if (ok) cr_assert_str_eq(buffer_text(&id), "abc0");
    json_decref(changes);
    json_decref(root);
    buffer_clear(&text);
    buffer_clear(&id);
    return ok;
}

Test(miner_template, what_is_taken)
{
    static const struct {
        const char *more, *chain;
        bool rolling;
        uint32_t time, time_roll, mask;
        bool witness;
    } rows[] = {
        {"{}", "regtest", false, 1700000010, UINT32_MAX - 1700000010, 0, true},
        {"{'curtime':1699999999}", "regtest", false, 1700000000, UINT32_MAX - 1700000000, 0, true},
        {"{'maxtime':1700000050}", "regtest", false, 1700000010, 40, 0, true},
        {"{'maxtime':1600000000}", "regtest", false, 1700000010, 0, 0, true},
        {"{'mutable':['transactions']}", "regtest", false, 1700000010, 0, 0, true},
        {"{}", "testnet4", false, 1700000010, 0, 0, true},
        {"{}", "test", false, 1700000010, 0, 0, true},
        {"{}", "main", true, 1700000010, UINT32_MAX - 1700000010, 0x1fffe000, true},
        {"{'vbavailable':{'!testdummy':28}}", "main", true, 1700000010, UINT32_MAX - 1700000010, 0x0fffe000, true},
        {"{'rules':[]}", "regtest", false, 1700000010, UINT32_MAX - 1700000010, 0, false},
        {"{'signet_challenge':'51','rules':['!signet']}", "signet", false, 1700000010, UINT32_MAX - 1700000010, 0,
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mine_template t;
        struct buffer error = {0};
        cr_assert(read_with(rows[i].more, rows[i].chain, rows[i].rolling, &t, &error), "%zu: %s", i,
                  buffer_text(&error));
        cr_assert_eq(t.height, 7);
        cr_assert_eq(t.bits, 0x207fffff);
        cr_assert_eq(t.time, rows[i].time, "%zu", i);
        cr_assert_eq(t.time_roll, rows[i].time_roll, "%zu", i);
        cr_assert_eq(t.rolling_mask, rows[i].mask, "%zu: %x", i, t.rolling_mask);
        cr_assert_eq(t.witness, rows[i].witness, "%zu", i);
        buffer_clear(&error);
        mine_template_clear(&t);
    }
}

Test(miner_template, what_is_refused)
{
    static const struct {
        const char *more, *error;
    } rows[] = {
        {"{'rules':['!quantum']}", "a rule that this miner does not know: quantum"},
        {"{'signet_challenge':'5121'}", "must be signed"},
        {"{'signet_challenge':'no'}", "must be signed"},
        {"{'height':0}", "height"},
        {"{'height':'7'}", "height"},
        {"{'coinbasevalue':-1}", "coinbasevalue"},
        {"{'coinbasevalue':2100000000000001}", "coinbasevalue"},
        {"{'curtime':4294967296}", "curtime"},
        {"{'previousblockhash':'00'}", "previousblockhash"},
        {"{'bits':'207fff'}", "bits"},
        {"{'bits':'ff7fffff'}", "no target"},
        {"{'bits':'1d80ffff'}", "no target"},
        {"{'transactions':[{'data':'00'}]}", "transaction"},
        {"{'transactions':[{}]}", "transaction"},
        {"{'default_witness_commitment':'x'}", "no hex"},
        {"{'coinbaseaux':{'flags':1}}", "no hex"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mine_template t;
        struct buffer error = {0};
        cr_assert_not(read_with(rows[i].more, "regtest", false, &t, &error), "%s", rows[i].more);
        cr_assert_not_null(strstr(buffer_text(&error), rows[i].error), "%s: %s", rows[i].more, buffer_text(&error));
        buffer_clear(&error);
    }
}

Test(miner_template, what_is_printed)
{
    static const struct {
        double value;
        const char *rate, *duration;
    } rows[] = {{0, "0 H/s", "0.0 seconds"},        {999, "999 H/s", "16.6 minutes"},
                {12345, "12.35 kH/s", "3.4 hours"}, {2.5e6, "2.50 MH/s", "28.9 days"},
                {1e9, "1.00 GH/s", "31.7 years"},   {1e16, "10000.00 TH/s", "3.2e+08 years"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer out = {0};
        miner_put_rate(&out, rows[i].value);
        cr_assert_str_eq(buffer_text(&out), rows[i].rate);
        out.len = 0;
        miner_put_duration(&out, rows[i].value);
        cr_assert_str_eq(buffer_text(&out), rows[i].duration);
        buffer_clear(&out);
    }
}
