/* Flat files on disk and in memory: reading, writing, obfuscation, files that others move, and errors. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "folder.h"
#include "store/store.h"

static const uint8_t some_key[8] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

static struct flat_store open_files(struct folder *f, const uint8_t *key)
{
    struct flat_store s;
    struct error e;
    cr_assert_eq(flat_files_open(&s, f->path, key, false, NULL, &e), RESULT_OK, "%s", e.text);
    return s;
}

static void put(struct flat_store s, enum flat_kind kind, uint32_t file, uint64_t offset, const char *text)
{
    struct error e;
    cr_assert_eq(s.ops->write(s.ctx, kind, file, offset, span_str(text), &e), RESULT_OK, "%s", e.text);
}

static void assert_reads(struct flat_store s, enum flat_kind kind, uint32_t file, uint64_t offset, const char *text)
{
    uint8_t got[64];
    struct error e;
    cr_assert_eq(s.ops->read(s.ctx, kind, file, offset, got, strlen(text), &e), RESULT_OK, "%s", e.text);
    cr_assert(!memcmp(got, text, strlen(text)), "at %d", (int)offset);
}

static void check_port(struct flat_store s)
{
    uint8_t byte[8];
    uint64_t size;
    struct error e;
    cr_assert_eq(s.ops->count(s.ctx, FLAT_BLOCKS), 0);
    cr_assert_eq(s.ops->read(s.ctx, FLAT_BLOCKS, 0, 0, byte, 1, &e), RESULT_NOT_FOUND);
    cr_assert_eq(s.ops->size(s.ctx, FLAT_BLOCKS, 0, &size, &e), RESULT_NOT_FOUND);
    cr_assert_eq(s.ops->sync(s.ctx, FLAT_BLOCKS, 0, 0, false, &e), RESULT_NOT_FOUND);
    put(s, FLAT_BLOCKS, 0, 0, "hello, world");
    put(s, FLAT_BLOCKS, 0, 12, "!");
    put(s, FLAT_BLOCKS, 0, 7, "W");
    put(s, FLAT_BLOCKS, 2, 5, "later");
    put(s, FLAT_UNDO, 0, 0, "undo");
    assert_reads(s, FLAT_BLOCKS, 0, 0, "hello, World!");
    assert_reads(s, FLAT_BLOCKS, 0, 3, "lo, W");
    assert_reads(s, FLAT_BLOCKS, 2, 5, "later");
    assert_reads(s, FLAT_UNDO, 0, 0, "undo");
    cr_assert_eq(s.ops->size(s.ctx, FLAT_BLOCKS, 0, &size, &e), RESULT_OK);
    cr_assert_eq(size, 13);
    cr_assert_eq(s.ops->count(s.ctx, FLAT_BLOCKS), 3);
    cr_assert_eq(s.ops->count(s.ctx, FLAT_UNDO), 1);
    cr_assert_eq(s.ops->read(s.ctx, FLAT_BLOCKS, 0, 6, byte, 8, &e), RESULT_CORRUPT);
    cr_assert_eq(s.ops->read(s.ctx, FLAT_BLOCKS, 1, 0, byte, 1, &e), RESULT_NOT_FOUND);
    cr_assert_eq(s.ops->sync(s.ctx, FLAT_BLOCKS, 0, 5, true, &e), RESULT_OK);
    cr_assert_eq(s.ops->size(s.ctx, FLAT_BLOCKS, 0, &size, &e), RESULT_OK);
    cr_assert_eq(size, 5);
    cr_assert_eq(s.ops->sync(s.ctx, FLAT_BLOCKS, 2, 10, false, &e), RESULT_OK);
    cr_assert_eq(s.ops->remove(s.ctx, FLAT_BLOCKS, 2, &e), RESULT_OK);
    cr_assert_eq(s.ops->remove(s.ctx, FLAT_BLOCKS, 2, &e), RESULT_OK, "gone is gone");
    cr_assert_eq(s.ops->count(s.ctx, FLAT_BLOCKS), 1);
    put(s, FLAT_BLOCKS, 2, 0, "new"); /* after its removal */
    assert_reads(s, FLAT_BLOCKS, 2, 0, "new");
    cr_assert_eq(s.ops->size(s.ctx, FLAT_BLOCKS, 2, &size, &e), RESULT_OK);
    cr_assert_eq(size, 3);
}

