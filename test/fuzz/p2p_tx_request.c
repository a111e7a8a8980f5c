/* Announcements, requests, answers, departures and clocks in any order, for the tracker of requests: invariants hold
 * after each; a peer is asked only for what it announced, at its time, and never for what another has under way. */
#include <stdlib.h>

#include "base/check.h"
#include "base/reader.h"
#include "p2p/tx_request.h"

enum { PEERS = 5, HASHES = 16, CHECK_EACH = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tx_request next_request(struct reader *in)
{
    uint8_t b = read_u8(in);
    return (struct tx_request){.hash = {b % HASHES}, .peer = b / HASHES % PEERS, .by_wtxid = b >> 7};
}

/* Asks for some of what is due; nothing that was asked is due again. */
static void ask(struct tx_requests *t, peer_id peer, int64_t now, uint8_t how)
{
    struct tx_request_list expired, due = tx_requests_due(t, peer, now, &expired);
    size_t before = tx_requests_in_flight(t, peer);
    CHECK(due.count <= tx_requests_candidates(t, peer));
    for (size_t i = 0; i < due.count && i < how % 8; i++) {
        CHECK(due.items[i].peer == peer);
        tx_requests_sent(t, peer, due.items[i].hash, now + 1 + how / 8);
        CHECK(tx_requests_in_flight(t, peer) == before + i + 1);
    }
    size_t left = due.count - (due.count < how % 8 ? due.count : how % 8);
    due = tx_requests_due(t, peer, now, &expired);
    CHECK(due.count == left && expired.count == 0);
}

static void step(struct tx_requests *t, struct reader *in, int64_t *now)
{
    uint8_t what = read_u8(in);
    struct tx_request r = next_request(in);
    switch (what % 8) {
    case 0: tx_requests_peer_gone(t, r.peer); break;
    case 1: tx_requests_forget(t, r.hash); break;
    case 2: tx_requests_answered(t, r.peer, r.hash); break;
    case 3: tx_requests_sent(t, r.peer, r.hash, *now + what / 8); break;
    case 4: *now += what / 8 - (what >= 240 ? 60 : 0); break;
    case 5: ask(t, r.peer, *now, what); break;
    default: tx_requests_announce(t, &r, what & 8, *now + what / 16);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of((struct span){data, size});
    struct tx_requests *t = tx_requests_new((uint64_t[2]){1, 2});
    int64_t now = 1000;
    for (size_t i = 0; reader_left(&in) >= 2; i++) {
        step(t, &in, &now);
        if (i % CHECK_EACH == 0) tx_requests_check(t);
    }
    tx_requests_check(t);
    for (peer_id peer = 0; peer < PEERS; peer++) tx_requests_peer_gone(t, peer);
    CHECK(tx_requests_total(t) == 0);
    tx_requests_free(t);
    return 0;
}
