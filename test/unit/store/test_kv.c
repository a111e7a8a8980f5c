/* The key-value port: LevelDB and its twin in memory must answer alike; and what LevelDB alone does on disk. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "folder.h"
#include "store/store.h"

static void write_one(struct kv_store s, const char *key, const char *value)
{
    void *batch = s.ops->batch_new(s.ctx);
    if (value)
        s.ops->batch_put(batch, span_str(key), span_str(value));
    else
        s.ops->batch_del(batch, span_str(key));
    cr_assert_eq(s.ops->batch_write(s.ctx, batch, false, NULL), RESULT_OK);
    s.ops->batch_free(batch);
}

static void assert_value(struct kv_store s, const char *key, const char *expected)
{
    struct buffer value = {0};
    buffer_put_str(&value, "what was there before");
    enum result r = s.ops->get(s.ctx, span_str(key), &value, NULL);
    cr_assert_eq(r, expected ? RESULT_OK : RESULT_NOT_FOUND, "%s", key);
    if (expected) cr_assert_str_eq(buffer_text(&value), expected);
    buffer_clear(&value);
}

/* All entries from FROM on, as "key=value,". */
static void assert_walk(struct kv_store s, const char *from, const char *expected)
{
    struct buffer text = {0};
    struct span key, value;
    void *it = s.ops->iter_new(s.ctx);
    s.ops->iter_seek(it, span_str(from));
    while (s.ops->iter_next(it, &key, &value)) {
        buffer_put_span(&text, key);
        buffer_put_u8(&text, '=');
        buffer_put_span(&text, value);
        buffer_put_u8(&text, ',');
    }
    cr_assert_eq(s.ops->iter_result(it, NULL), RESULT_OK);
    s.ops->iter_free(it);
    cr_assert_str_eq(buffer_text(&text), expected);
    buffer_clear(&text);
}

static void check_port(struct kv_store s)
{
    assert_value(s, "a", NULL);
    assert_walk(s, "", "");
    write_one(s, "b", "2");
    write_one(s, "a", "1");
    write_one(s, "ab", "");
    write_one(s, "\xff", "last");
    assert_value(s, "a", "1");
    assert_value(s, "ab", "");
    assert_value(s, "abc", NULL);
    assert_walk(s, "", "a=1,ab=,b=2,\xff=last,");
    assert_walk(s, "aa", "ab=,b=2,\xff=last,");
    assert_walk(s, "c", "\xff=last,");
    write_one(s, "ab", NULL);
    write_one(s, "nothing", NULL);
    assert_walk(s, "", "a=1,b=2,\xff=last,");

    void *batch = s.ops->batch_new(s.ctx); /* the last word on a key holds */
    s.ops->batch_put(batch, span_str("x"), span_str("1"));
    s.ops->batch_put(batch, span_str("x"), span_str("2"));
    s.ops->batch_put(batch, span_str("y"), span_str("1"));
    s.ops->batch_del(batch, span_str("y"));
    s.ops->batch_del(batch, span_str("a"));
    s.ops->batch_put(batch, span_str("a"), span_str("again"));
    assert_value(s, "x", NULL);
    cr_assert_eq(s.ops->batch_write(s.ctx, batch, true, NULL), RESULT_OK);
    cr_assert_eq(s.ops->batch_write(s.ctx, batch, true, NULL), RESULT_OK, "emptied");
    s.ops->batch_free(batch);
    assert_walk(s, "", "a=again,b=2,x=2,\xff=last,");
}

static void check_snapshot(struct kv_store s)
{
    struct span key, value;
    write_one(s, "k1", "old");
    void *it = s.ops->iter_new(s.ctx);
    write_one(s, "k1", "new");
    write_one(s, "k2", "new");
    s.ops->iter_seek(it, span_str("k"));
    cr_assert(s.ops->iter_next(it, &key, &value));
    cr_assert(span_equal(key, span_str("k1")) && span_equal(value, span_str("old")));
    cr_assert(!s.ops->iter_next(it, &key, &value) || !span_equal(key, span_str("k2")));
    s.ops->iter_free(it);
}

static struct kv_store open_leveldb(const char *path, bool wipe)
{
    struct kv_store s;
    struct error e;
    cr_assert_eq(leveldb_store_open(&s, path, 1 << 20, wipe, NULL, &e), RESULT_OK, "%s", e.text);
    return s;
}

Test(kv, memory)
{
    struct kv_store s;
    memory_store_open(&s, NULL);
    check_port(s);
    check_snapshot(s);
    memory_store_close(&s);
}

Test(kv, leveldb)
{
    struct folder f;
    folder_make(&f);
    struct kv_store s = open_leveldb(folder_file(&f, "db"), false);
    check_port(s);
    check_snapshot(s);
    leveldb_store_close(&s);
    folder_remove(&f);
}

