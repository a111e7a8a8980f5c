/* Events in writing. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "lab/event.h"

static struct lab_event event_of(enum lab_event_kind kind)
{
    return (struct lab_event){.seq = 7,
                              .at_us = INT64_C(90061001000),
                              .kind = kind,
                              .node = 2,
                              .block = 5,
                              .other = 4,
                              .a = 106,
                              .b = 1,
                              .c = 1,
                              .d = 1,
                              .text = "words"};
}

static void expect_json(const struct lab_event *e, const char *json)
{
    struct buffer out = {0};
    lab_event_json(&out, e);
    cr_assert_str_eq(buffer_text(&out), json);
    buffer_clear(&out);
}

Test(lab_event, has_fields_in_a_fixed_order)
{
    struct lab_event tip = event_of(LAB_EVENT_TIP);
    expect_json(&tip, "{\"seq\":7,\"t\":90061001000,\"e\":\"tip\",\"node\":2,\"block\":5,\"height\":106}");
    struct lab_event block = event_of(LAB_EVENT_BLOCK);
    block.d = 0;
    expect_json(&block,
                "{\"seq\":7,\"t\":90061001000,\"e\":\"block\",\"node\":2,\"block\":5,\"parent\":4,\"height\":106,"
                "\"txs\":1,\"attacker\":true,\"secret\":false,\"hash\":\"words\"}");
}

Test(lab_event, says_none_and_keeps_large_seeds)
{
    struct lab_event link = event_of(LAB_EVENT_LINK);
    link.node = LAB_NONE;
    expect_json(&link, "{\"seq\":7,\"t\":90061001000,\"e\":\"link\",\"what\":\"words\",\"node\":null}");
    struct lab_event start = event_of(LAB_EVENT_START);
    start.a = -1;
    expect_json(&start, "{\"seq\":7,\"t\":90061001000,\"e\":\"start\",\"scenario\":\"words\","
                        "\"seed\":\"18446744073709551615\"}");
}

Test(lab_event, is_json_whatever_the_text)
{
    for (unsigned kind = 0; kind < LAB_EVENT_KINDS; kind++) {
        struct lab_event e = event_of((enum lab_event_kind)kind);
        memset(e.text, '"', sizeof(e.text));
        memcpy(e.text, "\\\n\x01\xff", 4);
        struct buffer out = {0};
        lab_event_json(&out, &e);
        cr_assert_null(strchr(buffer_text(&out), '\n'));
        json_t *json = json_loads(buffer_text(&out), 0, NULL);
        cr_assert_not_null(json, "%s", buffer_text(&out));
        cr_assert_str_eq(json_string_value(json_object_get(json, "e")), lab_event_name(e.kind));
        json_decref(json);
        buffer_clear(&out);
    }
}

Test(lab_event, names_are_all_different)
{
    for (unsigned i = 0; i < LAB_EVENT_KINDS; i++)
        for (unsigned k = 0; k < i; k++) cr_assert_str_neq(lab_event_name(i), lab_event_name(k));
}

static void expect_plain(const struct lab_event *e, const char *text)
{
    static const char *const names[] = {"honest 1", "honest 2", "merchant"};
    struct buffer out = {0};
    lab_event_plain(&out, e, names, 3);
    cr_assert_str_eq(buffer_text(&out), text);
    buffer_clear(&out);
}

Test(lab_event, reads_as_words)
{
    struct lab_event e = event_of(LAB_EVENT_BLOCK);
    expect_plain(&e, "   1d 01:01:01.001  merchant finds block 5 on 4, height 106, 1 payments, and keeps it secret");
    e.d = 0, e.node = 9;
    expect_plain(&e, "   1d 01:01:01.001  node 9 finds block 5 on 4, height 106, 1 payments");
    e = event_of(LAB_EVENT_LEDGER);
    e.c = 123456789;
    expect_plain(&e, "   1d 01:01:01.001  the merchant's book: order 106, 1.23456789 coins, confirmations 1: words");
    e = event_of(LAB_EVENT_POWER);
    e.a = 333333;
    expect_plain(&e, "   1d 01:01:01.001  merchant has 33.3333% of the hash power");
    e = event_of(LAB_EVENT_LINK);
    e.node = LAB_NONE;
    expect_plain(&e, "   1d 01:01:01.001  connections: words");
    strcpy(e.text, "a\x1b[2Jb");
    expect_plain(&e, "   1d 01:01:01.001  connections: a [2Jb");
}

Test(lab_event, every_kind_can_be_printed)
{
    for (unsigned kind = 0; kind < LAB_EVENT_KINDS; kind++) {
        struct lab_event e = event_of((enum lab_event_kind)kind);
        struct buffer out = {0};
        lab_event_plain(&out, &e, NULL, 0);
        cr_assert_gt(out.len, 22);
        cr_assert_null(memchr(out.data, '{', out.len));
        buffer_clear(&out);
    }
}

Test(lab_event, a_chain_depends_on_all_before)
{
    uint8_t one[32] = {0}, two[32] = {0};
    struct lab_event a = event_of(LAB_EVENT_TIP), b = event_of(LAB_EVENT_SHOWN);
    lab_event_chain(one, &a);
    lab_event_chain(one, &b);
    lab_event_chain(two, &b);
    lab_event_chain(two, &a);
    cr_assert(memcmp(one, two, 32) != 0);
}
