/* Opcodes: hash functions. */
#include "crypto/ripemd160.h"
#include "script/interp.h"

enum script_error op_hash(struct interp *in, uint8_t opcode)
{
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    struct element *top = stack_at(in, 0);
    struct span data = element_span(top);
    uint8_t hash[32];
    uint32_t len = 20;
    switch (opcode) {
    case OP_RIPEMD160: ripemd160(hash, data.data, data.len); break;
    case OP_SHA1: sha1(hash, data.data, data.len); break;
    case OP_HASH160: hash160(hash, data.data, data.len); break;
    case OP_SHA256: sha256_once(hash, data.data, data.len), len = 32; break;
    case OP_HASH256: sha256d(hash, data.data, data.len), len = 32; break;
    default: CHECK(false);
    }
    top->data = NULL;
    top->len = len;
    memcpy(top->small, hash, len);
    return SCRIPT_ERR_OK;
}
