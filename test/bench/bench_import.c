/* The whole import of a chain (reading files, parsing, hashing, coins, scripts, block files, undo data, LevelDB, the
 * last flush) against nothing but the libsecp256k1 verifications that it contains, in the same run, on one and on two
 * threads.
 *
 *   bench_import [ROUNDS]                        the synthetic chain of the test data
 *   bench_import ROUNDS FILE CHAIN               a block file of ours or of the test data
 *   bench_import ROUNDS --generate INPUTS        a regtest chain made now, see generated_chain.h
 *
 * Each import runs in a process of its own, so that its peak memory is its own. Printed are medians: of the
 * milliseconds, and of the ratios to the floor, which is measured before and after each import (their mean counts).
 *
 * Under real-time priority (chrt -f 50) other work disturbs less, but Linux takes 5 % of each second from such a
 * process: the second of rest before each import keeps a short one clear of it, the wall time of a long one has it. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "generated_chain.h"
#include "node/import.h"
#include "sig_record.h"
#include "store/store.h"
#include "support/data.h"

enum { ROUNDS_DEFAULT = 5, ROUNDS_MAX = 99, CACHE_BYTES = 450 << 20, THREADS_MAX = 2, PATH_ROOM = 128 };

static double wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* ---- one import ---- */

struct run {
    double wall, cpu; /* milliseconds, from node_open to node_close */
    double stores;    /* the same of the wall, for creating and closing empty stores: no part of the import */
    unsigned long long blocks, inputs;
    long peak_kib, sleeps;
};

struct place {
    char dir[64];
    struct chain_ports ports;
};

static void open_place(struct place *p, unsigned threads)
{
    struct error e;
    char path[PATH_ROOM];
    uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
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
    thread_pool_close(&p->ports.workers);
    leveldb_store_close(&p->ports.index);
    leveldb_store_close(&p->ports.coins);
    flat_files_close(&p->ports.files);
}

static enum result read_file(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    return block_file_read(ctx, offset, out, len, got, e);
}

static void close_file(void *ctx)
{
    block_file_close(ctx);
}

static struct run import_once(const char *file, const struct chain_params *params, unsigned threads)
{
    struct place place;
    struct error e;
    struct node *node;
    struct block_file *source;
    strcpy(place.dir, "/tmp/cairn-bench-XXXXXX");
    CHECK(mkdtemp(place.dir));
    double start = wall_ms();
    open_place(&place, threads);
    struct run r = {.wall = -wall_ms(), .cpu = -cpu_ms()};
    r.stores = -r.wall - start;
    struct node_options options = {.params = *params, .chain = {.cache_bytes = CACHE_BYTES}};
    options.chain.max_file_bytes = 128 << 20;
    CHECK(!node_open(&node, &options, &place.ports, (int64_t)time(NULL) * 1000000, NULL, &e));
    CHECK(!block_file_open(&source, file, &e));
    struct import *import = import_new(node);
    import_add(import, &(struct import_source){read_file, close_file, source, block_file_size(source), -1, file});
    for (bool done = false; !done;) CHECK(!import_step(import, &done, &e));
    import_free(import);
    r.blocks = node->chain->blocks_connected;
    r.inputs = node->chain->inputs_connected;
    CHECK(!node_close(node, &e));
    start = wall_ms();
    r.wall += start;
    r.cpu += cpu_ms();
    close_place(&place);
    r.stores += wall_ms() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    r.peak_kib = usage.ru_maxrss;
    r.sleeps = usage.ru_nvcsw;
    char command[PATH_ROOM];
    snprintf(command, sizeof(command), "rm -rf %s", place.dir);
    CHECK(system(command) == 0);
    return r;
}

/* The child's part: bench_import --once FILE CHAIN THREADS. */
static int run_child(char **argv)
{
    const struct chain_params *params = chain_params_find(argv[3]);
    CHECK(params);
    struct run r = import_once(argv[2], params, (unsigned)atoi(argv[4]));
    printf("%f %f %llu %llu %ld %ld %f\n", r.wall, r.cpu, r.blocks, r.inputs, r.peak_kib, r.sleeps, r.stores);
    return 0;
}

static struct run import_in_child(const char *program, const char *file, const char *chain, unsigned threads)
{
    char command[3 * PATH_ROOM];
    struct run r;
    if (sched_getscheduler(0) == SCHED_FIFO) sleep(1);
    snprintf(command, sizeof(command), "'%s' --once '%s' %s %u", program, file, chain, threads);
    FILE *pipe = popen(command, "r");
    CHECK(pipe);
    CHECK(fscanf(pipe, "%lf %lf %llu %llu %ld %ld %lf", &r.wall, &r.cpu, &r.blocks, &r.inputs, &r.peak_kib, &r.sleeps,
                 &r.stores) == 7);
    CHECK(pclose(pipe) == 0);
    return r;
}

/* ---- the floor ---- */