Test(files, memory)
{
    struct flat_store s, copy;
    memory_files_open(&s, NULL);
    check_port(s);
    memory_files_clone(&copy, &s, NULL);
    put(copy, FLAT_UNDO, 0, 0, "UNDO");
    assert_reads(s, FLAT_UNDO, 0, 0, "undo");
    assert_reads(copy, FLAT_BLOCKS, 0, 0, "hello");
    memory_files_close(&s);
    memory_files_close(&copy);
}

Test(files, memory_faults)
{
    struct memory_fault fault = {.fail_after = 2, .result = RESULT_IO, .apply_torn = true};
    struct flat_store s;
    struct error e;
    uint64_t size;
    memory_files_open(&s, &fault);
    put(s, FLAT_BLOCKS, 0, 0, "whole");
    cr_assert_eq(s.ops->write(s.ctx, FLAT_BLOCKS, 0, 5, span_str("torn"), &e), RESULT_IO);
    cr_assert_eq(s.ops->size(s.ctx, FLAT_BLOCKS, 0, &size, NULL), RESULT_OK);
    cr_assert_eq(size, 7);
    cr_assert_eq(s.ops->sync(s.ctx, FLAT_BLOCKS, 0, 7, false, &e), RESULT_IO);
    cr_assert_eq(s.ops->remove(s.ctx, FLAT_BLOCKS, 0, &e), RESULT_IO);
    assert_reads(s, FLAT_BLOCKS, 0, 0, "wholeto");
    memory_files_close(&s);
}

Test(files, on_disk)
{
    for (int with_key = 0; with_key < 2; with_key++) {
        struct folder f;
        folder_make(&f);
        struct flat_store s = open_files(&f, with_key ? some_key : NULL);
        check_port(s);
        flat_files_close(&s);
        folder_remove(&f);
    }
}

static void read_whole(struct buffer *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    uint8_t part[4096];
    out->len = 0;
    for (size_t n; (n = fread(part, 1, sizeof(part), file)) > 0;) buffer_put(out, part, n);
    fclose(file);
}

static void write_whole(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(data, 1, len, file) == len && fclose(file) == 0, "%s", path);
}

/* Byte i of a file is xor-ed with byte i % 8 of the key, wherever a write begins. */
Test(files, obfuscation_by_position)
{
    struct folder f;
    struct buffer raw = {0}, plain = {0};
    struct random rng;
    uint8_t got[300];
    folder_make(&f);
    random_init_u64(&rng, 3);
    struct flat_store s = open_files(&f, some_key);
    while (plain.len < 5000) {
        size_t len = random_below(&rng, 40), at = plain.len;
        random_bytes(&rng, buffer_extend(&plain, len), len);
        cr_assert_eq(s.ops->write(s.ctx, FLAT_BLOCKS, 0, at, span_of(plain.data + at, len), NULL), RESULT_OK);
    }
    read_whole(&raw, folder_file(&f, "blk00000.dat"));
    cr_assert_eq(raw.len, plain.len);
    for (size_t i = 0; i < raw.len; i++) cr_assert_eq(raw.data[i], plain.data[i] ^ some_key[i % 8]);
    for (int i = 0; i < 500; i++) {
        size_t at = random_below(&rng, 4000), len = random_below(&rng, sizeof(got));
        cr_assert_eq(s.ops->read(s.ctx, FLAT_BLOCKS, 0, at, got, len, NULL), RESULT_OK);
        cr_assert(!memcmp(got, plain.data + at, len));
    }
    flat_files_close(&s);
    buffer_clear(&raw);
    buffer_clear(&plain);
    folder_remove(&f);
}

static void assert_key(struct folder *f, const uint8_t expected[8])
{
    struct buffer raw = {0};
    read_whole(&raw, folder_file(f, "xor.dat"));
    cr_assert(raw.len == 8 && !memcmp(raw.data, expected, 8));
    buffer_clear(&raw);
}

