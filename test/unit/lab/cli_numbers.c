/* The commands that deal in numbers: what they print for people and programs, what they refuse. */
#include "lab/cli_numbers.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "lab/theory.h"

enum { ARGUMENTS = 16, TEXT = 65536 };

struct ran {
    int status;
    char text[TEXT];
};

/* LINE without the command's name; what goes to standard output is caught. */
static void run(struct ran *r, int (*command)(struct lab_cli_args *a), const char *line)
{
    char copy[512], *argv[ARGUMENTS + 1] = {0};
    struct lab_cli_args a = {.argv = argv};
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word && a.argc < ARGUMENTS; word = strtok(NULL, " ")) argv[a.argc++] = word;
    FILE *f = tmpfile();
    CHECK(f);
    fflush(stdout);
    int saved = dup(1);
    CHECK(dup2(fileno(f), 1) == 1);
    r->status = command(&a);
    fflush(stdout);
    CHECK(dup2(saved, 1) == 1);
    close(saved);
    rewind(f);
    r->text[fread(r->text, 1, TEXT - 1, f)] = 0;
    fclose(f);
}

static json_t *parsed(const struct ran *r)
{
    json_t *j = json_loads(r->text, 0, NULL);
    cr_assert(j, "%s", r->text);
    return j;
}

static double number(const json_t *j, const char *key)
{
    cr_assert(json_object_get(j, key), "%s", key);
    return json_number_value(json_object_get(j, key));
}

static bool fits(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len > 80) return false;
        text += len + (text[len] == '\n');
    }
    return true;
}

static struct ran ran;

Test(cli_numbers, theory)
{
    run(&ran, lab_cli_theory, "--q 30% --z 6");
    cr_expect_eq(ran.status, 0);
    cr_expect(strstr(ran.text, "13.211117 %     15.644958 %      8.910745 %  <-"), "%s", ran.text);
    cr_expect(strstr(ran.text, "The laboratory's own."));
    cr_expect(fits(ran.text), "%s", ran.text);
    run(&ran, lab_cli_theory, "--q=0.3 --z=6 --patience 10 --minutes 171.42857142857 --json");
    json_t *j = parsed(&ran);
    cr_expect_float_eq(number(j, "paper"), theory_paper(.3, 6), 1e-12);
    cr_expect_float_eq(number(j, "given_time"), theory_given_time(.3, 6, 2), 1e-9);
    cr_expect_float_eq(number(json_object_get(j, "race"), "chance"), theory_race(.3, 6, 0, 10, 0), 1e-12);
    cr_expect_float_eq(number(json_array_get(json_object_get(j, "confirmations"), 1), "strict"), 29, 0);
    cr_expect_float_eq(number(j, "depth_median"), 6, 0);
    json_decref(j);
    run(&ran, lab_cli_theory, "--q 51%");
    cr_expect(strstr(ran.text, "loses nothing") && strstr(ran.text, "none"));
}

Test(cli_numbers, race_says_what_it_is)
{
    run(&ran, lab_cli_race, "--q 30%,45% --z 1,2 --trials 20000 --jobs 2");
    cr_expect_eq(ran.status, 0, "%s", ran.text);
    cr_expect(strstr(ran.text, "Strict convention") && strstr(ran.text, "Paper's convention"));
    cr_expect(strstr(ran.text, "gives up 60 behind") && strstr(ran.text, "8 cells"));
    cr_expect(fits(ran.text), "%s", ran.text);
    run(&ran, lab_cli_race, "--q 51% --z 6 --premine 0 --budget 2016 --trials 20000");
    cr_expect(strstr(ran.text, "never gives up; budget: 2016"), "%s", ran.text);
    cr_expect(!strstr(ran.text, "Paper's"));
}

/* The same for any number of processes. */
Test(cli_numbers, race_for_programs)
{
    static struct ran other;
    run(&ran, lab_cli_race, "--q 1/3 --z 3 --trials 30000 --seed 9 --premine 1 --jobs 1 --json");
    run(&other, lab_cli_race, "--q 1/3 --z 3 --trials 30000 --seed 9 --premine 1 --jobs 5 --json");
    json_t *j = parsed(&ran), *k = parsed(&other);
    json_t *a = json_object_get(j, "cells"), *b = json_object_get(k, "cells");
    cr_expect_eq(json_array_size(a), 1);
    cr_expect(json_equal(a, b));
    const json_t *cell = json_array_get(a, 0);
    cr_expect_str_eq(json_string_value(json_object_get(cell, "convention")), "paper");
    cr_expect_float_eq(number(cell, "exact"), theory_race(333333e-6, 3, 1, 60, 0), 1e-12);
    cr_expect_float_eq(number(cell, "trials"), 30000, 0);
    cr_expect(json_is_true(json_object_get(cell, "ok")));
    json_decref(j);
    json_decref(k);
}