/* Every signature check of the block that was just connected, recorded. */
static void record_block(struct recorder *rec, const struct notice *notice, const struct chain_params *params)
{
    struct sig_verifier verifier = {record_ecdsa, record_schnorr, rec};
    unsigned flags = block_script_flags(notice->node->header.height, &notice->block->hash, params);
    struct tx_out *outs = mem_calloc(notice->undo.count, sizeof(*outs));
    for (size_t i = 0; i < notice->undo.count; i++)
        outs[i] = (struct tx_out){notice->undo.coins[i].value, notice->undo.coins[i].script_pubkey};
    size_t first = 0;
    for (size_t t = 1; t < notice->block->tx_count; t++) {
        struct script_tx s;
        script_tx_init(&s, &notice->block->txs[t], outs + first);
        for (size_t i = 0; i < s.tx->in_count; i++) CHECK(!script_verify_input(&s, i, flags, &verifier));
        first += s.tx->in_count;
    }
    free(outs);
}

static void record_chain(struct recorder *rec, struct span bytes, const struct chain_params *params)
{
    struct chain_ports ports = {0};
    struct chain *chain;
    struct error e;
    memory_store_open(&ports.index, NULL);
    memory_store_open(&ports.coins, NULL);
    memory_files_open(&ports.files, NULL);
    struct chain_options options = {.cache_bytes = CACHE_BYTES, .max_file_bytes = 128 << 20};
    CHECK(!chain_open(&chain, params, &options, &ports, (int64_t)time(NULL), NULL, &e));
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
            record_block(rec, &notice, params);
            notice_clear(&notice);
        }
        block_free(b);
    }
    chain_free(chain);
    memory_store_close(&ports.index);
    memory_store_close(&ports.coins);
    memory_files_close(&ports.files);
}

/* ---- rounds ---- */

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

struct series {
    double cpu[ROUNDS_MAX], wall[ROUNDS_MAX], cpu_ratio[ROUNDS_MAX], wall_ratio[ROUNDS_MAX];
    struct run last;
};

static void print_series(struct series *s, int rounds, unsigned threads)
{
    double wall = median(s->wall, rounds);
    printf("import, %u thread%s: CPU %.1f ms = %.3f of the floor; wall %.1f ms = %.3f of it; %.0f blocks/s, "
           "%.0f inputs/s; peak memory %.1f MiB; %ld sleeps\n",
           threads, threads > 1 ? "s" : "", median(s->cpu, rounds), median(s->cpu_ratio, rounds), wall,
           median(s->wall_ratio, rounds), (double)s->last.blocks / wall * 1e3, (double)s->last.inputs / wall * 1e3,
           (double)s->last.peak_kib / 1024, s->last.sleeps);
}

static void add_run(struct series *s, int i, const struct run *r, double floor)
{
    s->last = *r;
    s->cpu[i] = r->cpu;
    s->wall[i] = r->wall;
    s->cpu_ratio[i] = r->cpu / floor;
    s->wall_ratio[i] = r->wall / floor;
}

static void bench(const char *program, struct span bytes, const char *file, const char *chain, int rounds)
{
    struct recorder rec = {0};
    const struct chain_params *params = chain_params_find(chain);
    CHECK(params);
    record_chain(&rec, bytes, params);
    static struct series series[THREADS_MAX];
    double floors[ROUNDS_MAX], stores[ROUNDS_MAX], before = run_signatures(&rec);
    for (int i = 0; i < rounds; i++) {
        for (unsigned t = 0; t < THREADS_MAX; t++) {
            struct run r = import_in_child(program, file, chain, t + 1);
            double after = run_signatures(&rec);
            add_run(&series[t], i, &r, (before + after) / 2);
            floors[i] = before = after;
            stores[i] = r.stores;
        }
    }
    printf("chain: %llu blocks, %llu inputs, %zu signature checks, %.1f MB\n", series[0].last.blocks,
           series[0].last.inputs, rec.count, (double)bytes.len / 1e6);
    printf("floor: %.1f ms CPU for the signature checks alone (median of %d)\n", median(floors, rounds), rounds);
    printf("(creating and closing empty stores, not counted: %.1f ms)\n", median(stores, rounds));
    for (unsigned t = 0; t < THREADS_MAX; t++) print_series(&series[t], rounds, t + 1);
    free(rec.triples);
}

/* The generated chain with so many inputs as a file, for sync.py. */
static int write_chain(const char *path, size_t inputs)
{
    struct buffer bytes = {0};
    generate_chain(&bytes, inputs);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(bytes.data, 1, bytes.len, f) == bytes.len;
    ok = f && !fclose(f) && ok;
    buffer_clear(&bytes);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--once")) return run_child(argv);
    if (argc == 4 && !strcmp(argv[1], "--write")) return write_chain(argv[2], (size_t)atol(argv[3]));
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS_DEFAULT;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = ROUNDS_DEFAULT;
    bool generated = argc > 3 && !strcmp(argv[2], "--generate");
    if (argc <= 2 && !data_present(CAIRN_TEST_DATA, "bench_import")) return 0;
    struct buffer bytes = {0};
    if (generated)
        generate_chain(&bytes, (size_t)atol(argv[3]));
    else
        bytes = data_read(CAIRN_TEST_DATA, argc > 2 ? argv[2] : "chains/regtest-mixed-220.dat.zst");
    char file[] = "/tmp/cairn-bench-chain-XXXXXX";
    int fd = mkstemp(file);
    CHECK(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    close(fd);
    bench(argv[0], buffer_span(&bytes), file, !generated && argc > 3 ? argv[3] : "regtest", rounds);
    unlink(file);
    buffer_clear(&bytes);
    return 0;
}
