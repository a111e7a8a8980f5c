/* peers.dat, anchors.dat and banlist.json: whatever they hold, what is taken keeps all invariants and is written and
 * read back the same. The checksum is made here, so that the fuzzer gets past it. The first byte chooses the file. */
#include <stdlib.h>

#include "addrman/addrman.h"
#include "addrman/bans.h"
#include "base/check.h"
#include "crypto/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t MAGIC[4] = {0xfa, 0xbf, 0xb5, 0xda};

static struct buffer signed_file(const uint8_t *data, size_t size)
{
    struct buffer file = {0};
    uint8_t hash[32];
    buffer_put(&file, MAGIC, 4);
    buffer_put(&file, data, size);
    sha256d(hash, file.data, file.len);
    buffer_put(&file, hash, sizeof(hash));
    return file;
}

static void check_peers(const uint8_t *data, size_t size)
{
    struct addrman *a = addrman_new(&(struct addrman_options){.seed = {1}});
    struct addrman *b = addrman_new(&(struct addrman_options){.seed = {2}});
    struct buffer file = signed_file(data, size), again = {0};
    struct error e;
    if (addrman_read(a, MAGIC, buffer_span(&file), &e) == RESULT_OK) {
        addrman_write(a, MAGIC, &again);
        CHECK(addrman_read(b, MAGIC, buffer_span(&again), &e) == RESULT_OK);
        CHECK(addrman_size(a, NET_COUNT, ADDRMAN_NEW) == addrman_size(b, NET_COUNT, ADDRMAN_NEW));
        CHECK(addrman_size(a, NET_COUNT, ADDRMAN_TRIED) == addrman_size(b, NET_COUNT, ADDRMAN_TRIED));
        struct peer_addr chosen, *list;
        int64_t now_s = 1700000000, last_try_s;
        if (addrman_select(a, false, 0, now_s, &chosen, &last_try_s)) {
            addrman_attempt(a, &chosen.at, true, now_s);
            addrman_good(a, &chosen.at, now_s);
            addrman_resolve_collisions(a, now_s + 5 * 3600);
        }
        size_t count = addrman_get_addr(a, 10, 0, NET_COUNT, true, now_s, &list);
        for (size_t i = 0; i < count; i++) addrman_add(a, &list[i], 1, &list[0].at.addr, 0, now_s);
        free(list);
        CHECK(addrman_check(a) == 0);
    } else {
        CHECK(addrman_size(a, NET_COUNT, ADDRMAN_BOTH) == 0);
    }
    buffer_clear(&file);
    buffer_clear(&again);
    addrman_free(a);
    addrman_free(b);
}

static void check_anchors(const uint8_t *data, size_t size)
{
    struct peer_addr addrs[4], copies[4];
    struct buffer file = signed_file(data, size), again = {0};
    size_t count, copied;
    struct error e;
    if (anchors_read(addrs, 4, &count, MAGIC, buffer_span(&file), &e) == RESULT_OK) {
        anchors_write(addrs, count, MAGIC, &again);
        CHECK(anchors_read(copies, 4, &copied, MAGIC, buffer_span(&again), &e) == RESULT_OK && copied == count);
        for (size_t i = 0; i < count; i++) CHECK(endpoint_equal(&addrs[i].at, &copies[i].at));
    }
    buffer_clear(&file);
    buffer_clear(&again);
}

static void check_bans(const uint8_t *data, size_t size)
{
    struct random r;
    struct bans a, b;
    random_init_u64(&r, 1);
    bans_init(&a, BANS_DEFAULT_S, &r);
    bans_init(&b, BANS_DEFAULT_S, &r);
    struct buffer text = {0};
    struct error e;
    if (bans_read(&a, span_of(data, size), true, NULL, &e) == RESULT_OK) {
        bans_write(&a, &text);
        CHECK(bans_read(&b, buffer_span(&text), true, NULL, &e) == RESULT_OK && a.count == b.count);
        for (size_t i = 0; i < a.count; i++) CHECK(subnet_equal(&a.items[i].subnet, &b.items[i].subnet));
        bans_sweep(&a, 1700000000);
    }
    buffer_clear(&text);
    bans_clear(&a);
    bans_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (data[0] % 3 == 0)
        check_peers(data + 1, size - 1);
    else if (data[0] % 3 == 1)
        check_anchors(data + 1, size - 1);
    else
        check_bans(data + 1, size - 1);
    return 0;
}
