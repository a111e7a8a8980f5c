/* tr(): the output key of an internal key and a tree of scripts (BIP386). Private to the room. */
#ifndef CAIRN_DESCRIPTOR_TREE_H
#define CAIRN_DESCRIPTOR_TREE_H

#include "descriptor/key.h"

/* "key" or "key,tree": appends the scriptPubKey. */
bool descriptor_tr(struct descriptor_parser *p, struct span arg, struct buffer *out);

#endif
