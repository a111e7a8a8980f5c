/* Amounts as text. */
#include <criterion/criterion.h>

#include "primitives/amount.h"

static const struct {
    const char *text;
    amount_sat sat;
} good[] = {
    {"0", 0},
    {"-0", 0},
    {"0.0", 0},
    {"0.00000000", 0},
    {"0.00000001", 1},
    {"0.000000010", 1},
    {"0.00000001000000", 1},
    {"-0.1", -10000000},
    {"1", COIN_SAT},
    {"1.1", 110000000},
    {"1.10000000000000000", 110000000},
    {"1.1e1", 1100000000},
    {"1.1e-1", 11000000},
    {"1.1E+1", 1100000000},
    {"1000", 1000 * COIN_SAT},
    {"-1000", -1000 * COIN_SAT},
    {"0.00000001e+5", 100000},
    {"1e-8", 1},
    {"0.1e-7", 1},
    {"20999999.9769", INT64_C(2099999997690000)},
    {"21000000", MAX_MONEY_SAT},
    {"9999999999.99999999", INT64_C(999999999999999999)},
    {"-9999999999.99999999", INT64_C(-999999999999999999)},
    {"0.0000000000000001e8", 1},
    {"10000000000000000e-8", COIN_SAT *COIN_SAT},
    {"0e9", 0},
};

static const char *const bad[] = {
    "",
    "-",
    "a",
    "-1000a",
    " 1",
    "1 ",
    "+1",
    "01",
    "00",
    "1.",
    ".1",
    "-.1",
    "1e",
    "1e+",
    "1e-",
    "1.e1",
    "1.1e1.1",
    "0.000000001",
    "1e-9",
    "0.00000001000000001",
    "0x1",
    "1,0",
    "--1",
    "10000000000",
    "1e10",
    "9999999999.999999999",
    "1e99999999999999999999999999",
    "1e-99999999999999999999999",
    "92233720368.54775808",
    "999999999999999999999999999999999",
    "NaN",
    "inf",
    "0e10",
};

Test(amount, parses_decimals_exactly)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        amount_sat v = 77;
        cr_assert(amount_parse(&v, good[i].text), "%s", good[i].text);
        cr_assert_eq(v, good[i].sat, "%s gives %jd", good[i].text, (intmax_t)v);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        amount_sat v;
        cr_assert(!amount_parse(&v, bad[i]), "%s", bad[i]);
    }
}

Test(amount, text_has_eight_decimals)
{
    char text[AMOUNT_TEXT];
    cr_assert_str_eq(amount_text(text, 0), "0.00000000");
    cr_assert_str_eq(amount_text(text, 1), "0.00000001");
    cr_assert_str_eq(amount_text(text, -150000000), "-1.50000000");
    cr_assert_str_eq(amount_text(text, MAX_MONEY_SAT), "21000000.00000000");
    cr_assert_str_eq(amount_text(text, INT64_MAX), "92233720368.54775807");
    cr_assert_str_eq(amount_text(text, INT64_MIN), "-92233720368.54775808");
}

Test(amount, money_range)
{
    cr_assert(money_range(0) && money_range(MAX_MONEY_SAT));
    cr_assert(!money_range(-1) && !money_range(MAX_MONEY_SAT + 1));
}

Test(amount, short_text_keeps_two_decimals)
{
    static const struct {
        amount_sat value;
        const char *text;
    } cases[] = {
        {0, "0.00"},         {1, "0.00000001"},        {100, "0.000001"},
        {COIN_SAT, "1.00"},  {COIN_SAT * 10, "10.00"}, {-COIN_SAT / 2, "-0.50"},
        {120000000, "1.20"}, {123000000, "1.23"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[AMOUNT_TEXT];
        cr_assert_str_eq(amount_text_short(text, cases[i].value), cases[i].text);
    }
}
