/* Settings: settings.json, what the log says about settings, and start-up in one call. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/args.h"
#include "daemon/datadir.h"

static void settings_value(struct args *a, const struct option_row *row, const struct arg_key *key, const json_t *value,
                           struct buffer *error)
{
    bool negated = key->negated || json_is_false(value);
    const char *text = json_is_string(value) ? json_string_value(value) : "1";
    char number[32];
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
    }
    if (json_is_null(value) || json_is_object(value)) return;
    if (!args_add(a, ARG_SETTINGS, "", row, negated, text, error)) error->len = 0;
}

static void settings_apply(struct args *a, json_t *root, struct buffer *error)
{
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        if (!strcmp(name, "_warning_")) continue;
        struct arg_key key = arg_key_parse(name);
        const struct option_row *row = option_find(a->table, key.name);
        if (!row) {
            log_warning(a->log, "Ignoring unknown rw_settings value %s", name);
            continue;
        }
        if (!json_is_array(value)) {
            settings_value(a, row, &key, value, error);
            continue;
        }
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item) settings_value(a, row, &key, item, error);
    }
}

bool args_read_settings(struct args *a, struct buffer *error)
{
    char *path = args_file(a, "settings");
    if (!path || access(path, F_OK) != 0) {
        free(path);
        return true;
    }
    struct buffer content = {0};
    json_t *root = NULL;
    bool read = file_read(path, &content);
    if (read)
        root = json_loadb((const char *)content.data, content.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root);
    if (ok) {
        settings_apply(a, root, error);
    } else {
        buffer_put_str(error, "Settings file could not be read:\n");
        if (!read) {
            buffer_printf(error, "- %s. Please check permissions.", path);
        } else if (root) {
            buffer_printf(error, "- Found non-object value in settings file %s", path);
        } else {
            buffer_printf(error,
                          "- Settings file %s does not contain valid JSON. This may be caused by a crash, power loss, "
                          "full disk, or storage error, and can be fixed by removing the file, which will reset "
                          "settings to default values.",
                          path);
        }
    }
    json_decref(root);
    buffer_clear(&content);
    free(path);
    return ok;
}

static void log_values(const struct args *a, const struct arg_entry *e, const char *what)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct arg_value *v = &e->values[i];
        struct buffer text = {0};
        if (e->row->flags & OPTION_SENSITIVE) {
            buffer_put_str(&text, "****");
        } else if (v->type == ARG_TEXT) {
            json_t *string = json_string(v->text);
            char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
            buffer_put_str(&text, quoted ? quoted : "(not UTF-8)");
            free(quoted);
            json_decref(string);
        } else {
            buffer_put_str(&text, v->type == ARG_TRUE ? "true" : "false");
        }
        const char *gap = *e->section ? " " : "";
        log_info(a->log, "%s %s%s%s%s%s=%s", what, *gap ? "[" : "", e->section, *gap ? "]" : "", gap, e->row->name,
                 buffer_text(&text));
        buffer_clear(&text);
    }
}

void args_log(const struct args *a)
{
    static const struct {
        enum arg_source source;
        const char *text;
    } kinds[] = {
        {ARG_CONFIG, "Config file arg:"},
        {ARG_SETTINGS, "Setting file arg:"},
        {ARG_COMMAND_LINE, "Command-line arg:"},
    };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < a->count; i++) {
            if (a->entries[i].source == kinds[k].source) log_values(a, &a->entries[i], kinds[k].text);
        }
    }
}

static bool same_file(const char *one, const char *other)
{
    struct stat a;
    struct stat b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Complains where the data directory holds a bitcoin.conf other than the one that was read. FIRST is the data directory
 * before the configuration was read. */
static bool check_ignored_config(struct args *a, const char *first, struct buffer *error)
{
    char *base = args_datadir(a);
    char *there = path_join(base, "bitcoin.conf");
    bool ok = true;
    if (access(there, F_OK) == 0 && !a->config_path) {
        log_info(a->log,
                 "Data directory \"%s\" contains a \"bitcoin.conf\" file which is explicitly ignored using -noconf.",
                 base);
    } else if (access(there, F_OK) == 0 && !same_file(a->config_path, there)) {
        struct buffer text = {0};
        bool given = args_entry(a, ARG_COMMAND_LINE, "", "conf") && *args_string(a, "conf");
        buffer_printf(&text,
                      "Data directory \"%s\" contains a \"bitcoin.conf\" file which is ignored, because a different "
                      "configuration file \"%s\" from %s \"%s%s\" is being used instead. Either delete or rename the "
                      "bitcoin.conf in the data directory, or set datadir= and conf= so that one file remains, which "
                      "can name others with includeconf=.",
                      base, a->config_path, given ? "command line argument" : "data directory", given ? "-conf=" : "",
                      given ? args_string(a, "conf") : first);
        ok = args_bool(a, "allowignoredconf");
        if (ok) {
            log_warning(a->log, "%s", buffer_text(&text));
        } else {
            buffer_put_span(error, buffer_span(&text));
            buffer_put_str(error, " With allowignoredconf=1 this is only a warning.");
        }
        buffer_clear(&text);
    }
    free(there);
    free(base);
    return ok;
}

/* Makes the directories, which are new where the data directory is. */
static bool make_directories(const struct args *a, struct buffer *error)
{
    char *base = args_datadir(a);
    char *chain = args_chain_dir(a);
    struct error e;
    bool ok = datadir_create(base, &e) == RESULT_OK && datadir_create(chain, &e) == RESULT_OK;
    if (!ok) buffer_put_str(error, e.text);
    free(chain);
    free(base);
    return ok;
}

bool args_load(struct args *a, struct buffer *error)
{
    char *first = args_datadir(a);
    if (!first) {
        buffer_printf(error, "Specified data directory \"%s\" does not exist.", args_string(a, "datadir"));
        return false;
    }
    bool ok = args_read_config_files(a, error);
    if (!ok) {
        struct buffer whole = {0};
        buffer_put_str(&whole, "Error reading configuration file: ");
        buffer_put_span(&whole, buffer_span(error));
        buffer_clear(error);
        *error = whole;
    }
    ok = ok && args_select_chain(a, error) && make_directories(a, error) && check_ignored_config(a, first, error) &&
         args_read_settings(a, error);
    free(first);
    return ok;
}
