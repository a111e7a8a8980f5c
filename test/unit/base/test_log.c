/* Log lines: which are written, and what they say; and the sentences of results. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/result.h"

/* What was written last. */
struct sink {
    int lines;
    enum log_level level;
    enum log_category category;
    struct log_source source;
    struct buffer text;
};

static void sink_write(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                       const char *text)
{
    struct sink *s = ctx;
    s->lines++;
    s->level = level;
    s->category = category;
    s->source = *source;
    buffer_clear(&s->text);
    buffer_put_str(&s->text, text);
}

static struct log log_to(struct sink *s)
{
    return (struct log){.write = sink_write, .ctx = s, .min_debug = LOG_DEBUG};
}

Test(log, every_category_is_found_by_its_name)
{
    for (int c = 0; c < LOGC_COUNT; c++) {
        const char *name = log_category_name((enum log_category)c);
        enum log_category found = LOGC_COUNT;
        cr_assert_not_null(name, "category %d", c);
        cr_assert(log_category_parse(name, &found), "%s", name);
        cr_assert_eq((int)found, c, "%s", name);
    }
    cr_assert_null(log_category_name(LOGC_COUNT));
    fprintf(stderr, "log categories: %d cases\n", LOGC_COUNT);
}

Test(log, names_that_mean_all_and_names_that_are_none)
{
    static const char *const all[] = {"", "1", "all"};
    static const char *const none[] = {"0", "none", "Net", "net ", "nett", "ALL"};
    enum log_category c;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        cr_assert(log_category_parse(all[i], &c), "%s", all[i]);
        cr_assert_eq(c, LOGC_ALL);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) cr_assert_not(log_category_parse(none[i], &c), "%s", none[i]);
}

Test(log, debug_lines_need_their_category)
{
    struct sink s = {0};
    struct log log = log_to(&s);
    log_debug(&log, LOGC_NET, "no");
    cr_assert_eq(s.lines, 0);
    log.debug_categories = (uint64_t)1 << LOGC_NET;
    log_debug(&log, LOGC_NET, "peer %d", 3);
    cr_assert_eq(s.lines, 1);
    cr_assert_str_eq(buffer_text(&s.text), "peer 3");
    cr_assert(s.level == LOG_DEBUG && s.category == LOGC_NET);
    cr_assert_str_eq(s.source.function, __func__);
    cr_assert(strstr(s.source.file, "test_log.c") && s.source.line > 0);
    log_debug(&log, LOGC_TOR, "no");
    log_trace(&log, LOGC_NET, "no");
    cr_assert_eq(s.lines, 1);
    log.min_debug = LOG_TRACE;
    log_trace(&log, LOGC_NET, "yes");
    cr_assert_eq(s.lines, 2);
    log.debug_categories = (uint64_t)1 << (LOGC_COUNT - 1);
    log_debug(&log, LOGC_COUNT - 1, "yes");
    cr_assert_eq(s.lines, 3);
    buffer_clear(&s.text);
}

Test(log, from_info_up_everything_is_written)
{
    struct sink s = {0};
    struct log log = log_to(&s);
    log_info(&log, "a");
    log_warning(&log, "b");
    log_error(&log, "c %s", "d");
    cr_assert_eq(s.lines, 3);
    cr_assert_eq(s.level, LOG_ERROR);
    cr_assert_str_eq(buffer_text(&s.text), "c d");
    buffer_clear(&s.text);
}

static int evaluate(int *count)
{
    return ++*count;
}

Test(log, what_is_not_written_is_not_evaluated)
{
    struct sink s = {0};
    struct log log = log_to(&s), silent = {0};
    int count = 0;
    log_debug(&log, LOGC_NET, "%d", evaluate(&count));
    log_info(NULL, "%d", evaluate(&count));
    log_info(&silent, "%d", evaluate(&count));
    cr_assert_eq(count, 0);
    log_info(&log, "%d", evaluate(&count));
    cr_assert_eq(count, 1);
    buffer_clear(&s.text);
}

/* Lines of every length round the size that needs no allocation. */
Test(log, long_lines_are_whole)
{
    struct sink s = {0};
    struct log log = log_to(&s);
    char text[1200];
    memset(text, 'x', sizeof(text));
    for (int len = 500; len < 530; len++) {
        log_info(&log, "%.*s", len, text);
        cr_assert_eq(s.text.len, (size_t)len);
    }
    log_info(&log, "%.*s|", 1199, text);
    cr_assert_eq(s.text.len, 1200u);
    cr_assert_eq(s.text.data[1199], '|');
    buffer_clear(&s.text);
}

Test(result, errors_carry_their_sentence)
{
    struct error e = {0};
    cr_assert_eq(error_set(&e, RESULT_IO, "cannot open %s: %d", "file", 5), RESULT_IO);
    cr_assert_eq(e.code, RESULT_IO);
    cr_assert_str_eq(e.text, "cannot open file: 5");
    cr_assert_eq(error_set(NULL, RESULT_FULL, "unseen"), RESULT_FULL);
    char longer[2000];
    memset(longer, 'y', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    error_set(&e, RESULT_CORRUPT, "%s", longer);
    cr_assert_eq(strlen(e.text), sizeof(e.text) - 1);
}

Test(result, every_code_has_its_own_name)
{
    for (int i = RESULT_OK; i <= RESULT_STOPPED; i++)
        for (int j = RESULT_OK; j < i; j++) cr_assert_str_neq(result_name((enum result)i), result_name((enum result)j));
    cr_assert_str_eq(result_name(RESULT_OK), "ok");
    cr_assert_str_eq(result_name((enum result)99), "unknown");
}
