/* What the page asks and orders, as JSON (doc/rooms/lab.md). Every key and every value is looked at; what is not
 * understood is refused and changes nothing. */
#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lab/web_internal.h"
#include "rpc/json_writer.h"

enum { RACE_TRIALS_MAX = 10000000, NODE_TRIALS_MAX = 100000, NODE_MAX = 100000 };

/* ---- questions ---- */

void web_api_scenarios(struct lab_web *w, struct evhttp_request *req)
{
    const struct lab_library *library = w->options.library;
    struct buffer out = {0}, setup = {0};
    struct json_writer j = json_writer_of(&out);
    jw_array(&j);
    for (size_t i = 0; library && i < library->count; i++) {
        const struct lab_scenario *s = &library->items[i];
        setup.len = 0;
        lab_setup_json(&setup, &s->setup);
        jw_object(&j);
        jw_kv_str(&j, "name", s->name);
        jw_kv_str(&j, "title", s->title);
        jw_kv_str(&j, "about", s->about);
        jw_kv_str(&j, "question", s->question);
        jw_kv_str(&j, "answer", s->answer);
        jw_key(&j, "setup");
        jw_raw(&j, buffer_span(&setup));
        jw_object_end(&j);
    }
    jw_array_end(&j);
    buffer_clear(&setup);
    web_reply(req, 200, "application/json", &out);
}

void web_api_settings(struct lab_web *w, struct evhttp_request *req)
{
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    (void)w;
    jw_object(&j);
    jw_kv_array(&j, "settings");
    for (size_t i = 0; i < lab_setting_count; i++) {
        jw_object(&j);
        jw_kv_str(&j, "name", lab_setting_rows[i].name);
        jw_kv_str(&j, "form", lab_setting_rows[i].form);
        jw_kv_str(&j, "help", lab_setting_rows[i].help);
        jw_object_end(&j);
    }
    jw_array_end(&j);
    jw_kv_array(&j, "commands");
    for (size_t i = 0; i < LAB_COMMANDS; i++) {
        const char *argument = lab_command_rows[i].argument;
        jw_object(&j);
        jw_kv_str(&j, "name", lab_command_rows[i].name);
        jw_kv_str(&j, "argument", argument ? argument : "");
        jw_kv_str(&j, "help", lab_command_rows[i].help);
        jw_object_end(&j);
    }
    jw_array_end(&j);
    jw_object_end(&j);
    web_reply(req, 200, "application/json", &out);
}

void web_api_state(struct lab_web *w, struct evhttp_request *req)
{
    struct buffer out = {0};
    web_play_state_json(w, &out);
    web_reply(req, 200, "application/json", &out);
}

/* ---- reading orders ---- */

static struct span body_of(struct evhttp_request *req)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(in);
    return span_of(len ? evbuffer_pullup(in, -1) : NULL, len);
}

static bool is_among(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0) return true;
    return false;
}

/* The body: an object with no other keys than these (NULL ends them). NULL: refused already. */
static json_t *read_order(struct evhttp_request *req, const char *const *keys)
{
    struct span body = body_of(req);
    json_error_t why;
    json_t *order = body.len ? json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!order) {
        web_refuse(req, 400, body.len ? "this is no JSON: %s" : "an order is expected, as a JSON object%s",
                   body.len ? why.text : "");
        return NULL;
    }
    const char *key;
    json_t *value;
    if (!json_is_object(order)) {
        web_refuse(req, 400, "an order is a JSON object");
        json_decref(order);
        return NULL;
    }
    json_object_foreach(order, key, value)
    {
        if (is_among(key, keys)) continue;
        web_refuse(req, 400, "unknown key \"%.80s\"", key);
        json_decref(order);
        return NULL;
    }
    return order;
}

/* Refuses with the error, or says that all is well; frees the order. */
static void finish(struct evhttp_request *req, json_t *order, enum result result, const struct error *e)
{
    struct buffer out = {0};
    json_decref(order);
    if (result != RESULT_OK) {
        web_refuse(req, 400, "%s", e->text);
        return;
    }
    buffer_put_str(&out, "{}");
    web_reply(req, 200, "application/json", &out);
}

/* A setting's value as it stands in files; whole numbers and yes or no may be written as JSON has them. */
static struct span setting_text(const json_t *value, char number[24])
{
    if (json_is_string(value)) return span_of(json_string_value(value), json_string_length(value));
    if (json_is_boolean(value)) return span_str(json_is_true(value) ? "yes" : "no");
    if (!json_is_integer(value)) return span_of(NULL, 0);
    snprintf(number, 24, "%lld", (long long)json_integer_value(value));
    return span_str(number);
}

