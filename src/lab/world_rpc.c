/* JSON-RPC of the nodes of a world: the server of cairnd on each of them, without HTTP. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "lab/world_internal.h"
#include "rpc/server.h"

enum { STATUS_BUSY = 503, SLICES = 100000 };

struct answer {
    bool came;
    int status;
    struct buffer body;
};

static void on_reply(void *ctx, int status, struct buffer *body_taken)
{
    struct answer *a = ctx;
    a->came = true;
    a->status = status;
    a->body = *body_taken;
    *body_taken = (struct buffer){0};
}

static struct rpc_server *server_of(struct lab_world *w, struct lab_member *m)
{
    if (m->rpc) return m->rpc;
    struct rpc_config config = {.node = m->sim->node,
                                .host = {.log_path = ""},
                                .prefixes = &w->sim->params.prefixes,
                                .start_us = SIM_WALL_START_US};
    m->rpc = rpc_server_new(&config);
    rpc_server_warmed_up(m->rpc);
    return m->rpc;
}

int lab_world_rpc(struct lab_world *w, uint32_t node, struct span request, struct buffer *out)
{
    if (node >= w->member_count || !w->members[node].sim->node) return STATUS_BUSY;
    struct lab_member *m = &w->members[node];
    struct rpc_server *server = server_of(w, m);
    struct answer *a = mem_calloc(1, sizeof(*a));
    int64_t now = sim_node_wall_us(m->sim);
    sim_node_set_clock(m->sim);
    rpc_server_handle(server, now, "", request, (struct rpc_sink){.reply = on_reply, .ctx = a});
    for (unsigned i = 0; !a->came && i < SLICES && rpc_server_tick(server, now); i++) continue;
    int status = STATUS_BUSY;
    if (a->came) {
        status = a->status;
        buffer_put_span(out, buffer_span(&a->body));
    } else { /* it waits for what may never come: its answer goes nowhere */
        rpc_server_free(server);
        m->rpc = NULL;
    }
    buffer_clear(&a->body);
    free(a);
    sim_node_pump(m->sim);
    return status;
}

json_t *lab_call(struct lab_world *w, uint32_t node, char *why, size_t why_size, const char *method, const char *format,
                 ...)
{
    json_error_t error;
    va_list args;
    va_start(args, format);
    json_t *params = json_vpack_ex(&error, 0, format, args), *result = NULL;
    va_end(args);
    json_t *request = json_pack("{s:s, s:i, s:o}", "method", method, "id", 1, "params", params);
    char *text = json_dumps(request, JSON_COMPACT);
    struct buffer reply = {0};
    lab_world_rpc(w, node, span_str(text), &reply);
    json_t *root = json_loadb((const char *)reply.data, reply.len, 0, &error);
    const char *message = json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    if (why) snprintf(why, why_size, "%s", message ? message : "");
    if (root && !message) result = json_incref(json_object_get(root, "result"));
    json_decref(root);
    json_decref(request);
    free(text);
    buffer_clear(&reply);
    return result;
}

bool lab_send(struct lab_world *w, uint32_t node, const struct lab_tx *tx, char *why, size_t why_size)
{
    struct buffer hex = {0};
    hex_append(&hex, buffer_span(&tx->raw));
    buffer_put_u8(&hex, 0);
    json_t *result = lab_call(w, node, why, why_size, "sendrawtransaction", "[s]", (const char *)hex.data);
    bool sent = result != NULL;
    json_decref(result);
    buffer_clear(&hex);
    return sent;
}
