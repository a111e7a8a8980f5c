/* Finding option rows and the titles of their groups. */
#include "daemon/options.h"

#include <string.h>

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_GENERAL] = "Options",
    [GROUP_CONNECTION] = "Connection options",
    [GROUP_ZMQ] = "ZeroMQ notification options",
    [GROUP_DEBUG] = "Debugging/Testing options",
    [GROUP_CHAIN] = "Chain selection options",
    [GROUP_RELAY] = "Node relay options",
    [GROUP_MINING] = "Block creation options",
    [GROUP_RPC] = "RPC server options",
    [GROUP_COMMANDS] = "CLI Commands",
};

const struct option_row *option_find(const struct option_table *table, const char *name)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, table->rows[middle].name);
        if (order == 0) return &table->rows[middle];
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

bool option_is_shown(const struct option_row *row, bool debug)
{
    if (row->flags & (OPTION_HIDDEN | OPTION_RESERVED)) return false;
    return debug || !(row->flags & OPTION_DEBUG_ONLY);
}