/* {"q":"40%","seed":"7"} on SETUP; NULL: nothing. */
static enum result apply_settings(json_t *set, struct lab_setup *setup, struct error *e)
{
    const char *key;
    json_t *value;
    if (!set) return RESULT_OK;
    if (!json_is_object(set)) return error_set(e, RESULT_INVALID, "\"set\" is an object of settings");
    json_object_foreach(set, key, value)
    {
        char number[24];
        struct span text = setting_text(value, number);
        if (!text.data) return error_set(e, RESULT_INVALID, "the value of %.80s must be a text", key);
        enum result result = lab_setup_set(setup, span_str(key), text, e);
        if (result != RESULT_OK) return result;
    }
    return lab_setup_check(setup, e);
}

static const struct lab_scenario *current_scenario(const struct lab_web *w)
{
    struct lab_source_state state = {0};
    w->options.source.state(w->options.source.ctx, &state);
    return state.scenario;
}

static bool is_live(const struct lab_web *w)
{
    struct lab_source_state state = {0};
    w->options.source.state(w->options.source.ctx, &state);
    return state.live;
}

/* ---- start ---- */

enum result web_start(struct lab_web *w, const struct lab_scenario *scenario, struct error *e)
{
    const struct lab_source *s = &w->options.source;
    enum result result = s->start(s->ctx, scenario, e);
    if (result != RESULT_OK) return result;
    web_play_set(w, is_live(w));
    web_play_cut(w, 0);
    web_play_changed(w, true);
    return RESULT_OK;
}

static enum result start_order(struct lab_web *w, json_t *order, struct error *e)
{
    const json_t *name = json_object_get(order, "scenario");
    if (name && !json_is_string(name)) return error_set(e, RESULT_INVALID, "\"scenario\" is a name");
    const struct lab_scenario *found = current_scenario(w);
    if (name) found = w->options.library ? lab_library_find(w->options.library, json_string_value(name)) : NULL;
    if (!found && name) return error_set(e, RESULT_INVALID, "there is no scenario \"%.80s\"", json_string_value(name));
    if (!found) return error_set(e, RESULT_INVALID, "\"scenario\" is missing");
    struct lab_scenario scenario = *found; /* its cues remain the library's; the source makes its own copy */
    enum result result = apply_settings(json_object_get(order, "set"), &scenario.setup, e);
    return result == RESULT_OK ? web_start(w, &scenario, e) : result;
}

void web_api_start(struct lab_web *w, struct evhttp_request *req)
{
    struct error e = {0};
    json_t *order = read_order(req, (const char *const[]){"scenario", "set", NULL});
    if (order) finish(req, order, start_order(w, order, &e), &e);
}

/* ---- control ---- */

static enum result do_step(struct lab_web *w)
{
    const struct lab_source *s = &w->options.source;
    web_play_set(w, false);
    s->step(s->ctx);
    return RESULT_OK;
}

static enum result do_speed(struct lab_web *w, const json_t *value, struct error *e)
{
    double speed = json_is_number(value) ? json_number_value(value) : 0;
    if (!(speed >= 1 && speed <= WEB_SPEED_MAX))
        return error_set(e, RESULT_INVALID, "a speed is 1 to %d virtual seconds a second", WEB_SPEED_MAX);
    w->speed = speed;
    return RESULT_OK;
}

static enum result do_rewind(struct lab_web *w, const json_t *value, struct error *e)
{
    const struct lab_source *s = &w->options.source;
    size_t count = 0;
    s->events(s->ctx, &count);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > count)
        return error_set(e, RESULT_INVALID, "the way back leads to an event from 0 to %zu", count);
    uint64_t seq = (uint64_t)json_integer_value(value);
    web_play_set(w, false);
    enum result result = s->rewind(s->ctx, seq, e);
    if (result == RESULT_OK) web_play_cut(w, seq);
    return result;
}

