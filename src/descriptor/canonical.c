/* A descriptor's text with its miniscript in the one way in which it is written: pk(K) for c:pk_k(K), and so on. */
#include <string.h>

#include "descriptor/key.h"
#include "descriptor/miniscript.h"

static void put_expression(struct buffer *out, struct span text, bool tapscript,
                           const struct address_prefixes *prefixes)
{
    char error[DESCRIPTOR_ERROR_TEXT] = "";
    struct descriptor_parser p = {.prefixes = prefixes, .error = error};
    struct arena arena = {0};
    const struct ms_node *n = ms_from_text(&p, text, tapscript, &arena);
    if (n)
        ms_text(out, n, true);
    else
        buffer_put_span(out, text);
    arena_clear(&arena);
}

/* What stands between NAME "(" and ")" as a whole. */
static bool is_call(struct span text, const char *name, struct span *arg)
{
    char function[DESCRIPTOR_NAME];
    return descriptor_function(text, function, arg) && strcmp(function, name) == 0;
}

/* "key,{leaf,{leaf,leaf}}": brackets stay, leaves are written anew. */
static void put_tree(struct buffer *out, struct span arg, const struct address_prefixes *prefixes)
{
    buffer_put_span(out, descriptor_take(&arg));
    while (arg.len) {
        uint8_t c = arg.data[0];
        if (c == '{' || c == '}' || c == ',') {
            buffer_put_u8(out, c);
            arg = span_from(arg, 1);
        } else {
            put_expression(out, descriptor_take(&arg), true, prefixes);
        }
    }
}

void descriptor_canonical(struct buffer *out, struct span body, const struct address_prefixes *prefixes)
{
    struct span arg, inner;
    if (is_call(body, "tr", &arg)) {
        buffer_put_str(out, "tr(");
        put_tree(out, arg, prefixes);
        buffer_put_u8(out, ')');
    } else if (is_call(body, "wsh", &arg)) {
        buffer_put_str(out, "wsh(");
        put_expression(out, arg, false, prefixes);
        buffer_put_u8(out, ')');
    } else if (is_call(body, "sh", &arg) && is_call(arg, "wsh", &inner)) {
        buffer_put_str(out, "sh(wsh(");
        put_expression(out, inner, false, prefixes);
        buffer_put_str(out, "))");
    } else {
        buffer_put_span(out, body);
    }
}
