/* The language of hostile peers. */
#include <criterion/criterion.h>

#include "sim/script.h"

static enum result parse(struct sim_script *s, const char *text)
{
    struct error e;
    return sim_script_parse(s, span_str(text), &e);
}

Test(sim_script, reads_words_numbers_and_ranges)
{
    struct sim_script s;
    cr_assert_eq(parse(&s, "# a visitor\n handshake silent\n\nwait 5-60 # some time\nheaders low 2000\nclose"),
                 RESULT_OK);
    cr_assert_eq(s.count, 4);
    cr_assert_eq(s.lines[0].op, DO_HANDSHAKE);
    cr_assert_str_eq(s.lines[0].word, "silent");
    cr_assert_eq(s.lines[1].from, 5);
    cr_assert_eq(s.lines[1].to, 60);
    cr_assert_str_eq(s.lines[2].word, "low");
    cr_assert_eq(s.lines[2].to, 2000);
    cr_assert_eq(s.lines[3].op, DO_CLOSE);
}

Test(sim_script, matches_each_loop_with_its_end)
{
    struct sim_script s;
    cr_assert_eq(parse(&s, "repeat 0\nrepeat 3\nping 1\nend\nend\nclose\n"), RESULT_OK);
    cr_assert_eq(s.lines[0].jump, 5);
    cr_assert_eq(s.lines[1].jump, 4);
    cr_assert_eq(s.lines[3].jump, 1);
    cr_assert_eq(s.lines[4].jump, 0);
}

Test(sim_script, refuses_what_makes_no_sense)
{
    static const char *const wrong[] = {"hello",
                                        "wait",
                                        "wait x",
                                        "wait 5-",
                                        "wait 9-5",
                                        "close now",
                                        "block funny",
                                        "repeat 3",
                                        "end",
                                        "serve",
                                        "inv 1 2",
                                        "wait 9999999999",
                                        "headers best x",
                                        "oversize averyveryverylongname",
                                        "repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nend\nend\nend\nend\nend"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct sim_script s;
        cr_expect_eq(parse(&s, wrong[i]), RESULT_INVALID, "%s", wrong[i]);
    }
}

Test(sim_script, names_the_line_that_is_wrong)
{
    struct sim_script s;
    struct error e;
    cr_assert_eq(sim_script_parse(&s, span_str("close\n\nnonsense\n"), &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "line 3 makes no sense");
}

Test(sim_script, has_scripts_of_its_own_that_parse)
{
    size_t count = 0;
    for (; sim_scripts[count].name; count++) {
        struct sim_script s;
        cr_expect_eq(parse(&s, sim_scripts[count].text), RESULT_OK, "%s", sim_scripts[count].name);
        cr_expect(s.count > 0);
    }
    cr_assert_gt(count, 20);
}
