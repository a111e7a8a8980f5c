/* The whole import of the synthetic chain (files, parsing, hashing, coins, scripts, LevelDB, undo data, flush) against
 * nothing but the libsecp256k1 verifications that it contains, in the same run, on one and on two threads.
 *
 *   bench_import [ROUNDS [BLOCK_FILE.dat CHAIN]]
 *
 * Prints medians; CPU seconds of the process over the floor, and wall seconds over the floor. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/import.h"
#include "sig_record.h"
#include "store/store.h"
#include "support/data.h"

enum { ROUNDS_DEFAULT = 5, ROUNDS_MAX = 99, CACHE_BYTES = 450 << 20 };

struct bytes_source {
    struct span bytes;
};

static enum result bytes_read(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    (void)e;
    struct span s = span_from(((struct bytes_source *)ctx)->bytes, (size_t)offset);
    *got = s.len < len ? s.len : len;
    if (*got) memcpy(out, s.data, *got);
    return RESULT_OK;
}

static double wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

struct run {
    double wall, cpu;
    uint64_t blocks, inputs;
};

struct place {
    char dir[64];
    struct chain_ports ports;
};

static void open_place(struct place *p, unsigned threads)
{
    struct error e;
    char path[128];
    uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    strcpy(p->dir, "/tmp/cairn-bench-XXXXXX");
    CHECK(mkdtemp(p->dir));
    memset(&p->ports, 0, sizeof(p->ports));
    snprintf(path, sizeof(path), "%s/index", p->dir);
    CHECK(!leveldb_store_open(&p->ports.index, path, 2 << 20, false, NULL, &e));
    snprintf(path, sizeof(path), "%s/coins", p->dir);
    CHECK(!leveldb_store_open(&p->ports.coins, path, 8 << 20, false, NULL, &e));
    CHECK(!flat_files_open(&p->ports.files, p->dir, key, false, NULL, &e));
    thread_pool_open(&p->ports.workers, threads);
}

static void close_place(struct place *p)
{
    char command[128];
    thread_pool_close(&p->ports.workers);
    leveldb_store_close(&p->ports.index);
    leveldb_store_close(&p->ports.coins);
    flat_files_close(&p->ports.files);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    CHECK(system(command) == 0);
}

static struct run import_once(struct span bytes, enum chain_type type, unsigned threads)
{
    struct place place;
    struct error e;
    struct node *node;
    struct run r = {.wall = -wall_ms(), .cpu = -cpu_ms()};
    open_place(&place, threads);
    struct node_options options = {.params = *chain_params_get(type), .chain = {.cache_bytes = CACHE_BYTES}};
    options.chain.max_file_bytes = 128 << 20;
    CHECK(!node_open(&node, &options, &place.ports, (int64_t)time(NULL) * 1000000, NULL, &e));
    struct bytes_source source = {bytes};
    struct import *import = import_new(node);
    import_add(import, &(struct import_source){bytes_read, NULL, &source, bytes.len, -1, "memory"});
    for (bool done = false; !done;) CHECK(!import_step(import, &done, &e));
    import_free(import);
    r.blocks = node->chain->blocks_connected;
    r.inputs = node->chain->inputs_connected;
    CHECK(!node_close(node, &e));
    close_place(&place);
    r.wall += wall_ms();
    r.cpu += cpu_ms();
    return r;
}

/* Every signature check of the chain: connects it with assumed scripts and runs them on the side, recording. */
static void record_chain(struct recorder *rec, struct span bytes, enum chain_type type)
{
    struct chain_ports ports = {0};
    struct chain *chain;
    struct error e;
    memory_store_open(&ports.index, NULL);
    memory_store_open(&ports.coins, NULL);
    memory_files_open(&ports.files, NULL);
    struct chain_options options = {.cache_bytes = CACHE_BYTES, .max_file_bytes = 128 << 20};
    const struct chain_params *params = chain_params_get(type);
    CHECK(!chain_open(&chain, params, &options, &ports, (int64_t)time(NULL), NULL, &e));
    struct sig_verifier verifier = {record_ecdsa, record_schnorr, rec};
    for (size_t at = 0; at + 8 < bytes.len;) {
        uint32_t len = get_le32(bytes.data + at + 4);
        struct block *b = block_parse(span_of(bytes.data + at + 8, len));
        struct block_node *node;
        struct verdict v = {0};
        struct notice notice;
        bool is_new;
        at += 8 + len;
        CHECK(b && !chain_accept_block(chain, b, (int64_t)time(NULL), ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e));
        for (;;) {
            CHECK(!chain_step(chain, (int64_t)time(NULL), b, &notice, &e));
            if (notice.kind == NOTICE_NONE) break;
            unsigned flags = block_script_flags(notice.node->header.height, &b->hash, params);
            struct tx_out *outs = mem_calloc(notice.undo.count, sizeof(*outs));
            for (size_t i = 0; i < notice.undo.count; i++)
                outs[i] = (struct tx_out){notice.undo.coins[i].value, notice.undo.coins[i].script_pubkey};
            size_t first = 0;
            for (size_t t = 1; t < notice.block->tx_count; t++) {
                struct script_tx s;
                script_tx_init(&s, &notice.block->txs[t], outs + first);
                for (size_t i = 0; i < s.tx->in_count; i++) CHECK(!script_verify_input(&s, i, flags, &verifier));
                first += s.tx->in_count;
            }
            free(outs);
            notice_clear(&notice);
        }
        block_free(b);
    }
    chain_free(chain);
    memory_store_close(&ports.index);
    memory_store_close(&ports.coins);
    memory_files_close(&ports.files);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return values[count / 2];
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS_DEFAULT;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = ROUNDS_DEFAULT;
    if (argc <= 2 && !data_present(CAIRN_TEST_DATA, "bench_import")) return 0;
    struct buffer file = data_read(CAIRN_TEST_DATA, argc > 2 ? argv[2] : "chains/regtest-mixed-220.dat.zst");
    const struct chain_params *params = chain_params_find(argc > 3 ? argv[3] : "regtest");
    CHECK(params);
    struct recorder rec = {0};
    record_chain(&rec, buffer_span(&file), params->type);
    double floor[ROUNDS_MAX], cpu[2][ROUNDS_MAX], wall[2][ROUNDS_MAX];
    struct run last = {0};
    for (int i = 0; i < rounds; i++) {
        floor[i] = run_signatures(&rec);
        for (unsigned threads = 1; threads <= 2; threads++) {
            last = import_once(buffer_span(&file), params->type, threads);
            cpu[threads - 1][i] = last.cpu;
            wall[threads - 1][i] = last.wall;
        }
    }
    double base = median(floor, rounds);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("chain: %llu blocks, %llu inputs, %zu signature checks, %.1f MB\n", (unsigned long long)last.blocks,
           (unsigned long long)last.inputs, rec.count, (double)file.len / 1e6);
    printf("floor: %.1f ms CPU for the signature checks alone (median of %d)\n", base, rounds);
    for (int t = 0; t < 2; t++) {
        double c = median(cpu[t], rounds), w = median(wall[t], rounds);
        printf("import, %d thread%s: CPU %.1f ms = %.3f of the floor; wall %.1f ms = %.3f of the floor; %.0f blocks/s, "
               "%.0f inputs/s\n",
               t + 1, t ? "s" : "", c, c / base, w, w / base, (double)last.blocks / w * 1e3,
               (double)last.inputs / w * 1e3);
    }
    printf("peak memory of the whole benchmark: %ld KiB\n", usage.ru_maxrss);
    free(rec.triples);
    buffer_clear(&file);
    return 0;
}
