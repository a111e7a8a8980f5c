/* Settings and commands. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "lab/setup.h"

static enum result set(struct lab_setup *s, const char *name, const char *value, struct error *e)
{
    return lab_setup_set(s, span_str(name), span_str(value), e);
}

static uint32_t share(const char *text)
{
    uint32_t ppm;
    return lab_parse_share(span_str(text), &ppm) ? ppm : UINT32_MAX;
}

static int64_t time_of(const char *text)
{
    int64_t us;
    return lab_parse_time(span_str(text), &us) ? us : -1;
}

Test(lab_setup, reads_shares)
{
    cr_assert_eq(share("30%"), 300000);
    cr_assert_eq(share("0.3"), 300000);
    cr_assert_eq(share(" 1/3 "), 333333);
    cr_assert_eq(share("2/3"), 666667);
    cr_assert_eq(share("33.33337%"), 333334);
    cr_assert_eq(share(".5"), 500000);
    cr_assert_eq(share("0"), 0);
    cr_assert_eq(share("1"), 1000000);
    cr_assert_eq(share("100 %"), 1000000);
    const char *const wrong[] = {"",    "%",     "30",   "-1%",  "1/0",
                                 "4/3", "0,3",   "1e-1", "30%%", "x",
                                 ".",   "1.2.3", "/",    "1/",   "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) cr_assert_eq(share(wrong[i]), UINT32_MAX, "%s", wrong[i]);
}

Test(lab_setup, reads_times)
{
    cr_assert_eq(time_of("90s"), 90000000);
    cr_assert_eq(time_of("10m"), 600000000);
    cr_assert_eq(time_of("2h"), INT64_C(7200000000));
    cr_assert_eq(time_of("1d"), INT64_C(86400000000));
    cr_assert_eq(time_of("1w"), INT64_C(604800000000));
    cr_assert_eq(time_of("250ms"), 250000);
    cr_assert_eq(time_of("1.5h"), INT64_C(5400000000));
    cr_assert_eq(time_of("1h30m"), INT64_C(5400000000));
    cr_assert_eq(time_of("7us"), 7);
    cr_assert_eq(time_of("0"), 0);
    cr_assert_eq(time_of("0m"), 0);
    const char *const wrong[] = {
        "", "10", "m", "10 m x", "-1s", "1y", "99999999999999999999d", "9999999w9999999999999w"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) cr_assert_eq(time_of(wrong[i]), -1, "%s", wrong[i]);
}

Test(lab_setup, writes_what_it_reads)
{
    const uint32_t shares[] = {0, 1, 10, 300000, 333333, 125000, 999999, 1000000};
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct buffer out = {0};
        lab_write_share(&out, shares[i]);
        cr_assert_eq(share(buffer_text(&out)), shares[i], "%s", buffer_text(&out));
        buffer_clear(&out);
    }
    const int64_t times[] = {0, 1, 1000, 90000000, 600000000, INT64_C(86400000000), INT64_C(86400000001)};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct buffer out = {0};
        lab_write_time(&out, times[i]);
        cr_assert_eq(time_of(buffer_text(&out)), times[i], "%s", buffer_text(&out));
        buffer_clear(&out);
    }
}

Test(lab_setup, has_shortest_forms)
{
    struct buffer out = {0};
    lab_write_share(&out, 125000);
    lab_write_time(&out, 600000000);
    lab_write_time(&out, 250000);
    lab_write_share(&out, 333333);
    cr_assert_str_eq(buffer_text(&out), "12.5%10m250ms33.3333%");
    buffer_clear(&out);
}

Test(lab_setup, sets_every_row_to_what_it_writes)
{
    struct lab_setup s = lab_setup_default(), other = s;
    struct error e;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_OK);
    cr_assert_eq(set(&s, "q", "45%", &e), RESULT_OK);
    cr_assert_eq(set(&s, "seed", "18446744073709551615", &e), RESULT_OK);
    cr_assert_eq(set(&s, "strategy", "double", &e), RESULT_OK);
    cr_assert_eq(set(&s, "max_reorg", "3", &e), RESULT_OK);
    struct buffer out = {0};
    lab_setup_json(&out, &s);
    json_t *json = json_loads(buffer_text(&out), 0, NULL);
    cr_assert_not_null(json);
    cr_assert_eq(json_object_size(json), lab_setting_count);
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
        cr_assert_eq(set(&other, name, json_string_value(value), &e), RESULT_OK, "%s", e.text);
    struct buffer again = {0};
    lab_setup_json(&again, &other);
    cr_assert(span_equal(buffer_span(&out), buffer_span(&again)));
    cr_assert_eq(other.seed, UINT64_MAX);
    cr_assert_eq(other.max_reorg, 3);
    json_decref(json);
    buffer_clear(&out);
    buffer_clear(&again);
}

Test(lab_setup, writes_only_what_differs)
{
    struct lab_setup s = lab_setup_default(), d = s;
    s.q_ppm = 300000;
    s.merchant = false;
    struct buffer out = {0};
    lab_setup_write(&out, &s, &d);
    cr_assert_str_eq(buffer_text(&out), "merchant = no\nq = 30%\n");
    buffer_clear(&out);
}

Test(lab_setup, says_what_is_allowed)
{
    struct lab_setup s = lab_setup_default();
    struct error e;
    cr_assert_eq(set(&s, "honest", "0", &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "honest = 0: must be 1 to 60");
    cr_assert_eq(set(&s, "honest", "61", &e), RESULT_INVALID);
    cr_assert_eq(set(&s, "q", "100%", &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "q = 100%: must be 0% to 99.9999%");
    cr_assert_eq(set(&s, "q", "30", &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "q = 30: must be a share such as 30%, 0.3 or 1/3");
    cr_assert_eq(set(&s, "merchant", "maybe", &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "merchant = maybe: must be yes or no");
    cr_assert_eq(set(&s, "strategy", "bribe", &e), RESULT_INVALID);
    cr_assert_eq(set(&s, "block", "0", &e), RESULT_INVALID);
    cr_assert_eq(set(&s, "colour", "red", &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "there is no setting colour");
    cr_assert_eq(set(&s, "seed", "18446744073709551616", &e), RESULT_INVALID);
    struct lab_setup d = lab_setup_default();
    cr_assert_eq(memcmp(&s, &d, sizeof(s)), 0, "a refused value changes nothing");
}

Test(lab_setup, refuses_contradictions)
{
    struct error e;
    struct lab_setup s = lab_setup_default();
    s.strategy = LAB_STRATEGY_DOUBLE;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_INVALID);
    s.q_ppm = 300000;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_OK);
    s.merchant = false;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_INVALID);
    s = lab_setup_default();
    s.honest = 0;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_INVALID);
    s = lab_setup_default();
    s.eclipsed = true;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_INVALID);
    s.q_ppm = 100000;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_OK);
    s = lab_setup_default();
    s.honest_link = true;
    cr_assert_eq(lab_setup_check(&s, &e), RESULT_INVALID);
}

static struct lab_command command(const char *line)
{
    struct lab_command c;
    struct error e = {0};
    cr_assert_eq(lab_command_parse(&c, span_str(line), &e), RESULT_OK, "%s: %s", line, e.text);
    return c;
}

Test(lab_setup, reads_commands)
{
    struct lab_command c = command(" power  45% ");
    cr_assert(c.kind == LAB_COMMAND_POWER && c.value == 450000);
    cr_assert_str_eq(c.text, "45%");
    c = command("attack");
    cr_assert(c.kind == LAB_COMMAND_ATTACK && !c.has_strategy);
    c = command("attack selfish");
    cr_assert(c.has_strategy && c.strategy == LAB_STRATEGY_SELFISH);
    c = command("pay 0.5");
    cr_assert_eq(c.value, 50000000);
    c = command("pay");
    cr_assert_eq(c.value, 0);
    c = command("miners 3");
    cr_assert_eq(c.value, 3);
    c = command("latency 2s");
    cr_assert_eq(c.value, 2000000);
    c = command("say Two sentences: here. And here.");
    cr_assert_str_eq(c.text, "Two sentences: here. And here.");
}

Test(lab_setup, refuses_wrong_commands)
{
    const char *const wrong[] = {"",
                                 "fly",
                                 "power",
                                 "power 100%",
                                 "power x",
                                 "partition 3",
                                 "attack none",
                                 "attack fire",
                                 "miners 0",
                                 "miners -1",
                                 "pay 0",
                                 "pay 51",
                                 "say",
                                 "confirmations 0",
                                 "latency 11s",
                                 "end now",
                                 "confirmations",
                                 "invalidate x"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct lab_command c;
        struct error e = {0};
        cr_assert_eq(lab_command_parse(&c, span_str(wrong[i]), &e), RESULT_INVALID, "%s", wrong[i]);
        cr_assert_gt(strlen(e.text), 0);
    }
    char line[LAB_SETUP_TEXT_MAX + 8];
    memset(line, 'a', sizeof(line));
    memcpy(line, "say ", 4);
    struct lab_command c;
    cr_assert_eq(lab_command_parse(&c, span_of(line, 4 + LAB_SETUP_TEXT_MAX), NULL), RESULT_INVALID);
    cr_assert_eq(lab_command_parse(&c, span_of(line, 3 + LAB_SETUP_TEXT_MAX), NULL), RESULT_OK);
}

Test(lab_setup, writes_commands_as_they_are_read)
{
    const char *const lines[] = {"power 45%", "partition",       "attack",     "attack double", "pay", "pay 0.50000000",
                                 "miners 2",  "confirmations 9", "latency 2s", "say so",        "end"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct lab_command c = command(lines[i]);
        struct buffer out = {0};
        lab_command_write(&out, &c);
        cr_assert_str_eq(buffer_text(&out), lines[i]);
        buffer_clear(&out);
    }
}

Test(lab_setup, explains_every_row)
{
    for (size_t i = 0; i < lab_setting_count; i++)
        cr_assert(lab_setting_rows[i].name && lab_setting_rows[i].form && lab_setting_rows[i].help);
    for (size_t i = 0; i < LAB_COMMANDS; i++) cr_assert(lab_command_rows[i].name && lab_command_rows[i].help);
}
