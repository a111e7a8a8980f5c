/* CompactSize: canonical forms, limits, and what fails. */
#include <criterion/criterion.h>

#include "primitives/compact_size.h"

static const uint64_t edges[] = {0,       1,         0xfc,      0xfd,       0xfe,        0xff,      0xffff,
                                 0x10000, 0x2000000, 0x2000001, 0xffffffff, 0x100000000, UINT64_MAX};

Test(compact_size, writes_the_shortest_form_and_reads_it_back)
{
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        struct buffer b = {0};
        buffer_put_compact_size(&b, edges[i]);
        cr_assert_eq(b.len, compact_size_len(edges[i]));
        struct reader r = reader_of(buffer_span(&b));
        cr_assert_eq(read_compact_u64(&r), edges[i]);
        cr_assert(!r.failed && reader_left(&r) == 0);
        r = reader_of(buffer_span(&b));
        uint64_t v = read_compact_size(&r);
        cr_assert_eq(r.failed, edges[i] > COMPACT_SIZE_LIMIT);
        cr_assert_eq(v, r.failed ? 0 : edges[i]);
        for (size_t len = 0; len < b.len; len++) {
            r = reader_of(span_of(b.data, len));
            cr_assert_eq(read_compact_u64(&r), 0);
            cr_assert(r.failed, "%zu of %zu bytes", len, b.len);
        }
        buffer_clear(&b);
    }
}

Test(compact_size, refuses_forms_that_are_longer_than_needed)
{
    static const struct {
        size_t len;
        uint8_t bytes[9];
    } longer[] = {
        {3, {0xfd, 0, 0}},
        {3, {0xfd, 0xfc, 0}},
        {5, {0xfe, 0xff, 0xff, 0, 0}},
        {5, {0xfe, 1, 0, 0, 0}},
        {9, {0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
        {9, {0xff, 0, 0, 0, 0, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(longer); i++) {
        struct reader r = reader_of(span_of(longer[i].bytes, longer[i].len));
        cr_assert_eq(read_compact_u64(&r), 0);
        cr_assert(r.failed, "case %zu", i);
    }
}