Test(cli_numbers, selfish)
{
    run(&ran, lab_cli_selfish, "--alpha 1/3,40% --gamma 50% --events 300000");
    cr_expect_eq(ran.status, 0);
    cr_expect(strstr(ran.text, "0.2321") && strstr(ran.text, "2 rows, 0 off"), "%s", ran.text);
    cr_expect(fits(ran.text), "%s", ran.text);
    run(&ran, lab_cli_selfish, "--alpha 40% --gamma 0% --events 300000 --json");
    json_t *j = parsed(&ran);
    const json_t *row = json_array_get(json_object_get(j, "rows"), 0);
    cr_expect_float_eq(number(row, "exact_share"), theory_selfish_share(.4, 0), 1e-12);
    cr_expect_gt(number(row, "loss_before_retarget"), .05);
    json_decref(j);
}

Test(cli_numbers, cost)
{
    run(&ran, lab_cli_cost, "");
    cr_expect_eq(ran.status, 0);
    cr_expect(strstr(ran.text, " 30.0 %     0.961      3.08      6.85      30.3       122"), "%s", ran.text);
    run(&ran, lab_cli_cost, "--q 30% --z 6 --value 100 --hashrate 1000 --price 0.05 --coin 60000 --reward 3.125");
    cr_expect(strstr(ran.text, "7 confirmations against 30 %"), "%s", ran.text);
    cr_expect(fits(ran.text), "%s", ran.text);
    run(&ran, lab_cli_cost, "--q 30%,51% --z 6 --value 100 --hashrate 1000 --price 0.05 --coin 60000 --json");
    json_t *j = parsed(&ran);
    unsigned g;
    const json_t *cell = json_array_get(json_object_get(j, "cells"), 0);
    struct theory_rent rent = {1e21, .05, 60000, 3.125};
    cr_expect_float_eq(number(cell, "break_even_rewards"), theory_break_even(.3, 6, &g), 1e-9);
    cr_expect_float_eq(number(cell, "rent"), theory_rent_cost(theory_attacker_work(.3, 6, g), &rent), 1e-3);
    const json_t *needed = json_object_get(j, "needed");
    cr_expect_float_eq(number(json_array_get(needed, 0), "z"), 7, 0);
    cr_expect_float_eq(number(json_array_get(needed, 1), "z"), 0, 0, "nothing helps against a majority");
    json_decref(j);
}

Test(cli_numbers, refusals)
{
    static const struct {
        int (*command)(struct lab_cli_args *a);
        const char *line;
    } rows[] = {
        {lab_cli_theory, "--q 130%"},
        {lab_cli_theory, "--q 10%,20%"},
        {lab_cli_theory, "--z 0"},
        {lab_cli_theory, "--minutes soon"},
        {lab_cli_theory, "--premine 2"},
        {lab_cli_theory, "what"},
        {lab_cli_race, "--q"},
        {lab_cli_race, "--q 10%,,20%"},
        {lab_cli_race, "--z 1,x"},
        {lab_cli_race, "--trials 0"},
        {lab_cli_race, "--jobs 0"},
        {lab_cli_race, "--q 30% --patience 0"},
        {lab_cli_race, "--budget 1000000000"},
        {lab_cli_race, "--seed -1"},
        {lab_cli_selfish, "--alpha 50%"},
        {lab_cli_selfish, "--gamma 2"},
        {lab_cli_selfish, "--events 0"},
        {lab_cli_cost, "--reward 0"},
        {lab_cli_cost, "--coin 60000"},
        {lab_cli_cost, "--hashrate -1"},
        {lab_cli_cost, "--z 0"},
        {lab_cli_cost, "--value nan"},
        {lab_cli_cost, "--json=yes"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        run(&ran, rows[i].command, rows[i].line);
        cr_expect_eq(ran.status, 2, "%s", rows[i].line);
        cr_expect_str_empty(ran.text, "%s", rows[i].line);
    }
}
