/* Command-line words to JSON parameters, by the rows of the methods. */
#include "rpc/cli_params.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "rpc/json_read.h"
#include "rpc/table.h"

static bool is_json(const char *word)
{
    json_t *v = json_read(span_str(word), NULL);
    json_decref(v);
    return v != NULL;
}

/* One value in the form of its argument. */
static bool put_word(struct json_writer *w, const char *word, enum rpc_cli_form form, struct buffer *error)
{
    bool wants_json = form == RPC_CLI_FORM_JSON || form == RPC_CLI_FORM_JSON_OR_STRING;
    if (wants_json && is_json(word)) {
        jw_raw(w, span_str(word));
        return true;
    }
    if (form == RPC_CLI_FORM_JSON) {
        buffer_printf(error, "Error parsing JSON: %s", word);
        return false;
    }
    jw_str(w, word);
    return true;
}

/* A named argument as given last. */
struct named_word {
    char *name;
    const char *value;
    enum rpc_cli_form form;
};

struct named_list {
    struct named_word *items;
    size_t count;
};

static void set_named(struct named_list *list, char *name_taken, const char *value, enum rpc_cli_form form)
{
    size_t i = 0;
    while (i < list->count && strcmp(list->items[i].name, name_taken) != 0) i++;
    if (i == list->count) {
        list->items = mem_realloc(list->items, list->count + 1, sizeof *list->items);
        list->items[list->count++] = (struct named_word){.name = name_taken};
    } else {
        free(name_taken);
    }
    list->items[i].value = value;
    list->items[i].form = form;
}

/* True where WORD is a position although it has a '=': its name is none of METHOD's, and the next position takes JSON
 * (which it is) or free text. */
static bool is_position(const char *method, const char *word, size_t position)
{
    enum rpc_cli_form form = rpc_param_form(method, position);
    return form == RPC_CLI_FORM_FREE_STRING || (form == RPC_CLI_FORM_JSON && is_json(word));
}

static bool split_words(struct json_writer *positions, size_t *position, struct named_list *list, const char *method,
                        const char *const *words, size_t count, struct buffer *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(words[i], '=');
        enum rpc_cli_form form = RPC_CLI_FORM_STRING;
        char *name = NULL;
        bool known = false;
        if (equals) {
            name = mem_dup(words[i], (size_t)(equals - words[i]) + 1);
            name[equals - words[i]] = '\0';
            known = rpc_param_form_named(method, name, &form);
        }
        if (!equals || (!known && is_position(method, words[i], *position))) {
            free(name);
            if (!put_word(positions, words[i], rpc_param_form(method, (*position)++), error)) return false;
        } else {
            set_named(list, name, equals + 1, form);
        }
    }
    return true;
}

static bool put_named(struct buffer *out, const char *method, const char *const *words, size_t count,
                      struct buffer *error)
{
    struct buffer array = {0};
    struct json_writer positions = json_writer_of(&array), w = json_writer_of(out);
    struct named_list list = {0};
    size_t position = 0;

    jw_array(&positions);
    bool good = split_words(&positions, &position, &list, method, words, count, error);
    jw_array_end(&positions);
    jw_object(&w);
    for (size_t i = 0; good && i < list.count; i++) {
        jw_key(&w, list.items[i].name);
        good = put_word(&w, list.items[i].value, list.items[i].form, error);
    }
    if (position) {
        jw_key(&w, "args");
        jw_raw(&w, buffer_span(&array));
    }
    jw_object_end(&w);
    for (size_t i = 0; i < list.count; i++) free(list.items[i].name);
    free(list.items);
    buffer_clear(&array);
    return good;
}

bool rpc_cli_params(struct buffer *out, const char *method, const char *const *words, size_t count, bool named,
                    struct buffer *error)
{
    if (named) return put_named(out, method, words, count, error);
    struct json_writer w = json_writer_of(out);
    jw_array(&w);
    for (size_t i = 0; i < count; i++) {
        if (!put_word(&w, words[i], rpc_param_form(method, i), error)) return false;
    }
    jw_array_end(&w);
    return true;
}