static enum result control_order(struct lab_web *w, json_t *order, struct error *e)
{
    const char *what = json_string_value(json_object_get(order, "do"));
    const json_t *value = json_object_get(order, "value");
    if (!what) return error_set(e, RESULT_INVALID, "\"do\" is missing: play, pause, step, speed or rewind");
    bool play = strcmp(what, "play") == 0, pause = strcmp(what, "pause") == 0, step = strcmp(what, "step") == 0;
    bool speed = strcmp(what, "speed") == 0, rewind = strcmp(what, "rewind") == 0;
    if (!play && !pause && !step && !speed && !rewind)
        return error_set(e, RESULT_INVALID, "cannot do \"%.80s\": play, pause, step, speed or rewind", what);
    if (is_live(w)) return error_set(e, RESULT_INVALID, "real processes run in real time: there is no %s", what);
    if (value && !speed && !rewind) return error_set(e, RESULT_INVALID, "\"%s\" has no value", what);
    if (speed) return do_speed(w, value, e);
    if (rewind) return do_rewind(w, value, e);
    if (step) return do_step(w);
    web_play_set(w, play);
    return RESULT_OK;
}

void web_api_control(struct lab_web *w, struct evhttp_request *req)
{
    struct error e = {0};
    json_t *order = read_order(req, (const char *const[]){"do", "value", NULL});
    if (!order) return;
    enum result result = control_order(w, order, &e);
    finish(req, order, result, &e);
    web_play_changed(w, true);
}

/* ---- command ---- */

static enum result command_order(struct lab_web *w, json_t *order, struct error *e)
{
    const struct lab_source *s = &w->options.source;
    const json_t *line = json_object_get(order, "line");
    if (!json_is_string(line)) return error_set(e, RESULT_INVALID, "\"line\" is missing: a command");
    struct span text = span_of(json_string_value(line), json_string_length(line));
    struct lab_command parsed;
    enum result result = lab_command_parse(&parsed, text, e);
    return result == RESULT_OK ? s->command(s->ctx, text, e) : result;
}

void web_api_command(struct lab_web *w, struct evhttp_request *req)
{
    struct error e = {0};
    json_t *order = read_order(req, (const char *const[]){"line", NULL});
    if (!order) return;
    enum result result = command_order(w, order, &e);
    finish(req, order, result, &e);
    web_play_changed(w, true);
}

/* ---- a node's RPC ---- */

void web_api_rpc(struct lab_web *w, struct evhttp_request *req)
{
    const struct lab_source *s = &w->options.source;
    char text[16];
    uint64_t node;
    struct buffer out = {0};
    if (!web_query(req, "node", text, sizeof text) || !web_number(text, NODE_MAX, &node)) {
        web_refuse(req, 400, "node=N is missing: the number of a node");
        return;
    }
    if (!s->rpc) {
        web_refuse(req, 400, "these nodes have no RPC here");
        return;
    }
    int status = s->rpc(s->ctx, (uint32_t)node, body_of(req), &out);
    if (!out.len && status >= 400)
        web_refuse(req, status, "there is no node %u, or it is down", (unsigned)node);
    else
        web_reply(req, status, "application/json", &out);
    web_play_changed(w, false);
}

/* ---- measurements ---- */

static enum result measure_order(struct lab_web *w, json_t *order, struct error *e)
{
    const json_t *kind = json_object_get(order, "kind"), *trials = json_object_get(order, "trials");
    const json_t *stop = json_object_get(order, "stop");
    if (stop) {
        if (!json_is_true(stop) || json_object_size(order) != 1)
            return error_set(e, RESULT_INVALID, "\"stop\" stands alone and is true");
        web_measure_stop(w);
        return RESULT_OK;
    }
    const char *name = json_string_value(kind);
    bool race = name && strcmp(name, "race") == 0, nodes = name && strcmp(name, "nodes") == 0;
    if (!race && !nodes) return error_set(e, RESULT_INVALID, "\"kind\" is \"race\" or \"nodes\"");
    int most = race ? RACE_TRIALS_MAX : NODE_TRIALS_MAX;
    if (!json_is_integer(trials) || json_integer_value(trials) < 1 || json_integer_value(trials) > most)
        return error_set(e, RESULT_INVALID, "\"trials\" is a number from 1 to %d", most);
    const struct lab_scenario *scenario = current_scenario(w);
    struct lab_setup setup = scenario ? scenario->setup : lab_setup_default();
    enum result result = apply_settings(json_object_get(order, "set"), &setup, e);
    if (result != RESULT_OK) return result;
    return web_measure_start(w, race ? WEB_MEASURE_RACE : WEB_MEASURE_NODES, (uint64_t)json_integer_value(trials),
                             &setup, e);
}

void web_api_measure(struct lab_web *w, struct evhttp_request *req)
{
    struct error e = {0};
    json_t *order = read_order(req, (const char *const[]){"kind", "trials", "set", "stop", NULL});
    if (order) finish(req, order, measure_order(w, order, &e), &e);
}
