/* Taproot outputs: leaves, branches and the tweaked key (BIP341, BIP386). */
#include "descriptor/tree.h"

#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "script/script.h"

enum { TREE_DEPTH_MAX = 128, LEAF_VERSION = 0xc0 };

static void leaf_hash(uint8_t out[32], struct span script)
{
    struct sha256 h;
    struct buffer head = {0};
    buffer_put_u8(&head, LEAF_VERSION);
    buffer_put_compact_size(&head, script.len);
    tagged_hash_init(&h, "TapLeaf");
    sha256_put(&h, head.data, head.len);
    sha256_put(&h, script.data, script.len);
    sha256_final(&h, out);
    buffer_clear(&head);
}

static void branch_hash(uint8_t out[32], const uint8_t a[32], const uint8_t b[32])
{
    struct sha256 h;
    bool in_order = memcmp(a, b, 32) < 0;
    tagged_hash_init(&h, "TapBranch");
    sha256_put(&h, in_order ? a : b, 32);
    sha256_put(&h, in_order ? b : a, 32);
    sha256_final(&h, out);
}

static bool parse_leaf(struct descriptor_parser *p, struct span text, uint8_t hash[32])
{
    char name[DESCRIPTOR_NAME];
    struct span arg;
    struct buffer script = {0};
    bool good = false;
    if (!descriptor_function(text, name, &arg)) name[0] = '\0'; /* letters of miniscript may stand in front */
    if (strcmp(name, "pk") == 0) {
        struct descriptor_key key;
        good = descriptor_key_parse(p, arg, DESCRIPTOR_P2TR, &key);
        if (good) {
            script_put_push(&script, span_of(key.xonly, 32));
            buffer_put_u8(&script, OP_CHECKSIG);
            descriptor_print(p, "pk(");
            descriptor_print_key(p, &key, true);
            descriptor_print(p, ")");
        } else {
            descriptor_error_in(p, "pk()");
        }
    } else if (strcmp(name, "multi_a") == 0 || strcmp(name, "sortedmulti_a") == 0) {
        good = descriptor_multi_a(p, arg, name[0] == 's', &script);
    } else if (strcmp(name, "multi") == 0 || strcmp(name, "sortedmulti") == 0) {
        descriptor_error(p, "Can only have multi/sortedmulti at top level, in sh(), or in wsh()");
    } else {
        good = descriptor_miniscript(p, text, true, &script);
        if (!good && !*p->error)
            descriptor_error(p, "'%.*s' is not a valid descriptor function", (int)(text.len < 100 ? text.len : 100),
                             text.data ? (const char *)text.data : "");
    }
    if (good) leaf_hash(hash, buffer_span(&script));
    buffer_clear(&script);
    return good;
}

/* Takes one tree from the front of *TEXT; DEPTH bounds the recursion. */
static bool parse_tree(struct descriptor_parser *p, struct span *text, unsigned depth, uint8_t hash[32])
{
    uint8_t left[32], right[32];
    if (text->len == 0 || text->data[0] != '{') return parse_leaf(p, descriptor_take(text), hash);
    if (depth >= TREE_DEPTH_MAX) return descriptor_error(p, "tr() supports at most %d nesting levels", TREE_DEPTH_MAX);
    *text = span_from(*text, 1);
    descriptor_print(p, "{");
    if (!parse_tree(p, text, depth + 1, left)) return false;
    if (text->len == 0 || text->data[0] != ',')
        return descriptor_error(p, "tr(): expected ',' after script expression");
    *text = span_from(*text, 1);
    descriptor_print(p, ",");
    if (!parse_tree(p, text, depth + 1, right)) return false;
    if (text->len == 0 || text->data[0] != '}')
        return descriptor_error(p, "tr(): expected '}' after script expression");
    *text = span_from(*text, 1);
    descriptor_print(p, "}");
    branch_hash(hash, left, right);
    return true;
}

bool descriptor_tr(struct descriptor_parser *p, struct span arg, struct buffer *out)
{
    struct descriptor_key key;
    uint8_t root[32], tweak[32], output[32];
    int parity;
    struct sha256 h;

    if (!descriptor_key_parse(p, descriptor_take(&arg), DESCRIPTOR_P2TR, &key)) return descriptor_error_in(p, "tr()");
    tagged_hash_init(&h, "TapTweak");
    sha256_put(&h, key.xonly, 32);
    descriptor_print(p, "tr(");
    descriptor_print_key(p, &key, true);
    if (arg.len) {
        if (arg.data[0] != ',') return descriptor_error(p, "tr: expected ',', got '%c'", arg.data[0]);
        arg = span_from(arg, 1);
        descriptor_print(p, ",");
        if (!parse_tree(p, &arg, 0, root)) return false;
        if (arg.len) return descriptor_error(p, "tr(): expected ')' after script expression");
        sha256_put(&h, root, 32);
    }
    descriptor_print(p, ")");
    sha256_final(&h, tweak);
    if (!xonly_tweak_add(output, &parity, key.xonly, tweak)) return descriptor_error(p, "tr(): invalid key");
    buffer_put_u8(out, OP_1);
    script_put_push(out, span_of(output, 32));
    return true;
}
