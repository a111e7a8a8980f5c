/* From nothing to a network of processes with one chain, and back. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "lab/live_internal.h"

enum {
    PATIENCE_US = 90 * 1000000, /* for each step of the start */
    STEP_MS = 20,
    COINS_ATTACKER = 4,
    COINS_CUSTOMER = 4,
    COINS_PUBLIC = 12,
    COINS = COINS_ATTACKER + COINS_CUSTOMER + COINS_PUBLIC,
    COINBASE_SAT_MILLIONS = 5000,
    PORT_LOW = 20000, /* below what the system gives to connections */
    PORT_HIGH = 32000,
    PORT_TRIES = 100,
};

/* ---- who is there ---- */

static uint32_t add(struct lab_live *l, enum lab_role role, const char *name, unsigned number)
{
    struct live_member *m = &l->members[l->member_count];
    *m = (struct live_member){.role = role};
    if (number) {
        snprintf(m->name, sizeof(m->name), "%s %u", name, number);
        snprintf(m->folder, sizeof(m->folder), "%s-%u", name, number);
    } else {
        snprintf(m->name, sizeof(m->name), "%s", name);
        snprintf(m->folder, sizeof(m->folder), "%s", name);
    }
    return (uint32_t)l->member_count++;
}

static enum result add_all(struct lab_live *l, struct error *e)
{
    const struct lab_setup *s = &l->scenario.setup;
    size_t count = s->honest + s->watchers + 3;
    if (count > LIVE_PROCESSES)
        return error_set(e, RESULT_INVALID, "%zu nodes are more than the %d that are started as processes", count,
                         LIVE_PROCESSES);
    l->members = mem_calloc(count, sizeof(*l->members));
    for (unsigned i = 1; i <= s->honest; i++) add(l, LAB_ROLE_HONEST, "honest", i);
    for (unsigned i = 1; i <= s->watchers; i++) add(l, LAB_ROLE_WATCHER, "watcher", i);
    if (s->merchant) l->merchant = add(l, LAB_ROLE_MERCHANT, "merchant", 0);
    if (s->q_ppm) {
        l->outlet = add(l, LAB_ROLE_OUTLET, "outlet", 0);
        l->hideout = add(l, LAB_ROLE_HIDEOUT, "hideout", 0);
    }
    l->observer = l->merchant != LAB_NONE ? l->merchant : 0;
    l->eclipsed = s->eclipsed && l->merchant != LAB_NONE && l->hideout != LAB_NONE;
    l->names = mem_calloc(l->member_count, sizeof(*l->names));
    for (size_t i = 0; i < l->member_count; i++) l->names[i] = l->members[i].name;
    live_net_plan(l);
    return RESULT_OK;
}

/* ---- ports ---- */

static bool is_free(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool ok = bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return ok;
}

/* The first port that is taken; 0: none. */
static unsigned first_taken(unsigned base, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_free(base + (unsigned)i)) return base + (unsigned)i;
    return 0;
}

static enum result choose_ports(struct lab_live *l, struct error *e)
{
    unsigned base = l->options.port_base, taken = 0;
    size_t count = l->member_count * 2;
    struct random chance;
    if (base && base + count > UINT16_MAX)
        return error_set(e, RESULT_INVALID, "port %u leaves no room for %zu", base, count);
    random_init_u64(&chance, (uint64_t)live_now_us() ^ (uint64_t)getpid() << 32);
    for (int i = 0; i < PORT_TRIES && (i == 0 || !l->options.port_base); i++) {
        if (!l->options.port_base) base = PORT_LOW + (unsigned)random_below(&chance, PORT_HIGH - PORT_LOW);
        taken = first_taken(base, count);
        if (!taken) break;
    }
    if (taken) return error_set(e, RESULT_BUSY, "port %u of 127.0.0.1 is in use (--port-base chooses others)", taken);
    for (size_t i = 0; i < l->member_count; i++) {
        l->members[i].p2p_port = (uint16_t)(base + 2 * i);
        l->members[i].rpc_port = (uint16_t)(base + 2 * i + 1);
    }
    return RESULT_OK;
}

