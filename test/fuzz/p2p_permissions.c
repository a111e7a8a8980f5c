/* Texts of -whitelist and -whitebind: what is refused comes with a reason, what is taken means something. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/permissions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(unsigned permissions)
{
    const char *names[PERMISSION_NAMES];
    size_t count = permission_names(permissions, names);
    CHECK(count <= PERMISSION_NAMES && !(permissions & ~((unsigned)PERM_ALL | (unsigned)PERM_IMPLICIT)));
    for (size_t i = 0; i < count; i++) CHECK(names[i][0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct permission_rule rule;
    struct endpoint at;
    unsigned permissions;
    struct buffer error = {0};
    char *text = mem_alloc(size + 1);
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    if (permission_rule_parse(&rule, text, &error)) {
        check_names(rule.permissions);
        CHECK(rule.subnet.valid && (rule.in || rule.out));
    } else {
        CHECK(error.len > 0);
    }
    buffer_clear(&error);
    if (permission_bind_parse(&at, &permissions, text, &error)) {
        check_names(permissions);
        CHECK(at.port != 0);
    } else {
        CHECK(error.len > 0);
    }
    buffer_clear(&error);
    free(text);
    return 0;
}
