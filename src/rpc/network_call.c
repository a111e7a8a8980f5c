/* What handlers about the network share. */
#include "rpc/network_call.h"

#include <inttypes.h>
#include <stdio.h>

#include "rpc/help.h"

struct p2p *rpc_peers(struct rpc_call *call)
{
    if (!call->node->p2p)
        rpc_fail(call, RPC_CLIENT_P2P_DISABLED, "Error: Peer-to-peer functionality missing or disabled");
    return call->node->p2p;
}

void rpc_fail_help(struct rpc_call *call, int code)
{
    struct buffer help = {0};
    rpc_help_method(&help, call->method);
    rpc_fail(call, code, "%s", buffer_text(&help));
    buffer_clear(&help);
}

void rpc_put_services(struct json_writer *w, const char *name, const char *names, uint64_t services)
{
    char text[SERVICE_NAME + 1];
    snprintf(text, sizeof(text), "%016" PRIx64, services);
    jw_kv_str(w, name, text);
    jw_kv_array(w, names);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (services >> bit & 1) jw_str(w, service_name(text, bit));
    }
    jw_array_end(w);
}

bool rpc_uses_cjdns(const struct rpc_call *call)
{
    return call->node->p2p && p2p_local(call->node->p2p)->reachable >> NET_CJDNS & 1;
}