/* The same random batches to both: the same content, also after LevelDB is opened again. */
Test(kv, leveldb_and_memory_agree)
{
    struct folder f;
    struct kv_store memory;
    struct random rng;
    folder_make(&f);
    memory_store_open(&memory, NULL);
    random_init_u64(&rng, 5);
    struct kv_store disk = open_leveldb(folder_file(&f, "db"), false);
    for (int round = 0; round < 40; round++) {
        void *a = memory.ops->batch_new(memory.ctx), *b = disk.ops->batch_new(disk.ctx);
        for (uint64_t i = random_below(&rng, 300); i > 0; i--) {
            uint8_t key[2], value[40];
            size_t key_len = 1 + random_below(&rng, 2), value_len = random_below(&rng, sizeof(value));
            random_bytes(&rng, key, sizeof(key));
            random_bytes(&rng, value, sizeof(value));
            if (random_below(&rng, 4) == 0) {
                memory.ops->batch_del(a, span_of(key, key_len));
                disk.ops->batch_del(b, span_of(key, key_len));
            } else {
                memory.ops->batch_put(a, span_of(key, key_len), span_of(value, value_len));
                disk.ops->batch_put(b, span_of(key, key_len), span_of(value, value_len));
            }
        }
        cr_assert_eq(memory.ops->batch_write(memory.ctx, a, false, NULL), RESULT_OK);
        cr_assert_eq(disk.ops->batch_write(disk.ctx, b, round % 2, NULL), RESULT_OK);
        memory.ops->batch_free(a);
        disk.ops->batch_free(b);
        if (round % 10 == 0) {
            leveldb_store_close(&disk);
            disk = open_leveldb(folder_file(&f, "db"), false);
        }
    }
    void *x = memory.ops->iter_new(memory.ctx), *y = disk.ops->iter_new(disk.ctx);
    struct span k1, v1, k2, v2;
    size_t count = 0;
    for (;; count++) {
        bool more = memory.ops->iter_next(x, &k1, &v1);
        cr_assert_eq(disk.ops->iter_next(y, &k2, &v2), more);
        if (!more) break;
        cr_assert(span_equal(k1, k2) && span_equal(v1, v2));
    }
    cr_assert_gt(count, 1000);
    memory.ops->iter_free(x);
    disk.ops->iter_free(y);
    memory_store_close(&memory);
    leveldb_store_close(&disk);
    folder_remove(&f);
}

Test(kv, leveldb_wipe)
{
    struct folder f;
    folder_make(&f);
    struct kv_store s = open_leveldb(folder_file(&f, "db"), false);
    write_one(s, "a", "1");
    leveldb_store_close(&s);
    s = open_leveldb(folder_file(&f, "db"), false);
    assert_value(s, "a", "1");
    leveldb_store_close(&s);
    s = open_leveldb(folder_file(&f, "db"), true);
    assert_value(s, "a", NULL);
    leveldb_store_close(&s);
    folder_remove(&f);
}

Test(kv, leveldb_held_by_another)
{
    struct folder f;
    struct kv_store other;
    struct error e;
    folder_make(&f);
    struct kv_store s = open_leveldb(folder_file(&f, "db"), false);
    cr_expect_eq(leveldb_store_open(&other, folder_file(&f, "db"), 1 << 20, false, NULL, &e), RESULT_BUSY);
    cr_expect(strstr(e.text, "/db"), "%s", e.text);
    leveldb_store_close(&s);
    folder_remove(&f);
}

Test(kv, leveldb_corrupt)
{
    struct folder f;
    struct error e;
    folder_make(&f);
    struct kv_store s = open_leveldb(folder_file(&f, "db"), false);
    write_one(s, "a", "1");
    leveldb_store_close(&s);
    FILE *current = fopen(folder_file(&f, "db/CURRENT"), "w");
    cr_assert(current && fputs("garbage", current) >= 0 && fclose(current) == 0);
    cr_expect_eq(leveldb_store_open(&s, folder_file(&f, "db"), 1 << 20, false, NULL, &e), RESULT_CORRUPT, "%s", e.text);
    cr_expect_null(s.ops);
    folder_remove(&f);
}

Test(kv, leveldb_where_no_folder_can_be)
{
    struct kv_store s;
    struct error e;
    cr_expect_eq(leveldb_store_open(&s, "/dev/null/db", 1 << 20, false, NULL, &e), RESULT_IO);
    cr_expect(strstr(e.text, "/dev/null/db"), "%s", e.text);
}

Test(kv, memory_faults)
{
    struct memory_fault fault = {.fail_after = 2, .result = RESULT_FULL};
    struct kv_store s, copy;
    struct error e;
    memory_store_open(&s, &fault);
    write_one(s, "a", "1");
    for (int i = 0; i < 2; i++) {
        void *batch = s.ops->batch_new(s.ctx);
        s.ops->batch_put(batch, span_str("b"), span_str("2"));
        s.ops->batch_put(batch, span_str("c"), span_str("3"));
        fault.apply_torn = i == 1;
        cr_assert_eq(s.ops->batch_write(s.ctx, batch, true, &e), RESULT_FULL);
        s.ops->batch_free(batch);
        assert_walk(s, "", i == 0 ? "a=1," : "a=1,b=2,c=3,");
    }
    cr_assert_eq(fault.writes, 3);
    memory_store_clone(&copy, &s, NULL);
    write_one(copy, "a", "other");
    assert_value(s, "a", "1");
    memory_store_close(&s);
    assert_walk(copy, "", "a=other,b=2,c=3,");
    memory_store_close(&copy);
}