/* ---- processes ---- */

/* All options are in the node's file, so that cairn-cli and bitcoin-cli need to know the folder alone. */
static bool write_options(const struct lab_live *l, const struct live_member *m)
{
    const struct lab_setup *s = &l->scenario.setup;
    struct buffer text = {0};
    char name[LIVE_NAME * 2];
    buffer_put_str(&text, "regtest=1\n[regtest]\nconnect=0\ndnsseed=0\nfixedseeds=0\ndiscover=0\nlistenonion=0\n"
                          "printtoconsole=0\ndbcache=4\npar=1\nmaxconnections=40\npersistmempool=0\nnetworkactive=0\n");
    buffer_printf(&text, "rpcport=%u\n", m->rpc_port);
    if (m->role == LAB_ROLE_HIDEOUT)
        buffer_put_str(&text, "listen=0\n");
    else
        buffer_printf(&text, "listen=1\nbind=127.0.0.1:%u\n", m->p2p_port);
    buffer_printf(&text, "reorgalarm=%u\n", s->reorg_alarm);
    bool attacker = m->role == LAB_ROLE_HIDEOUT || m->role == LAB_ROLE_OUTLET;
    if (s->max_reorg && !attacker) buffer_printf(&text, "maxreorg=%u\n", s->max_reorg);
    snprintf(name, sizeof(name), "%s/bitcoin.conf", m->folder);
    int fd = openat(l->guard.folder.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
    if (fd >= 0) close(fd);
    buffer_clear(&text);
    return ok;
}

static enum result start_member(struct lab_live *l, struct live_member *m, struct error *e)
{
    char datadir[PATH_MAX + LIVE_NAME + 16], cookie[PATH_MAX], output[LIVE_NAME + 8];
    if (mkdirat(l->guard.folder.fd, m->folder, 0700) != 0 || !write_options(l, m))
        return error_set(e, RESULT_IO, "cannot write to %s: %s", l->guard.folder.path, strerror(errno));
    snprintf(datadir, sizeof(datadir), "-datadir=%s/%s", l->guard.folder.path, m->folder);
    int len = snprintf(cookie, sizeof(cookie), "%s/%s/regtest/.cookie", l->guard.folder.path, m->folder);
    if (len >= (int)sizeof(cookie))
        return error_set(e, RESULT_INVALID, "%s: the path is too long", l->guard.folder.path);
    snprintf(output, sizeof(output), "%s.out", m->folder);
    const char *argv[] = {l->cairnd, datadir, NULL};
    live_rpc_open(&m->rpc, &l->loop, m->rpc_port, cookie);
    return live_guard_start(&l->guard, output, argv, &m->pid, e);
}

/* The last words of a node that ended. */
static enum result ended(const struct lab_live *l, const struct live_member *m, struct error *e)
{
    char name[LIVE_NAME + 8], text[300] = "";
    snprintf(name, sizeof(name), "%s.out", m->folder);
    int fd = openat(l->guard.folder.fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *p = text; *p; p++)
        if (*p == '\n') *p = ' ';
    return error_set(e, RESULT_IO, "%s (%s) ended at its start: %s", m->name, l->cairnd, text);
}

static enum result wait_for(struct lab_live *l, bool (*holds)(struct lab_live *l, struct live_member *m),
                            const char *what, struct error *e)
{
    int64_t end = live_now_us() + PATIENCE_US;
    for (size_t i = 0; i < l->member_count;) {
        struct live_member *m = &l->members[i];
        if (live_loop_is_stopped(&l->loop)) return error_set(e, RESULT_STOPPED, "stopped");
        if (!live_guard_runs(&l->guard, m->pid)) return ended(l, m, e);
        if (live_now_us() > end) return error_set(e, RESULT_IO, "%s: waited in vain until %s", m->name, what);
        if (holds(l, m))
            i++;
        else if (!live_loop_run(&l->loop, STEP_MS))
            return error_set(e, RESULT_STOPPED, "stopped");
    }
    return RESULT_OK;
}

static bool answers(struct lab_live *l, struct live_member *m)
{
    (void)l;
    if (!m->rpc.answers) live_rpc_probe(&m->rpc);
    return m->rpc.answers > 0;
}

/* ---- the past ---- */

static enum result failed(const struct lab_live *l, const struct live_member *m, const char *what, struct error *e)
{
    if (live_loop_is_stopped(&l->loop)) return error_set(e, RESULT_STOPPED, "stopped");
    return error_set(e, RESULT_IO, "%s: %s failed: %s", m->name, what, m->rpc.error);
}

/* The coin of a block's coinbase. */
static enum result take_coin(struct lab_live *l, const char *hash, uint32_t owner, struct error *e)
{
    struct live_member *m = &l->members[0];
    json_t *block = live_rpc_call(&m->rpc, "getblock", "\"%s\",1", hash);
    const char *txid = json_string_value(json_array_get(json_object_get(block, "tx"), 0));
    struct outpoint at = {.index = 0};
    bool ok = txid && hex_decode_reversed(at.txid.bytes, 32, txid);
    if (ok) lab_wallet_add(&l->wallet, &at, COINBASE_SAT_MILLIONS * INT64_C(1000000), owner);
    json_decref(block);
    return ok ? RESULT_OK : failed(l, m, "getblock", e);
}

/* COUNT blocks whose rewards OWNER gets; with coins where these can be spent when all is made. */
static enum result make_blocks(struct lab_live *l, uint32_t owner, int count, bool coins, struct error *e)
{
    struct live_member *m = &l->members[0];
    struct buffer script = {0}, hex = {0};
    lab_owner_script(&script, owner);
    hex_append(&hex, buffer_span(&script));
    json_t *hashes = live_rpc_call(&m->rpc, "generatetodescriptor", "%d,\"raw(%s)\"", count, buffer_text(&hex));
    enum result r = json_array_size(hashes) == (size_t)count ? RESULT_OK : failed(l, m, "generatetodescriptor", e);
    for (int i = 0; coins && r == RESULT_OK && i < count; i++)
        r = take_coin(l, json_string_value(json_array_get(hashes, (size_t)i)), owner, e);
    json_decref(hashes);
    buffer_clear(&hex);
    buffer_clear(&script);
    return r;
}

static enum result copy_chain(struct lab_live *l, struct error *e)
{
    for (int height = 1; height <= LIVE_PREMINED; height++) {
        struct live_rpc *from = &l->members[0].rpc;
        json_t *hash = live_rpc_call(from, "getblockhash", "%d", height);
        json_t *raw = hash ? live_rpc_call(from, "getblock", "\"%s\",0", json_string_value(hash)) : NULL;
        enum result r = raw ? RESULT_OK : failed(l, &l->members[0], "getblock", e);
        for (size_t i = 1; i < l->member_count && r == RESULT_OK; i++) {
            json_t *answer = live_rpc_call(&l->members[i].rpc, "submitblock", "\"%s\"", json_string_value(raw));
            if (!json_is_null(answer)) r = failed(l, &l->members[i], "submitblock", e);
            json_decref(answer);
        }
        json_decref(raw);
        json_decref(hash);
        if (r != RESULT_OK) return r;
    }
    return RESULT_OK;
}

static enum result make_past(struct lab_live *l, struct error *e)
{
    enum result r = make_blocks(l, LAB_OWNER_ATTACKER, COINS_ATTACKER, true, e);
    if (r == RESULT_OK) r = make_blocks(l, LAB_OWNER_CUSTOMER, COINS_CUSTOMER, true, e);
    if (r == RESULT_OK) r = make_blocks(l, LAB_OWNER_PUBLIC, COINS_PUBLIC, true, e);
    if (r == RESULT_OK) r = make_blocks(l, LAB_OWNER_MINERS, LIVE_PREMINED - COINS, false, e);
    if (r == RESULT_OK) r = copy_chain(l, e);
    if (r != RESULT_OK) return r;
    json_t *hash = live_rpc_call(&l->members[0].rpc, "getbestblockhash", "%s", "");
    const char *text = json_string_value(hash);
    if (text && strlen(text) == LIVE_HASH_TEXT - 1) {
        struct live_block first = {.parent = LAB_NONE, .height = LIVE_PREMINED, .at_hideout = true, .at_outlet = true};
        memcpy(first.hash, text, LIVE_HASH_TEXT);
        l->blocks = mem_grow(l->blocks, &l->block_cap, 1, sizeof(*l->blocks));
        l->blocks[l->block_count++] = first;
        for (size_t i = 0; i < l->member_count; i++) live_rpc_set_best(&l->members[i].rpc, text);
    }
    json_decref(hash);
    return l->block_count ? RESULT_OK : failed(l, &l->members[0], "getbestblockhash", e);
}

/* Has the connections that it should have, both handshakes over. */
static bool is_connected(struct lab_live *l, struct live_member *m)
{
    uint32_t self = (uint32_t)(m - l->members);
    size_t want = 0, have = 0, i;
    json_t *peer;
    for (i = 0; i < l->link_count; i++) want += l->links[i].up && (l->links[i].from == self || l->links[i].to == self);
    json_t *peers = live_rpc_call(&m->rpc, "getpeerinfo", "%s", "");
    json_array_foreach(peers, i, peer) have += json_integer_value(json_object_get(peer, "version")) != 0;
    json_decref(peers);
    return have >= want;
}

enum result live_start(struct lab_live *l, struct error *e)
{
    l->merchant = l->outlet = l->hideout = l->invalidated = LAB_NONE;
    l->attack.order = SIZE_MAX;
    enum result r = live_guard_open(&l->guard, l->parent, e);
    if (r != RESULT_OK) return r;
    r = add_all(l, e);
    if (r == RESULT_OK) r = choose_ports(l, e);
    for (size_t i = 0; r == RESULT_OK && i < l->member_count; i++) r = start_member(l, &l->members[i], e);
    if (r == RESULT_OK) r = wait_for(l, answers, "it answers", e);
    if (r == RESULT_OK) r = make_past(l, e);
    if (r != RESULT_OK) return r;
    for (size_t i = 0; i < l->member_count; i++) /* not before: somebody's old node may still dial our port */
        if (!live_rpc_do(&l->members[i].rpc, "setnetworkactive", "true"))
            return failed(l, &l->members[i], "setnetworkactive", e);
    live_net_apply(l);
    return wait_for(l, is_connected, "it is connected", e);
}

void live_stop(struct lab_live *l)
{
    for (size_t i = 0; i < l->member_count; i++) live_rpc_close(&l->members[i].rpc);
    live_guard_close(&l->guard);
    for (size_t i = 0; i < l->block_count; i++) free(l->blocks[i].txids);
    free(l->blocks);
    free(l->members);
    free(l->names);
    free(l->links);
    free(l->orders);
    free(l->missing);
    lab_wallet_clear(&l->wallet);
}

void lab_live_describe(const struct lab_live *l, struct buffer *out)
{
    const char *folder = l->guard.folder.path;
    buffer_printf(out, "%zu nodes in %s, which goes when this program ends:\n", l->member_count, folder);
    for (size_t i = 0; i < l->member_count; i++) {
        const struct live_member *m = &l->members[i];
        if (m->role == LAB_ROLE_HIDEOUT)
            buffer_printf(out, "%-10s no connections     RPC 127.0.0.1:%u", m->name, m->rpc_port);
        else
            buffer_printf(out, "%-10s P2P 127.0.0.1:%-5u RPC 127.0.0.1:%u", m->name, m->p2p_port, m->rpc_port);
        buffer_printf(out, "   cairn-cli -datadir=%s/%s getchaintips\n", folder, m->folder);
    }
    const struct live_member *first = &l->members[0];
    buffer_printf(out,
                  "The password for a JSON-RPC program is in DATADIR/regtest/.cookie, such as %s/%s/regtest/.cookie\n"
                  "A Bitcoin Core of your own joins (and bitcoin-cli -datadir=... speaks to our nodes, too):\n"
                  "    mkdir core && bitcoind -regtest -datadir=core -listen=0 -connect=127.0.0.1:%u\n",
                  folder, first->folder, first->p2p_port);
}
