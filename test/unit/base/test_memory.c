/* Allocation, buffers and arenas. */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/random.h"

Test(alloc, nothing_is_still_a_block)
{
    void *blocks[] = {mem_alloc(0), mem_calloc(0, 8), mem_calloc(8, 0), mem_realloc(NULL, 0, 8), mem_dup("x", 0)};
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        cr_assert_not_null(blocks[i], "block %zu", i);
        free(blocks[i]);
    }
}

Test(alloc, copies)
{
    uint8_t *bytes = mem_dup("a\0b", 3);
    cr_assert_arr_eq(bytes, "a\0b", 3);
    char *text = mem_strdup("stone");
    cr_assert_str_eq(text, "stone");
    free(bytes);
    free(text);
    uint64_t *zeroes = mem_calloc(100, sizeof(*zeroes));
    for (int i = 0; i < 100; i++) cr_assert_eq(zeroes[i], 0u);
    free(zeroes);
}

Test(alloc, grow_doubles_and_keeps)
{
    size_t cap = 0, changes = 0;
    uint32_t *items = NULL;
    for (uint32_t i = 0; i < 10000; i++) {
        size_t before = cap;
        items = mem_grow(items, &cap, i + 1, sizeof(*items));
        cr_assert(cap > i);
        if (cap != before) {
            cr_assert(before == 0 || cap == 2 * before);
            changes++;
        }
        items[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++) cr_assert_eq(items[i], i);
    cr_assert(changes <= 12);
    void *same = mem_grow(items, &cap, 5, sizeof(*items));
    cr_assert_eq(same, items);
    free(items);
}

Test(alloc, realloc_overflow_stops, .signal = SIGABRT)
{
    mem_realloc(NULL, SIZE_MAX / 2, 4);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER
#endif

#ifndef ADDRESS_SANITIZER /* which ends the program itself, with a report */
Test(alloc, calloc_overflow_stops, .signal = SIGABRT)
{
    volatile size_t many = SIZE_MAX / 2;
    void *p = mem_calloc(many, 4);
    free(p);
}
#endif

Test(alloc, grow_overflow_stops, .signal = SIGABRT)
{
    size_t cap = 0;
    mem_grow(NULL, &cap, SIZE_MAX, 1);
}

Test(check, passes_what_holds_and_evaluates_once)
{
    int count = 0;
    CHECK(++count == 1);
    cr_assert_eq(count, 1);
}

Test(check, stops_at_what_does_not, .signal = SIGABRT)
{
    CHECK(1 + 1 == 3);
}

Test(buffer, starts_empty_and_clears)
{
    struct buffer b = {0};
    cr_assert(span_equal(buffer_span(&b), span_of(NULL, 0)));
    buffer_put(&b, NULL, 0);
    cr_assert_null(b.data);
    buffer_put_str(&b, "abc");
    cr_assert_eq(b.len, 3u);
    buffer_clear(&b);
    cr_assert(b.data == NULL && b.len == 0 && b.cap == 0);
    buffer_put_u8(&b, 7);
    cr_assert(b.len == 1 && b.data[0] == 7);
    buffer_clear(&b);
    buffer_clear(&b);
}

Test(buffer, writers)
{
    static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
                                       0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 'h',  'i',  'x',  '-',  '5'};
    struct buffer b = {0};
    buffer_put_u8(&b, 0x01);
    buffer_put_le16(&b, 0x0302);
    buffer_put_le32(&b, 0x07060504);
    buffer_put_le64(&b, 0x0f0e0d0c0b0a0908);
    buffer_put_be16(&b, 0x1011);
    buffer_put_str(&b, "hi");
    buffer_put_span(&b, span_str("x"));
    buffer_printf(&b, "%d", -5);
    cr_assert_eq(b.len, sizeof(expected));
    cr_assert_arr_eq(b.data, expected, sizeof(expected));
    buffer_clear(&b);
}

Test(buffer, grows_against_a_plain_array)
{
    enum { SIZE = 100000 };
    uint8_t *model = mem_alloc(SIZE);
    struct random r;
    random_init_u64(&r, 11);
    struct buffer b = {0};
    size_t len = 0, steps = 0;
    while (len < SIZE) {
        size_t n = random_below(&r, 300);
        if (n > SIZE - len) n = SIZE - len;
        random_bytes(&r, model + len, n);
        if (random_below(&r, 2))
            buffer_put(&b, model + len, n);
        else if (n)
            memcpy(buffer_extend(&b, n), model + len, n);
        len += n;
        cr_assert_eq(b.len, len);
        cr_assert(b.cap >= b.len);
        steps++;
    }
    cr_assert_arr_eq(b.data, model, SIZE);
    fprintf(stderr, "buffer growth: %zu cases\n", steps);
    buffer_clear(&b);
    free(model);
}

Test(buffer, reserve_leaves_the_length)
{
    struct buffer b = {0};
    buffer_put_str(&b, "ab");
    uint8_t *at = buffer_reserve(&b, 1000);
    cr_assert_eq(at, b.data + 2);
    cr_assert_eq(b.len, 2u);
    memset(at, 1, 1000);
    cr_assert(b.cap >= 1002);
    buffer_clear(&b);
}

Test(buffer, text_has_a_nul_that_is_not_counted)
{
    struct buffer b = {0};
    cr_assert_str_eq(buffer_text(&b), "");
    for (int i = 0; i < 40; i++) {
        buffer_put_u8(&b, 'a');
        cr_assert_eq(strlen(buffer_text(&b)), (size_t)i + 1);
        cr_assert_eq(b.len, (size_t)i + 1);
    }
    buffer_printf(&b, "%0300d", 7);
    cr_assert_eq(b.len, 340u);
    cr_assert_eq(buffer_text(&b)[339], '7');
    buffer_clear(&b);
}

Test(buffer, impossible_reserve_stops, .signal = SIGABRT)
{
    struct buffer b = {0};
    buffer_put_u8(&b, 1);
    buffer_reserve(&b, SIZE_MAX);
}

/* Every piece is aligned, apart from every other, and keeps its bytes. */
Test(arena, pieces_are_apart_and_aligned)
{
    enum { COUNT = 2000 };
    struct arena a = {0};
    struct random r;
    random_init_u64(&r, 12);
    uint8_t **pieces = mem_alloc(COUNT * sizeof(*pieces));
    size_t *sizes = mem_alloc(COUNT * sizeof(*sizes)), total = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = random_below(&r, i % 100 == 0 ? 100000 : 200);
        pieces[i] = arena_alloc(&a, sizes[i]);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % 16, 0u);
        memset(pieces[i], (int)(i & 0xff), sizes[i]);
        total += sizes[i];
        cr_assert(a.bytes >= total);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++) cr_assert_eq(pieces[i][j], i & 0xff);
    fprintf(stderr, "arena pieces: %d cases\n", COUNT);
    free(pieces);
    free(sizes);
    arena_clear(&a);
    cr_assert(a.chunk == NULL && a.bytes == 0);
}

