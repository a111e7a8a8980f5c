/* Configuration files: sections, negations, options that are not known. A file that is refused says why. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "daemon/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_alloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    struct args a;
    struct buffer error = {0};
    args_init(&a, &options_daemon, NULL);
    bool ok = args_read_config_text(&a, "bitcoin.conf", text, &error);
    CHECK(ok || error.len > 0);
    error.len = 0;
    if (ok && args_select_chain(&a, &error)) {
        CHECK(args_chain(&a) != NULL);
        for (size_t i = 0; i < options_daemon.count; i++) {
            const struct option_row *row = &options_daemon.rows[i];
            size_t count = 0;
            if (row->kind == OPTION_LIST)
                free(args_list(&a, row->name, &count));
            else if (row->kind == OPTION_INT)
                (void)args_int_or(&a, row->name, 0);
            else if (row->kind == OPTION_BOOL)
                (void)args_bool_or(&a, row->name, false);
            else
                (void)args_string(&a, row->name);
        }
        args_unknown_sections(&a, &error);
    }
    args_clear(&a);
    buffer_clear(&error);
    free(text);
    return 0;
}
