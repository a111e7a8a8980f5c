/* The real miner: a process of cairn-miner for each block, which asks its node for work, hashes, and hands in what it
 * finds; the dice are its throttle. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "consensus/params.h"
#include "lab/live_internal.h"
#include "primitives/address.h"

enum { PATIENCE_S = 5, LOOK_EVERY_NS = 2000000, SAID = 2000 };

/* Whom the blocks of this node pay, as an address. */
static void address_of(struct buffer *out, uint32_t node)
{
    struct destination to = {.kind = DEST_WITNESS_V0_KEYHASH, .len = 20};
    struct buffer script = {0};
    lab_owner_script(&script, LAB_OWNER_MINERS + node);
    memcpy(to.program, script.data + 2, 20);
    address_encode(out, &to, &chain_params_get(CHAIN_REGTEST)->prefixes);
    buffer_clear(&script);
}

/* "accepted: block HEIGHT HASH", the whole line. */
static bool said_hash(const char *text, char hash[LIVE_HASH_TEXT])
{
    const char *line = strstr(text, "accepted: block ");
    int height, end = 0;
    if (!line || sscanf(line, "accepted: block %d %64[0-9a-f]%n", &height, hash, &end) != 2) return false;
    return strlen(hash) == LIVE_HASH_TEXT - 1 && line[end] == '\n';
}

static bool read_hash(const struct lab_live *l, const char *output, char hash[LIVE_HASH_TEXT])
{
    char text[SAID + 1];
    int fd = openat(l->guard.folder.fd, output, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, SAID) : -1;
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    text[n] = '\0';
    return said_hash(text, hash);
}

bool live_miner_find(struct lab_live *l, uint32_t node, char hash[LIVE_HASH_TEXT])
{
    struct live_member *m = &l->members[node];
    char datadir[PATH_MAX + LIVE_NAME + 16], output[LIVE_NAME + 16];
    struct buffer address = {0};
    struct error e;
    pid_t pid;
    if (m->rpc.silent) return false;
    buffer_put_str(&address, "-address=");
    address_of(&address, node);
    snprintf(datadir, sizeof(datadir), "-datadir=%s/%s", l->guard.folder.path, m->folder);
    snprintf(output, sizeof(output), "%s-miner.out", m->folder);
    const char *argv[] = {l->options.miner, datadir,       buffer_text(&address), "-blocks=1", "-threads=1",
                          "-kernel=c",      "-longpoll=0", "-retries=3",          NULL};
    unlinkat(l->guard.folder.fd, output, 0);
    bool found = false, started = live_guard_start(&l->guard, output, argv, &pid, &e) == RESULT_OK;
    int64_t end = live_now_us() + PATIENCE_S * INT64_C(1000000);
    while (started && !(found = read_hash(l, output, hash)) && live_now_us() < end && !live_loop_is_stopped(&l->loop))
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    if (started && !found) {
        kill(-pid, SIGKILL);
        m->rpc.silent = true; /* as after a call that ran out of time: until it answers again */
    }
    buffer_clear(&address);
    return found;
}