Test(arena, reset_reuses_the_newest_chunk)
{
    struct arena a = {0};
    arena_reset(&a);
    cr_assert_eq(a.bytes, 0u);
    for (int i = 0; i < 100; i++) arena_alloc(&a, 1000);
    size_t before = a.bytes;
    struct arena_chunk *newest = a.chunk;
    arena_reset(&a);
    cr_assert_eq(a.chunk, newest);
    cr_assert(a.bytes < before && a.bytes > 0);
    size_t kept = a.bytes;
    uint8_t *first = arena_alloc(&a, 1000);
    arena_reset(&a);
    cr_assert_eq((uint8_t *)arena_alloc(&a, 1000), first);
    cr_assert_eq(a.bytes, kept);
    arena_clear(&a);
    arena_clear(&a);
}

Test(arena, empty_and_large_pieces)
{
    struct arena a = {0};
    cr_assert_not_null(arena_alloc(&a, 0));
    uint8_t *large = arena_alloc(&a, 5 << 20); /* more than the largest chunk */
    memset(large, 1, 5 << 20);
    uint64_t *numbers = arena_alloc_array(&a, 10, sizeof(*numbers));
    for (int i = 0; i < 10; i++) numbers[i] = UINT64_MAX;
    cr_assert_eq(large[(5 << 20) - 1], 1);
    cr_assert_not_null(arena_alloc_array(&a, 10, 0));
    arena_clear(&a);
}

Test(arena, array_overflow_stops, .signal = SIGABRT)
{
    struct arena a = {0};
    arena_alloc_array(&a, SIZE_MAX / 4, 8);
}

Test(arena, impossible_size_stops, .signal = SIGABRT)
{
    struct arena a = {0};
    arena_alloc(&a, SIZE_MAX);
}