Test(files, key_of_a_new_folder)
{
    struct folder f;
    folder_make(&f);
    struct flat_store s = open_files(&f, some_key);
    flat_files_close(&s);
    assert_key(&f, some_key);
    s = open_files(&f, (const uint8_t[8]){9}); /* the stored one holds */
    put(s, FLAT_BLOCKS, 0, 0, "abc");
    flat_files_close(&s);
    assert_key(&f, some_key);
    folder_remove(&f);
}

Test(files, key_of_a_folder_with_plain_files)
{
    static const uint8_t zero[8];
    struct folder f;
    folder_make(&f);
    write_whole(folder_file(&f, "blk00000.dat"), "plain", 5);
    struct flat_store s = open_files(&f, some_key);
    assert_reads(s, FLAT_BLOCKS, 0, 0, "plain");
    flat_files_close(&s);
    assert_key(&f, zero);
    folder_remove(&f);
}

Test(files, key_that_must_not_be_disabled)
{
    struct folder f;
    struct flat_store s;
    struct error e;
    char expected[600];
    folder_make(&f);
    s = open_files(&f, some_key);
    flat_files_close(&s);
    cr_assert_eq(flat_files_open(&s, f.path, NULL, false, NULL, &e), RESULT_INVALID);
    snprintf(expected, sizeof(expected),
             "The blocksdir XOR-key can not be disabled when a random key was already stored! Stored key: "
             "'1122334455667788', stored path: '%s/xor.dat'.",
             f.path);
    cr_assert_str_eq(e.text, expected);
    write_whole(folder_file(&f, "xor.dat"), "1234", 4);
    cr_assert_eq(flat_files_open(&s, f.path, some_key, false, NULL, &e), RESULT_CORRUPT, "half a key");
    folder_remove(&f);
}

/* What was there under the name is appended to no more when the name means another file. */
Test(files, replaced_while_open)
{
    struct folder f;
    folder_make(&f);
    struct flat_store s = open_files(&f, NULL);
    put(s, FLAT_BLOCKS, 0, 0, "first");
    assert_reads(s, FLAT_BLOCKS, 0, 0, "first");
    cr_assert_eq(rename(folder_file(&f, "blk00000.dat"), folder_file(&f, "moved")), 0);
    write_whole(folder_file(&f, "blk00000.dat"), "other file", 10);
    assert_reads(s, FLAT_BLOCKS, 0, 0, "other");
    put(s, FLAT_BLOCKS, 0, 0, "OTHER");
    assert_reads(s, FLAT_BLOCKS, 0, 0, "OTHER file");
    struct buffer moved = {0};
    read_whole(&moved, folder_file(&f, "moved"));
    cr_assert_str_eq(buffer_text(&moved), "first");
    cr_assert_eq(unlink(folder_file(&f, "blk00000.dat")), 0);
    put(s, FLAT_BLOCKS, 0, 0, "created");
    assert_reads(s, FLAT_BLOCKS, 0, 0, "created");
    buffer_clear(&moved);
    flat_files_close(&s);
    folder_remove(&f);
}

Test(files, read_only)
{
    struct folder f;
    struct flat_store s;
    struct error e;
    folder_make(&f);
    cr_assert_eq(flat_files_open(&s, f.path, some_key, true, NULL, &e), RESULT_OK);
    cr_assert_neq(access(folder_file(&f, "xor.dat"), F_OK), 0, "nothing is created");
    cr_assert_eq(s.ops->write(s.ctx, FLAT_BLOCKS, 0, 0, span_str("x"), &e), RESULT_IO);
    cr_assert(strstr(e.text, "reading only"), "%s", e.text);
    cr_assert_eq(s.ops->remove(s.ctx, FLAT_BLOCKS, 0, &e), RESULT_IO);
    flat_files_close(&s);
    folder_remove(&f);
}

Test(files, names)
{
    static const char *const others[] = {"blk.dat",       "blk00007.dat.bak",   "blk0000x.dat", "rev00009",
                                         "xblk00008.dat", "blk99999999999.dat", "blk0000.dat"};
    struct folder f;
    folder_make(&f);
    struct flat_store s = open_files(&f, NULL);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) write_whole(folder_file(&f, others[i]), "", 0);
    cr_assert_eq(s.ops->count(s.ctx, FLAT_BLOCKS), 0);
    write_whole(folder_file(&f, "blk00004.dat"), "", 0);
    write_whole(folder_file(&f, "rev123456.dat"), "", 0);
    cr_assert_eq(s.ops->count(s.ctx, FLAT_BLOCKS), 5);
    cr_assert_eq(s.ops->count(s.ctx, FLAT_UNDO), 123457);
    flat_files_close(&s);
    folder_remove(&f);
}

