/* cairn-miner: what it prints, the choice of the kernel, and -benchmark. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/miner.h"

enum { US_A_S = 1000000, SILENCE_S = 60, TRIAL_NONCES = 1 << 13, TRIALS = 4, SLICES = 200, SLICE_NONCES = 20000 };

void miner_put_rate(struct buffer *out, double hashes_a_second)
{
    static const char *const units[] = {"H/s", "kH/s", "MH/s", "GH/s", "TH/s"};
    size_t i = 0;
    for (; hashes_a_second >= 1000 && i + 1 < ARRAY_LEN(units); i++) hashes_a_second /= 1000;
    buffer_printf(out, i ? "%.2f %s" : "%.0f %s", hashes_a_second, units[i]);
}

void miner_put_duration(struct buffer *out, double seconds)
{
    static const struct {
        double s;
        const char *name;
    } units[] = {{31557600, "years"}, {86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(units) && seconds < 2 * units[i].s) i++;
    double v = seconds / units[i].s;
    buffer_printf(out, v >= 1e6 ? "%.1e %s" : v >= 100 ? "%.0f %s" : "%.1f %s", v, units[i].name);
}

static void clear_live_line(struct miner *m)
{
    if (m->live_line) fputs("\r\x1b[K", stdout);
    m->live_line = false;
}

void miner_say(struct miner *m, const char *format, ...)
{
    clear_live_line(m);
    bool error = !strncmp(format, "error: ", 7);
    FILE *to = error ? stderr : stdout;
    va_list values;
    va_start(values, format);
    vfprintf(to, format, values);
    va_end(values);
    fputc('\n', to);
    fflush(to);
}

void miner_show_status(struct miner *m)
{
    int64_t now_us = miner_now_us(), passed_us = now_us - m->shown_us;
    if (passed_us < (int64_t)(m->terminal ? 1 : SILENCE_S) * US_A_S) return;
    uint64_t hashes = atomic_load(&m->hashes);
    double rate = (double)(hashes - m->shown_hashes) * US_A_S / (double)passed_us;
    m->rate = m->rate > 0 && m->terminal ? 0.8 * m->rate + 0.2 * rate : rate;
    m->shown_us = now_us;
    m->shown_hashes = hashes;
    if (!m->task) return; /* only this thread writes it */
    struct buffer line = {0};
    miner_put_rate(&line, m->rate);
    buffer_printf(&line, ", height %d, a block every ", m->task->plan.t.height);
    miner_put_duration(&line, m->rate > 0 ? mine_expected_hashes(&m->task->plan.t.target) / m->rate : 0);
    buffer_printf(&line, ", found %llu", (unsigned long long)m->found);
    if (m->rejected) buffer_printf(&line, ", rejected %llu", (unsigned long long)m->rejected);
    if (m->terminal) {
        printf("\r\x1b[K%s", buffer_text(&line));
        fflush(stdout);
        m->live_line = true;
    } else {
        miner_say(m, "%s", buffer_text(&line));
    }
    buffer_clear(&line);
}

/* Hashes a second over nonces none of which fits. */
static double measure(mine_scan_fn *scan, uint32_t first, uint64_t count)
{
    uint8_t header[80] = {1};
    struct mine_job job;
    uint32_t nonce;
    mine_job_init(&job, header, 0);
    int64_t start_us = miner_now_us();
    bool found = scan(&job, first, count, &nonce);
    int64_t us = miner_now_us() - start_us;
    if (found) us *= 2; /* one in 2^32: a slice that ended early is no good */
    return (double)count * US_A_S / (double)(us > 0 ? us : 1);
}

const struct mine_kernel *miner_choose_kernel(struct buffer *error)
{
    size_t count;
    const struct mine_kernel *kernels = mine_kernels(&count), *best = NULL;
    double best_rate = 0;
    for (size_t i = 0; i < count; i++) {
        if (!kernels[i].is_here()) continue;
        if (!mine_kernel_check(&kernels[i])) {
            fprintf(stderr, "Warning: kernel %s computes wrong hashes on this machine and is not used\n",
                    kernels[i].name);
            continue;
        }
        double rate = 0;
        for (uint32_t k = 0; k < TRIALS; k++) {
            double r = measure(kernels[i].scan, k * TRIAL_NONCES, TRIAL_NONCES);
            if (r > rate) rate = r;
        }
        if (rate > best_rate) best = &kernels[i];
        if (rate > best_rate) best_rate = rate;
    }
    if (!best) buffer_put_str(error, "no kernel computes right hashes on this machine");
    return best;
}

/* Slices of all take turns, and the best of each counts: what else the machine does falls on all of them. */
bool miner_benchmark(void)
{
    enum { MOST = 16 };
    size_t count;
    const struct mine_kernel *kernels = mine_kernels(&count);
    double best[MOST] = {0}, yardstick = 0;
    bool ok = true;
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        double r = measure(mine_scan_openssl, slice * SLICE_NONCES, SLICE_NONCES);
        if (r > yardstick) yardstick = r;
        for (size_t i = 0; i < count && i < MOST; i++) {
            if (!kernels[i].is_here()) continue;
            r = measure(kernels[i].scan, slice * SLICE_NONCES, SLICE_NONCES);
            if (r > best[i]) best[i] = r;
        }
    }
    printf("kernel   lanes  MH/s a thread  against OpenSSL\n");
    printf("%-8s %5d %14.2f %15.2f\n", "openssl", 1, yardstick / 1e6, 1.0);
    for (size_t i = 0; i < count && i < MOST; i++) {
        if (!kernels[i].is_here()) {
            printf("%-8s %5u %14s\n", kernels[i].name, kernels[i].lanes, "not here");
            continue;
        }
        bool right = mine_kernel_check(&kernels[i]);
        printf("%-8s %5u %14.2f %15.2f%s\n", kernels[i].name, kernels[i].lanes, best[i] / 1e6, best[i] / yardstick,
               right ? "" : "  WRONG HASHES");
        ok = ok && right;
    }
    return ok;
}
