/* Scenario files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/scenario.h"

static enum result parse(struct lab_scenario *s, const char *text, struct error *e)
{
    return lab_scenario_parse(s, "file", span_str(text), e);
}

Test(lab_scenario, reads_all_parts)
{
    struct lab_scenario s;
    struct error e = {0};
    const char *text = "# a comment\n"
                       "title = Double spend\n"
                       "about = One sentence.\n"
                       "  And = another.\n"
                       "\n"
                       "expect = stolen\n"
                       "[setup]\n"
                       "honest = 4   # four\n"
                       "q = 30%\n"
                       "[figures]\n"
                       "tips = 7\n"
                       "[story]\n"
                       "at 1h30m: attack double\n"
                       "on stolen: say The goods: gone.\n"
                       "  # not said\n"
                       "\tThe coin is back.\n";
    cr_assert_eq(parse(&s, text, &e), RESULT_OK, "%s", e.text);
    cr_assert_str_eq(s.title, "Double spend");
    cr_assert_str_eq(s.about, "One sentence. And = another.");
    cr_assert_str_eq(s.expect, "stolen");
    cr_assert_eq(s.setup.honest, 4);
    cr_assert_eq(s.setup.q_ppm, 300000);
    cr_assert_eq(s.setup.confirmations, 6);
    cr_assert_eq(s.figure_count, 1);
    cr_assert_str_eq(s.figures[0].name, "tips");
    cr_assert_str_eq(s.figures[0].value, "7");
    cr_assert_eq(s.cue_count, 2);
    cr_assert_eq(s.cues[0].at_us, INT64_C(5400000000));
    cr_assert_eq(s.cues[0].command.kind, LAB_COMMAND_ATTACK);
    cr_assert_eq(s.cues[1].trigger, LAB_ON_STOLEN);
    cr_assert_str_eq(s.cues[1].command.text, "The goods: gone. The coin is back.");
    struct lab_scenario copy = lab_scenario_copy(&s);
    lab_scenario_clear(&s);
    cr_assert_eq(copy.cue_count, 2);
    lab_scenario_clear(&copy);
}

Test(lab_scenario, writes_what_it_reads)
{
    struct lab_scenario s, again;
    struct buffer one = {0}, two = {0};
    struct error e = {0};
    cr_assert_eq(parse(&s, "title = T\n[setup]\nq=1/3\n[story]\nat 0: say a: b\non settled: end\n", &e), RESULT_OK);
    lab_scenario_write(&one, &s);
    cr_assert_str_eq(buffer_text(&one),
                     "title = T\n\n[setup]\nq = 33.3333%\n\n[story]\nat 0: say a: b\non settled: end\n");
    cr_assert_eq(lab_scenario_parse(&again, "again", buffer_span(&one), &e), RESULT_OK);
    lab_scenario_write(&two, &again);
    cr_assert(span_equal(buffer_span(&one), buffer_span(&two)));
    lab_scenario_clear(&s);
    lab_scenario_clear(&again);
    buffer_clear(&one);
    buffer_clear(&two);
}

Test(lab_scenario, names_line_and_fault)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "file:0: there is no title"},
        {"title = x\ntitle = y\n", "file:2: title is there twice"},
        {"title = x\ncolour = red\n",
         "file:2: there is no colour here: title, about, question, answer or expect, then [setup]"},
        {"title = x\nnothing\n", "file:2: nothing: must be NAME = VALUE"},
        {"  title = x\n", "file:1: an indented line goes on with a text, and there is none before"},
        {"title = x\n[set]\n", "file:2: there is no section [set]: [setup], [figures] or [story]"},
        {"title = x\n[setup]\n[setup]\n", "file:3: [setup] is there twice"},
        {"title = x\n[setup]\n\nhonest = 0\n", "file:4: honest = 0: must be 1 to 60"},
        {"title = x\n[setup]\nq = 1%\nq = 2%\n", "file:4: q is there twice"},
        {"title = x\n[setup]\nstrategy = double\n", "file:3: strategy = double needs an attacker with hash power: q"},
        {"title = x\n[story]\nat 5: end\n", "file:3: at 5: must be a time such as 90s, 10m, 2h or 1d"},
        {"title = x\n[story]\nwhen 5m: end\n", "file:3: when: a cue begins with at or on"},
        {"title = x\n[story]\nat 5m end\n", "file:3: at 5m end: a cue is `at TIME: COMMAND` or `on EVENT: COMMAND`"},
        {"title = x\n[story]\nat 5m: fly\n", "file:3: there is no command fly"},
        {"title = x\n[story]\nat 5m: power\n", "file:3: power needs a share from 0 to below 100%"},
        {"title = x\n[figures]\na =\n", "file:3: a figure is NAME = VALUE, each of 1 to 63 bytes"},
        {"title = x\n[figures]\nspeed = 1\n", "file:3: there is no figure speed"},
        {"title = a\x01z\n", "file:1: there is a control character"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct lab_scenario s;
        struct error e = {0};
        cr_assert_eq(parse(&s, cases[i].text, &e), RESULT_INVALID, "%s", cases[i].text);
        cr_assert_str_eq(e.text, cases[i].error);
        lab_scenario_clear(&s);
    }
}

Test(lab_scenario, bounds_texts_cues_and_files)
{
    struct lab_scenario s;
    struct error e = {0};
    struct buffer text = {0};
    buffer_put_str(&text, "title = ");
    for (int i = 0; i < 200; i++) buffer_put_str(&text, "x");
    cr_assert_eq(lab_scenario_parse(&s, "file", buffer_span(&text), &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "file:1: title is too long: 200 bytes, at most 127");
    lab_scenario_clear(&s);
    text.len = 0;
    buffer_put_str(&text, "title = x\n[story]\n");
    for (int i = 0; i <= LAB_CUES_MAX; i++) buffer_put_str(&text, "at 1m: end\n");
    cr_assert_eq(lab_scenario_parse(&s, "file", buffer_span(&text), &e), RESULT_INVALID);
    cr_assert_not_null(strstr(e.text, "more than 400 cues"));
    lab_scenario_clear(&s);
    memset(buffer_extend(&text, LAB_SCENARIO_MAX), '#', LAB_SCENARIO_MAX);
    cr_assert_eq(lab_scenario_parse(&s, "file", buffer_span(&text), &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "file:1: the file is larger than 65536 bytes");
    lab_scenario_clear(&s);
    buffer_clear(&text);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static void take_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

Test(lab_scenario, a_library_is_a_folder_in_order)
{
    char folder[] = "/tmp/lab_scenario_XXXXXX";
    struct lab_library l;
    struct error e = {0};
    cr_assert_not_null(mkdtemp(folder));
    put_file(folder, "lesson-10.lab", "title = ten\n");
    put_file(folder, "lesson-2.lab", "title = two\n");
    put_file(folder, "readme.txt", "nothing\n");
    cr_assert_eq(lab_library_load(&l, folder, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(l.count, 2);
    cr_assert_str_eq(l.items[0].name, "lesson-2");
    cr_assert_str_eq(lab_library_find(&l, "lesson-10")->title, "ten");
    cr_assert_null(lab_library_find(&l, "lesson-1"));
    lab_library_clear(&l);
    put_file(folder, "wrong.lab", "\nwrong\n");
    cr_assert_eq(lab_library_load(&l, folder, &e), RESULT_INVALID);
    cr_assert_not_null(strstr(e.text, "/wrong.lab:2: wrong: must be NAME = VALUE"), "%s", e.text);
    lab_library_clear(&l);
    take_file(folder, "lesson-10.lab");
    take_file(folder, "lesson-2.lab");
    take_file(folder, "readme.txt");
    take_file(folder, "wrong.lab");
    rmdir(folder);
    cr_assert_eq(lab_library_load(&l, folder, &e), RESULT_IO);
    lab_library_clear(&l);
}

Test(lab_scenario, an_environment_variable_names_the_folder)
{
    char out[64];
    setenv("CAIRN_LAB_DIR", "/some/where", 1);
    cr_assert_str_eq(lab_library_folder(out, sizeof(out)), "/some/where");
    cr_assert_null(lab_library_folder(out, 4));
}

Test(lab_scenario, triggers_are_of_events)
{
    struct lab_event e = {.kind = LAB_EVENT_LEDGER, .text = "delivered"};
    for (unsigned t = 0; t < LAB_TRIGGERS; t++)
        cr_assert_eq(lab_trigger_matches(t, &e), t == LAB_ON_DELIVERED, "%s", lab_trigger_name(t));
    e = (struct lab_event){.kind = LAB_EVENT_ATTACK, .text = "gave up"};
    for (unsigned t = 0; t < LAB_TRIGGERS; t++)
        cr_assert_eq(lab_trigger_matches(t, &e), t == LAB_ON_GAVE_UP, "%s", lab_trigger_name(t));
    e = (struct lab_event){.kind = LAB_EVENT_REORG};
    for (unsigned t = 0; t < LAB_TRIGGERS; t++)
        cr_assert_eq(lab_trigger_matches(t, &e), t == LAB_ON_REORGANISATION, "%s", lab_trigger_name(t));
}
