/* cairn-lab trials and speed: what they accept, and what they say. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>

#include "base/buffer.h"
#include "lab/cli.h"

static int run(const char *const *words, size_t count, struct buffer *said)
{
    char *argv[24];
    for (size_t i = 0; i < count; i++) argv[i] = (char *)words[i];
    argv[count] = NULL;
    cr_redirect_stdout();
    cr_redirect_stderr();
    int status = lab_main((int)count, argv, "test");
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    /* All there is and no more: what is read came before the end of this process. */
    for (int c; said && (c = fgetc(out)) != EOF && c != '\n';) buffer_put_u8(said, (uint8_t)c);
    return status;
}

#define RUN(SAID, ...)                                                                                                 \
    run((const char *const[]){"cairn-lab", __VA_ARGS__},                                                               \
        sizeof((const char *const[]){"cairn-lab", __VA_ARGS__}) / sizeof(const char *), SAID)

Test(lab_cli_trials, hold_cells_against_theory)
{
    struct buffer said = {0};
    int status = RUN(&said, "trials", "--q", "30%,45%", "--z", "1", "--trials", "8", "--set", "patience=3", "--jobs",
                     "2", "--seed", "5", "--json");
    json_t *root = json_loadb((const char *)said.data, said.len, 0, NULL);
    cr_assert_eq(status, 0);
    cr_assert_not_null(root, "%s", buffer_text(&said));
    cr_assert_eq(json_integer_value(json_object_get(root, "trials")), 16);
    cr_assert_eq(json_integer_value(json_object_get(root, "off")), 0);
    const json_t *cell = json_array_get(json_object_get(root, "cells"), 1);
    cr_assert_str_eq(json_string_value(json_object_get(cell, "seed")), "13");
    cr_assert_float_eq(json_real_value(json_object_get(cell, "q")), 0.45, 1e-9);
    cr_assert_eq(json_integer_value(json_object_get(cell, "patience")), 3);
    cr_assert_eq(json_integer_value(json_object_get(cell, "settled")), 8);
    cr_assert_eq(json_integer_value(json_object_get(cell, "as_model")), 8);
    json_decref(root);
    buffer_clear(&said);
}

/* Nobody who waits for ever ends: such trials are broken, and the status says so. */
Test(lab_cli_trials, tell_that_something_is_off)
{
    cr_assert_eq(RUN(NULL, "trials", "--q", "30%", "--z", "1", "--trials", "2", "--set", "patience=0"), 1);
}

Test(lab_cli_trials, refuse_what_makes_no_sense)
{
    cr_assert_eq(RUN(NULL, "trials", "--q", "much"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--z", "0"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--z", "1,,2"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--premine", "2"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--trials", "none"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--set", "nonsense=1"), 2);
    cr_assert_eq(RUN(NULL, "trials", "--wrong"), 2);
    cr_assert_eq(RUN(NULL, "speed", "--nodes", "0"), 2);
    cr_assert_eq(RUN(NULL, "speed", "--seed", "abc"), 2);
}

Test(lab_cli_speed, measures_a_small_network)
{
    struct buffer said = {0};
    int status = RUN(&said, "speed", "--nodes", "4", "--minutes", "60", "--json");
    json_t *root = json_loadb((const char *)said.data, said.len, 0, NULL);
    cr_assert_eq(status, 0);
    const json_t *row = json_array_get(root, 0);
    cr_assert_eq(json_integer_value(json_object_get(row, "nodes")), 4);
    cr_assert_geq(json_number_value(json_object_get(row, "virtual_s")), 3600);
    cr_assert_gt(json_integer_value(json_object_get(row, "blocks")), 0);
    cr_assert_gt(json_number_value(json_object_get(row, "node_bytes")), 0);
    json_decref(root);
    buffer_clear(&said);
}