/* Room asked for beyond the end does not show in the size, and the end of the file stays where the data ends. */
Test(files, growth_over_chunks)
{
    struct folder f;
    uint64_t size;
    struct error e;
    folder_make(&f);
    struct flat_store s = open_files(&f, some_key);
    for (uint64_t at = 0; at < (uint64_t)3 << 20; at += 700000) put(s, FLAT_UNDO, 0, at, "piece");
    for (uint64_t at = 0; at < (uint64_t)3 << 20; at += 700000) assert_reads(s, FLAT_UNDO, 0, at, "piece");
    cr_assert_eq(s.ops->size(s.ctx, FLAT_UNDO, 0, &size, &e), RESULT_OK);
    cr_assert_eq(size, 2800005);
    cr_assert_eq(s.ops->sync(s.ctx, FLAT_UNDO, 0, 2800005, true, &e), RESULT_OK);
    flat_files_close(&s);
    folder_remove(&f);
}

Test(files, folder_that_is_none)
{
    struct flat_store s;
    struct error e;
    cr_assert_eq(flat_files_open(&s, "/dev/null", NULL, false, NULL, &e), RESULT_IO);
    cr_assert(strstr(e.text, "/dev/null"));
    cr_assert_eq(flat_files_open(&s, "/nonexistent/blocks", NULL, true, NULL, &e), RESULT_NOT_FOUND);
}

/* A device that is always full. */
Test(files, full_disk)
{
    struct folder f;
    struct error e;
    folder_make(&f);
    struct flat_store s = open_files(&f, NULL);
    cr_assert_eq(symlink("/dev/full", folder_file(&f, "blk00000.dat")), 0);
    cr_assert_eq(s.ops->write(s.ctx, FLAT_BLOCKS, 0, 0, span_str("x"), &e), RESULT_FULL);
    cr_assert(strstr(e.text, "No space left"), "%s", e.text);
    flat_files_close(&s);
    folder_remove(&f);
}

/* ---- somebody's block file ---- */

static void assert_block_file(const char *path, const char *expected)
{
    struct block_file *file;
    struct error e;
    uint8_t got[64];
    size_t n;
    cr_assert_eq(block_file_open(&file, path, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(block_file_size(file), strlen(expected));
    cr_assert_eq(block_file_read(file, 0, got, sizeof(got), &n, &e), RESULT_OK);
    cr_assert(n == strlen(expected) && !memcmp(got, expected, n));
    cr_assert_eq(block_file_read(file, 3, got, 4, &n, &e), RESULT_OK);
    cr_assert(n == 4 && !memcmp(got, expected + 3, n));
    cr_assert_eq(block_file_read(file, 1000, got, 4, &n, &e), RESULT_OK);
    cr_assert_eq(n, 0);
    block_file_close(file);
}

Test(block_file, plain_and_obfuscated)
{
    struct folder f;
    struct block_file *file;
    struct error e;
    folder_make(&f);
    write_whole(folder_file(&f, "bootstrap.dat"), "some blocks in a row", 20);
    assert_block_file(folder_file(&f, "bootstrap.dat"), "some blocks in a row");
    unlink(folder_file(&f, "bootstrap.dat"));
    struct flat_store s = open_files(&f, some_key);
    put(s, FLAT_BLOCKS, 0, 0, "hidden blocks");
    flat_files_close(&s);
    assert_block_file(folder_file(&f, "blk00000.dat"), "hidden blocks");
    cr_assert_eq(block_file_open(&file, folder_file(&f, "nothing"), &e), RESULT_NOT_FOUND);
    cr_assert_null(file);
    cr_assert_eq(block_file_open(&file, f.path, &e), RESULT_IO, "a folder is no block file");
    folder_remove(&f);
}
