/* Text forms of hashes. */
#include <criterion/criterion.h>

#include "primitives/hash.h"

static const char genesis[] = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

Test(hash, text_is_the_bytes_reversed)
{
    struct block_hash h;
    struct txid id;
    char text[HASH_TEXT];
    cr_assert(block_hash_parse(&h, genesis));
    cr_assert_eq(h.bytes[0], 0x6f);
    cr_assert_eq(h.bytes[31], 0);
    cr_assert_str_eq(block_hash_text(text, &h), genesis);
    cr_assert(txid_parse(&id, genesis));
    cr_assert_str_eq(txid_text(text, &id), genesis);
    struct wtxid w;
    memcpy(w.bytes, id.bytes, 32);
    cr_assert_str_eq(wtxid_text(text, &w), genesis);
}

Test(hash, refuses_what_is_not_64_digits)
{
    struct txid id;
    cr_assert(!txid_parse(&id, ""));
    cr_assert(!txid_parse(&id, "00"));
    cr_assert(!txid_parse(&id, genesis + 1));
    cr_assert(!txid_parse(&id, "0x0000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"));
    cr_assert(!txid_parse(&id, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f0"));
}

Test(hash, null_and_equal)
{
    struct txid a = {{0}}, b = {{0}};
    cr_assert(hash_is_null(a.bytes));
    cr_assert(txid_equal(&a, &b));
    b.bytes[31] = 1;
    cr_assert(!hash_is_null(b.bytes));
    cr_assert(!txid_equal(&a, &b));
}
