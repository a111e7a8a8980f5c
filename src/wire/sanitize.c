/* Text from strangers, made fit for logs and replies. */
#include "wire/sanitize.h"

static bool is_harmless(uint8_t c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || (c != 0 && strchr(" .,;-_/:?@()", c));
}

char *sanitize(char *out, size_t size, struct span text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 1 < size; i++)
        if (is_harmless(text.data[i])) out[len++] = (char)text.data[i];
    out[len] = '\0';
    return out;
}
