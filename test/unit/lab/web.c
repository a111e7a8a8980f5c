/* The server of the page over loopback sockets: every route, every refusal, streams, measurements, the end. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "web_kit.h"

/* ---- what it serves ---- */

Test(lab_web, serves_every_file_of_the_page)
{
    struct kit k = {0};
    struct buffer out = {0};
    kit_open(&k);
    for (size_t i = 0; i < lab_asset_count; i++) {
        const struct lab_asset *a = &lab_assets[i];
        char path[300], type[200];
        snprintf(path, sizeof path, "/%s", a->name);
        snprintf(type, sizeof type, "Content-Type: %s\r\n", a->type);
        cr_expect_eq(kit_ask(&k, "GET", path, "", NULL, &out), 200, "%s", path);
        const char *body = kit_body(&out);
        cr_expect(strstr(buffer_text(&out), type), "%s: %s", a->name, buffer_text(&out));
        size_t head = (size_t)(body - buffer_text(&out));
        cr_expect(out.len - head == a->len && memcmp(out.data + head, a->data, a->len) == 0, "%s", a->name);
        if (strcmp(a->name, "index.html") != 0) continue;
        cr_expect_eq(kit_ask(&k, "GET", "/?scenario=one", "", NULL, &out), 200);
        cr_expect_eq(out.len - (size_t)(kit_body(&out) - buffer_text(&out)), a->len);
        cr_expect_eq(kit_ask(&k, "HEAD", "/", "", NULL, &out), 200);
        snprintf(type, sizeof type, "Content-Length: %zu\r\n", a->len);
        cr_expect(strstr(buffer_text(&out), type) && !*kit_body(&out));
    }
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, says_what_a_browser_may_not_do)
{
    static const char *const headers[] = {"Content-Security-Policy: default-src 'self';",
                                          "X-Content-Type-Options: nosniff\r\n", "frame-ancestors 'none'",
                                          "Cache-Control: no-store\r\n"};
    struct kit k = {0};
    struct buffer out = {0};
    kit_open(&k);
    cr_expect_eq(kit_ask(&k, "GET", "/api/state", "", NULL, &out), 200);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) cr_expect(strstr(buffer_text(&out), headers[i]), "%s", headers[i]);
    cr_expect_eq(kit_ask(&k, "GET", "/nothing", "", NULL, &out), 404);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) cr_expect(strstr(buffer_text(&out), headers[i]), "%s", headers[i]);
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, lists_scenarios_settings_and_commands)
{
    struct kit k = {0};
    kit_open(&k);
    json_t *v = kit_json(&k, "/api/scenarios", NULL, 200), *two = json_array_get(v, 1);
    cr_assert_eq(json_array_size(v), 2);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(v, 0), "name")), "one");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(v, 0), "about")), "The first.");
    cr_expect_str_eq(json_string_value(json_object_get(two, "title")), "Two");
    cr_expect_str_eq(json_string_value(json_object_get(two, "question")), "How \"many\"?");
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(json_array_get(v, 0), "setup"), "seed")),
                     "18446744073709551615");
    json_decref(v);
    v = kit_json(&k, "/api/settings", NULL, 200);
    cr_expect_eq(json_array_size(json_object_get(v, "settings")), lab_setting_count);
    const json_t *commands = json_object_get(v, "commands");
    cr_assert_eq(json_array_size(commands), LAB_COMMANDS);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(commands, 0), "name")), "power");
    json_decref(v);
    kit_close(&k);
}

Test(lab_web, tells_theory)
{
    struct kit k = {0};
    kit_open(&k);
    json_t *v = kit_json(&k, "/api/theory?q=0.3&z=6", NULL, 200);
    cr_expect_float_eq(json_real_value(json_object_get(v, "nakamoto")), 0.1321, 5e-5);
    cr_expect_float_eq(json_real_value(json_object_get(v, "paper")), 0.1565, 1e-4);
    cr_expect_float_eq(json_real_value(json_object_get(v, "strict")), 0.0891, 5e-5);
    const json_t *curve = json_object_get(v, "strict_curve");
    cr_assert_eq(json_array_size(curve), 10);
    cr_expect_eq(json_real_value(json_array_get(curve, 5)), json_real_value(json_object_get(v, "strict")));
    cr_expect_eq(json_array_size(json_object_get(v, "paper_curve")), 10);
    cr_expect_eq(json_array_size(json_object_get(v, "nakamoto_curve")), 10);
    cr_expect(json_real_value(json_object_get(v, "break_even")) > 1);
    json_decref(v);
    v = kit_json(&k, "/api/theory?q=0&z=1", NULL, 200);
    cr_expect(json_is_null(json_object_get(v, "break_even")));
    json_decref(v);
    kit_close(&k);
}

Test(lab_web, tells_the_state)
{
    struct kit k = {.fake = {.last = 30}};
    kit_open(&k);
    json_t *v = kit_json(&k, "/api/state", NULL, 200);
    cr_expect_str_eq(json_string_value(json_object_get(v, "scenario")), "one");
    cr_expect_str_eq(json_string_value(json_object_get(v, "title")), "One");
    cr_expect_str_eq(json_string_value(json_object_get(v, "seed")), "18446744073709551615");
    cr_expect_eq(kit_int(v, "seq"), 5);
    cr_expect(json_is_false(json_object_get(v, "playing")) && json_is_false(json_object_get(v, "over")));
    cr_expect(json_is_null(json_object_get(v, "outcome")) && json_is_null(json_object_get(v, "failure")));
    cr_expect_eq(json_string_length(json_object_get(v, "log")), 64);
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(v, "setup"), "q")), "30%");
    json_decref(v);
    for (int i = 0; i < 25; i++) kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    v = kit_json(&k, "/api/state", NULL, 200);
    cr_expect(json_is_true(json_object_get(v, "over")));
    cr_expect_str_eq(json_string_value(json_object_get(v, "outcome")), "whole");
    json_decref(v);
    kit_order(&k, "/api/control", "{\"do\":\"rewind\",\"value\":29}");
    v = kit_json(&k, "/api/state", NULL, 200);
    cr_expect(json_is_false(json_object_get(v, "over")) && json_is_null(json_object_get(v, "outcome")));
    cr_expect_eq(kit_int(v, "branch"), 2);
    json_decref(v);
    kit_close(&k);
}

Test(lab_web, passes_rpc_on)
{
    struct kit k = {0};
    kit_open(&k);
    json_t *v = kit_json(&k, "/api/rpc?node=2", "{\"method\":\"getblockcount\"}", 200);
    cr_expect_str_eq(json_string_value(json_object_get(v, "result")), "node 2 heard 26 bytes");
    json_decref(v);
    v = kit_json(&k, "/api/rpc?node=9", "{}", 503);
    cr_expect(strstr(json_string_value(json_object_get(v, "error")), "node 9"));
    json_decref(v);
    json_decref(kit_json(&k, "/api/rpc", "{}", 400));
    json_decref(kit_json(&k, "/api/rpc?node=-1", "{}", 400));
    json_decref(kit_json(&k, "/api/rpc?node=4294967296", "{}", 400));
    kit_close(&k);
}

/* ---- what it refuses ---- */

Test(lab_web, refuses_what_is_no_order)
{
    static const struct {
        const char *path, *body, *part; /* PART of the error's text */
    } cases[] = {
        {"/api/start", "{", "no JSON"},
        {"/api/start", "", "expected"},
        {"/api/start", "[]", "object"},
        {"/api/start", "{\"scenario\":\"one\",\"scenario\":\"two\"}", "no JSON"},
        {"/api/start", "{\"scenario\":\"three\"}", "three"},
        {"/api/start", "{\"scenario\":1}", "name"},
        {"/api/start", "{\"scenario\":\"one\",\"speed\":1}", "speed"},
        {"/api/start", "{\"scenario\":\"one\",\"set\":[]}", "set"},
        {"/api/start", "{\"scenario\":\"one\",\"set\":{\"colour\":\"red\"}}", "colour"},
        {"/api/start", "{\"scenario\":\"one\",\"set\":{\"q\":\"much\"}}", "q"},
        {"/api/start", "{\"scenario\":\"one\",\"set\":{\"q\":{}}}", "q"},
        {"/api/start", "{\"scenario\":\"one\",\"set\":{\"honest\":13}}", "thirteen"},
        {"/api/control", "{}", "do"},
        {"/api/control", "{\"do\":7}", "do"},
        {"/api/control", "{\"do\":\"stop\"}", "stop"},
        {"/api/control", "{\"do\":\"play\",\"value\":1}", "value"},
        {"/api/control", "{\"do\":\"speed\"}", "speed"},
        {"/api/control", "{\"do\":\"speed\",\"value\":0.5}", "speed"},
        {"/api/control", "{\"do\":\"speed\",\"value\":100001}", "speed"},
        {"/api/control", "{\"do\":\"speed\",\"value\":\"60\"}", "speed"},
        {"/api/control", "{\"do\":\"rewind\"}", "event"},
        {"/api/control", "{\"do\":\"rewind\",\"value\":-1}", "event"},
        {"/api/control", "{\"do\":\"rewind\",\"value\":6}", "event"},
        {"/api/control", "{\"do\":\"rewind\",\"value\":3}", "third"},
        {"/api/command", "{}", "line"},
        {"/api/command", "{\"line\":\"dance\"}", "dance"},
        {"/api/command", "{\"line\":\"publish\"}", "nothing to publish"},
        {"/api/command", "{\"line\":\"heal\",\"node\":1}", "node"},
        {"/api/measure", "{}", "kind"},
        {"/api/measure", "{\"kind\":\"dice\",\"trials\":1}", "kind"},
        {"/api/measure", "{\"kind\":\"race\",\"trials\":0}", "trials"},
        {"/api/measure", "{\"kind\":\"race\",\"trials\":\"5\"}", "trials"},
        {"/api/measure", "{\"kind\":\"nodes\",\"trials\":100001}", "trials"},
        {"/api/measure", "{\"kind\":\"race\",\"trials\":5,\"set\":{\"q\":\"0\"}}", "hash power"},
        {"/api/measure", "{\"kind\":\"race\",\"trials\":5,\"set\":{\"patience\":\"0\",\"budget\":\"0\"}}", "end"},
        {"/api/measure", "{\"kind\":\"race\",\"trials\":5,\"stop\":true}", "alone"},
        {"/api/measure", "{\"stop\":false}", "true"},
        {"/api/theory?q=0.3", NULL, "confirmations"},
        {"/api/theory?q=0.3&z=0", NULL, "confirmations"},
        {"/api/theory?q=0.3&z=101", NULL, "confirmations"},
        {"/api/theory?q=x&z=1", NULL, "share"},
        {"/api/theory", NULL, "share"},
    };
    struct kit k = {0};
    kit_open(&k);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *v = kit_json(&k, cases[i].path, cases[i].body, 400);
        const char *error = json_string_value(json_object_get(v, "error"));
        cr_expect(error && strstr(error, cases[i].part), "%s: %s", cases[i].body, error ? error : "no error");
        json_decref(v);
    }
    kit_stop(&k);
    cr_expect(k.fake.starts == 1 && k.fake.rewinds == 0 && k.fake.count == 5, "what is refused changes nothing");
    kit_close(&k);
}

/* The Host line as it stands; NULL: none at all. */
static int ask_host(const struct kit *k, const char *host, const char *method, const char *path, const char *origin,
                    struct buffer *out)
{
    char text[1024];
    int len = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n", method, path);
    if (host) len += snprintf(text + len, sizeof text - (size_t)len, "Host: %s\r\n", host);
    if (origin) len += snprintf(text + len, sizeof text - (size_t)len, "Origin: %s\r\n", origin);
    len += snprintf(text + len, sizeof text - (size_t)len, "\r\n{}");
    return kit_raw(k, text, (size_t)len, out);
}

Test(lab_web, refuses_strangers)
{
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"127.0.0.1:%u", 200},    {"localhost:%u", 200},   {"LocalHost:%u", 200},
                 {"evil.example:%u", 403}, {"127.0.0.1", 403},      {"localhost", 403},
                 {"127.0.0.1:1%u", 403},   {"127.0.0.2:%u", 403},   {"127.0.0.1:%u.evil.example", 403},
                 {"xlocalhost:%u", 403},   {"evil.example", 403},   {"", 403},
                 {"[::1]:%u", 403},        {"localhost:%u:%u", 403}};
    static const struct {
        const char *origin;
        int status;
    } origins[] = {{"http://127.0.0.1:%u", 400},
                   {"http://localhost:%u", 400},
                   {"https://127.0.0.1:%u", 403},
                   {"http://evil.example", 403},
                   {"null", 403},
                   {"http://127.0.0.1", 403},
                   {"http://127.0.0.1:%u/", 403},
                   {"http://evil.example:%u", 403}};
    struct kit k = {0};
    struct buffer out = {0};
    char text[100];
    kit_open(&k);
    unsigned port = lab_web_port(k.web);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        snprintf(text, sizeof text, hosts[i].host, port, port);
        cr_expect_eq(ask_host(&k, text, "GET", "/api/state", NULL, &out), hosts[i].status, "%s", text);
    }
    cr_expect_eq(ask_host(&k, NULL, "GET", "/api/state", NULL, &out), 403);
    cr_expect_eq(ask_host(&k, "evil.example", "GET", "/", NULL, &out), 403, "the page, too");
    char host[40];
    snprintf(host, sizeof host, "127.0.0.1:%u", port);
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        snprintf(text, sizeof text, origins[i].origin, port);
        cr_expect_eq(ask_host(&k, host, "POST", "/api/control", text, &out), origins[i].status, "%s", text);
    }
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, everywhere_it_answers_to_numbers_alone)
{
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"192.168.1.7:%u", 200}, {"[fe80::1]:%u", 200}, {"localhost:%u", 200}, {"evil.example:%u", 403},
                 {"fe80::1:%u", 403},     {"1.2.3:%u", 403},     {":%u", 403},          {"[]:%u", 403}};
    struct kit k = {0};
    struct error e = {0};
    struct buffer out = {0};
    char text[100];
    struct lab_web_options o = kit_prepare(&k);
    o.address = "0.0.0.0";
    cr_assert_eq(lab_web_new(&k.web, &o, &e), RESULT_OK, "%s", e.text);
    kit_run(&k);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        snprintf(text, sizeof text, hosts[i].host, lab_web_port(k.web));
        cr_expect_eq(ask_host(&k, text, "GET", "/api/state", NULL, &out), hosts[i].status, "%s", text);
    }
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, has_nothing_but_its_table)
{
    static const char *const paths[] = {"/../web.c",
                                        "/..%2fweb.c",
                                        "/%2e%2e/web.c",
                                        "//etc/passwd",
                                        "/etc/passwd",
                                        "/index.html/",
                                        "/./index.html",
                                        "/api",
                                        "/api/",
                                        "/api/state/",
                                        "/index.html%00",
                                        "/%69ndex.html",
                                        "/page/index.html",
                                        "/api/../index.html"};
    struct kit k = {0};
    struct buffer out = {0};
    kit_open(&k);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        cr_expect_eq(kit_ask(&k, "GET", paths[i], "", NULL, &out), 404, "%s", paths[i]);
    cr_expect_neq(kit_ask(&k, "GET", "../web.c", "", NULL, &out), 200);
    cr_expect_neq(kit_ask(&k, "GET", "*", "", NULL, &out), 200);
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, refuses_methods_and_sizes)
{
    struct kit k = {0};
    struct buffer out = {0};
    kit_open(&k);
    cr_expect_eq(kit_ask(&k, "POST", "/api/state", "", "{}", &out), 405);
    cr_expect_eq(kit_ask(&k, "GET", "/api/start", "", NULL, &out), 405);
    cr_expect(strstr(buffer_text(&out), "Allow: POST\r\n"));
    cr_expect_eq(kit_ask(&k, "PUT", "/api/start", "", "{}", &out), 405);
    cr_expect_eq(kit_ask(&k, "DELETE", "/api/state", "", NULL, &out), 405);
    cr_expect_neq(kit_ask(&k, "BREW", "/api/state", "", NULL, &out), 200);
    struct buffer big = {0};
    buffer_printf(&big, "{\"line\":\"say %65536s\"}", "");
    int status = kit_ask(&k, "POST", "/api/command", "", buffer_text(&big), &out);
    cr_expect(status == 413, "%d", status);
    big.len = 0;
    buffer_printf(&big, "X-Long: %10000s\r\n", "x");
    status = kit_ask(&k, "GET", "/api/state", buffer_text(&big), NULL, &out);
    cr_expect(status != 200, "%d", status);
    buffer_clear(&big);
    buffer_clear(&out);
    kit_stop(&k);
    cr_expect_eq(k.fake.count, 5);
    kit_close(&k);
}

/* ---- streams ---- */

Test(lab_web, a_stream_has_every_event_once_and_in_order)
{
    struct kit k = {0};
    struct kit_message m;
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "", "");
    cr_assert(kit_next(&s, &m));
    cr_expect_str_eq(m.event, "reset");
    cr_expect_eq(kit_int(m.data, "seq"), 0);
    json_decref(m.data);
    cr_assert(kit_next(&s, &m));
    cr_expect_str_eq(m.event, "state");
    cr_expect_eq(kit_int(m.data, "seq"), 5);
    json_decref(m.data);
    for (int i = 0; i < 5; i++) {
        char id[16];
        cr_assert(kit_next(&s, &m));
        cr_expect_str_eq(m.event, "lab");
        snprintf(id, sizeof id, "%d.1", i);
        cr_expect_str_eq(m.id, id);
        cr_expect_eq(kit_int(m.data, "seq"), i);
        json_decref(m.data);
    }
    kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    kit_order(&k, "/api/command", "{\"line\":\"partition\"}");
    kit_expect_events(&s, 5, 5);
    json_t *v = kit_wait(&s, "lab");
    cr_expect_eq(kit_int(v, "seq"), 6);
    cr_expect_str_eq(json_string_value(json_object_get(v, "e")), "command");
    json_decref(v);
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, two_streams_have_their_own_places)
{
    struct kit k = {0};
    kit_open(&k);
    for (int i = 0; i < 15; i++) kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    struct kit_stream a = kit_listen(&k, "?from=0", ""), b = kit_listen(&k, "?from=17", "");
    struct kit_stream c = kit_listen(&k, "?from=999", "");
    kit_expect_reset(&b, 17);
    kit_expect_events(&b, 17, 19);
    kit_expect_reset(&a, 0);
    kit_expect_events(&a, 0, 19);
    kit_expect_reset(&c, 20);
    kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    kit_expect_events(&a, 20, 20);
    kit_hang_up(&a); /* one that leaves does not disturb the others */
    kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    kit_expect_events(&b, 20, 21);
    kit_expect_events(&c, 20, 21);
    kit_hang_up(&b);
    kit_hang_up(&c);
    kit_close(&k);
}

Test(lab_web, a_rewind_and_a_start_cut_the_streams)
{
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "?from=0", "");
    for (int i = 0; i < 5; i++) kit_order(&k, "/api/control", "{\"do\":\"step\"}");
    kit_expect_reset(&s, 0);
    kit_expect_events(&s, 0, 9);
    kit_order(&k, "/api/control", "{\"do\":\"rewind\",\"value\":7}");
    kit_expect_reset(&s, 7);
    json_t *v = kit_wait(&s, "state");
    cr_expect(kit_int(v, "branch") == 2 && kit_int(v, "seq") == 7);
    json_decref(v);
    kit_order(&k, "/api/command", "{\"line\":\"heal\"}");
    v = kit_wait(&s, "lab");
    cr_expect_eq(kit_int(v, "seq"), 7);
    cr_expect_str_eq(json_string_value(json_object_get(v, "e")), "command");
    json_decref(v);
    kit_order(&k, "/api/start", "{\"scenario\":\"two\",\"set\":{\"q\":\"40%\",\"seed\":9,\"merchant\":true}}");
    kit_expect_reset(&s, 0);
    v = kit_wait(&s, "state");
    cr_expect_str_eq(json_string_value(json_object_get(v, "scenario")), "two");
    cr_expect_str_eq(json_string_value(json_object_get(v, "seed")), "9");
    cr_expect(json_is_false(json_object_get(v, "playing")) && kit_int(v, "branch") == 3);
    json_decref(v);
    kit_expect_events(&s, 0, 4);
    kit_order(&k, "/api/start", "{}"); /* the same again */
    kit_expect_reset(&s, 0);
    v = kit_wait(&s, "state");
    cr_expect_str_eq(json_string_value(json_object_get(v, "scenario")), "two");
    cr_expect_str_eq(json_string_value(json_object_get(v, "seed")), "9");
    json_decref(v);
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, who_comes_back_goes_on_where_it_was)
{
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "?from=0", "Last-Event-ID: 2.1\r\n");
    kit_expect_reset(&s, 3);
    kit_expect_events(&s, 3, 4);
    kit_hang_up(&s);
    kit_order(&k, "/api/control", "{\"do\":\"rewind\",\"value\":4}");
    s = kit_listen(&k, "?from=3", "Last-Event-ID: 2.1\r\n"); /* of a history that is void */
    kit_expect_reset(&s, 0);
    kit_hang_up(&s);
    s = kit_listen(&k, "?from=3", "Last-Event-ID: nonsense\r\n");
    kit_expect_reset(&s, 0);
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, plays_by_the_clock)
{
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "?from=5", "");
    kit_order(&k, "/api/control", "{\"do\":\"speed\",\"value\":100000}");
    kit_order(&k, "/api/control", "{\"do\":\"play\"}");
    kit_expect_events(&s, 5, 204);
    json_t *v = kit_json(&k, "/api/state", NULL, 200);
    cr_expect(json_is_true(json_object_get(v, "playing")));
    cr_expect_eq(json_number_value(json_object_get(v, "speed")), 100000);
    json_decref(v);
    kit_order(&k, "/api/control", "{\"do\":\"pause\"}");
    v = kit_json(&k, "/api/state", NULL, 200);
    json_int_t seq = kit_int(v, "seq");
    cr_expect(json_is_false(json_object_get(v, "playing")));
    json_decref(v);
    kit_sleep_ms(100);
    v = kit_json(&k, "/api/state", NULL, 200);
    cr_expect_eq(kit_int(v, "seq"), seq);
    json_decref(v);
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, stops_playing_when_it_is_over)
{
    struct kit k = {.fake = {.last = 50}};
    struct error e = {0};
    struct lab_web_options o = kit_prepare(&k);
    o.autoplay = true;
    cr_assert_eq(lab_web_new(&k.web, &o, &e), RESULT_OK, "%s", e.text);
    k.web->speed = WEB_SPEED_MAX;
    kit_run(&k);
    struct kit_stream s = kit_listen(&k, "", "");
    for (bool over = false; !over;) {
        json_t *v = kit_wait(&s, "state");
        over = json_is_true(json_object_get(v, "over"));
        cr_expect(over != json_is_true(json_object_get(v, "playing")));
        if (over) cr_expect_str_eq(json_string_value(json_object_get(v, "outcome")), "whole");
        json_decref(v);
    }
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, real_time_cannot_be_held)
{
    struct kit k = {.fake = {.live = true}};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "?from=0", "");
    kit_expect_events(&s, 0, 99);
    static const char *const orders[] = {"play", "pause", "step", "speed", "rewind"};
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"do\":\"%s\"}", orders[i]);
        json_decref(kit_json(&k, "/api/control", body, 400));
    }
    kit_hang_up(&s);
    kit_close(&k);
}

/* ---- limits ---- */

Test(lab_web, drops_who_does_not_read)
{
    struct kit k = {.fake = {.last = 200000}};
    struct error e = {0};
    struct lab_web_options o = kit_prepare(&k);
    cr_assert_eq(lab_web_new(&k.web, &o, &e), RESULT_OK, "%s", e.text);
    k.web->limits.streams = 1;
    k.web->limits.waiting_bytes = 65536;
    k.web->limits.unread_s = 1;
    while (k.fake.natural < 60000) fake_next(&k.fake); /* more than the system keeps for a connection */
    kit_run(&k);
    struct kit_stream slow = kit_listen(&k, "", "");
    struct buffer out = {0};
    free(kit_part(&slow, "\r\n\r\n"));
    cr_expect_eq(kit_ask(&k, "GET", "/api/events", "", NULL, &out), 503, "one too many");
    for (int tries = 0; tries < 100; tries++) {
        struct kit_stream s = kit_listen(&k, "?from=59998", "");
        char *head = kit_part(&s, "\r\n\r\n");
        bool in = head && strstr(head, " 200 ");
        free(head);
        if (in) kit_expect_events(&s, 59998, 59999);
        kit_hang_up(&s);
        if (in) break;
        kit_sleep_ms(100);
        cr_assert(tries < 99, "the one that does not read is still there");
    }
    while (kit_receive(slow.fd, &slow.in, 1000)) continue;
    cr_expect(recv(slow.fd, (char[1]){0}, 1, MSG_DONTWAIT) <= 0);
    cr_expect_null(strstr(buffer_text(&slow.in), "\"seq\":59999,"), "all of it never waited for the reader");
    kit_hang_up(&slow);
    buffer_clear(&out);
    kit_close(&k);
}

Test(lab_web, too_many_connections_wait)
{
    struct kit k = {0};
    struct error e = {0};
    struct lab_web_options o = kit_prepare(&k);
    cr_assert_eq(lab_web_new(&k.web, &o, &e), RESULT_OK, "%s", e.text);
    k.web->limits.connections = 3;
    kit_run(&k);
    int idle[3];
    for (size_t i = 0; i < 3; i++) idle[i] = kit_connect(&k);
    char text[128];
    int len = snprintf(text, sizeof text, "GET /api/state HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n",
                       lab_web_port(k.web));
    int late = kit_connect(&k);
    struct buffer in = {0};
    kit_send(late, text, (size_t)len);
    cr_expect_not(kit_receive(late, &in, 600), "%s", buffer_text(&in));
    for (size_t i = 0; i < 3; i++) close(idle[i]);
    cr_expect(kit_receive(late, &in, KIT_PATIENCE_MS));
    cr_expect(strncmp(buffer_text(&in), "HTTP/1.1 200", 12) == 0);
    close(late);
    buffer_clear(&in);
    kit_close(&k);
}

/* ---- measurements ---- */

Test(lab_web, measures_in_a_process_of_its_own)
{
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "", "");
    kit_order(
        &k, "/api/measure",
        "{\"kind\":\"race\",\"trials\":20000,\"set\":{\"q\":\"30%\",\"confirmations\":\"2\",\"patience\":\"20\"}}");
    json_t *v = kit_wait(&s, "measure");
    while (!json_is_true(json_object_get(v, "done"))) {
        json_decref(v);
        v = kit_wait(&s, "measure");
    }
    cr_expect_str_eq(json_string_value(json_object_get(v, "kind")), "race");
    cr_expect_str_eq(json_string_value(json_object_get(v, "convention")), "strict");
    cr_expect(kit_int(v, "trials") == 20000 && kit_int(v, "z") == 2);
    double share = (double)kit_int(v, "stolen") / 20000, strict = 0.232971;
    cr_expect(share > strict - 0.015 && share < strict + 0.015, "%f", share);
    cr_expect(json_real_value(json_object_get(v, "low")) < share &&
              json_real_value(json_object_get(v, "high")) > share);
    const json_t *theory = json_object_get(v, "theory");
    cr_expect_float_eq(json_real_value(json_object_get(theory, "strict")), strict, 1e-6);
    cr_expect(json_real_value(json_object_get(theory, "exact")) < strict + 1e-6);
    const json_t *curve = json_object_get(v, "curve");
    cr_assert_eq(json_array_size(curve), 10);
    cr_expect_eq(kit_int(json_array_get(curve, 1), "stolen"), kit_int(v, "stolen"));
    cr_expect_gt(kit_int(json_array_get(curve, 0), "stolen"), kit_int(json_array_get(curve, 9), "stolen"));
    json_decref(v);
    struct kit_stream late = kit_listen(&k, "", ""); /* who comes later sees it, too */
    v = kit_wait(&late, "measure");
    cr_expect(json_is_true(json_object_get(v, "done")));
    json_decref(v);
    kit_hang_up(&late);
    kit_hang_up(&s);
    kit_close(&k);
    cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}

Test(lab_web, measures_with_whole_nodes)
{
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "", "");
    kit_order(&k, "/api/measure",
              "{\"kind\":\"nodes\",\"trials\":2,\"set\":{\"q\":\"49%\",\"confirmations\":\"1\",\"patience\":\"2\","
              "\"premine\":1}}");
    json_t *v = kit_wait(&s, "measure");
    while (!json_is_true(json_object_get(v, "done"))) {
        json_decref(v);
        v = kit_wait(&s, "measure");
    }
    cr_expect(json_is_null(json_object_get(v, "failure")), "%s", json_string_value(json_object_get(v, "failure")));
    cr_expect(kit_int(v, "trials") == 2 && kit_int(v, "broken") == 0);
    cr_expect_str_eq(json_string_value(json_object_get(v, "kind")), "nodes");
    cr_expect_str_eq(json_string_value(json_object_get(v, "convention")), "paper");
    cr_assert_eq(json_array_size(json_object_get(v, "curve")), 1);
    cr_expect_eq(kit_int(json_array_get(json_object_get(v, "curve"), 0), "z"), 1);
    json_decref(v);
    kit_hang_up(&s);
    kit_close(&k);
}

Test(lab_web, a_measurement_can_be_stopped_and_replaced)
{
    static const char endless[] = "{\"kind\":\"race\",\"trials\":10000000,\"set\":{\"q\":\"49%\"}}";
    struct kit k = {0};
    kit_open(&k);
    struct kit_stream s = kit_listen(&k, "", "");
    kit_order(&k, "/api/measure", endless);
    json_t *v = kit_wait(&s, "measure");
    cr_expect(json_is_false(json_object_get(v, "done")));
    json_decref(v);
    kit_order(&k, "/api/measure", "{\"stop\":true}");
    while (v = kit_wait(&s, "measure"), !json_is_true(json_object_get(v, "done"))) json_decref(v);
    cr_expect_lt(kit_int(v, "trials"), 10000000);
    json_decref(v);
    kit_order(&k, "/api/measure", "{\"stop\":true}"); /* nothing to stop */
    kit_order(&k, "/api/measure", endless);
    kit_order(&k, "/api/measure", endless);
    kit_hang_up(&s);
    kit_close(&k); /* in the middle */
    cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}

/* ---- beginning and end ---- */

Test(lab_web, says_why_it_cannot_listen)
{
    struct kit k = {0}, other = {0};
    struct error e = {0};
    kit_open(&k);
    struct lab_web_options o = kit_prepare(&other);
    o.port = lab_web_port(k.web);
    cr_expect_eq(lab_web_new(&other.web, &o, &e), RESULT_BUSY);
    cr_expect(strstr(e.text, "in use"), "%s", e.text);
    cr_expect_null(other.web);
    o.port = 0;
    o.address = "evil.example";
    cr_expect_eq(lab_web_new(&other.web, &o, &e), RESULT_INVALID);
    cr_expect(strstr(e.text, "evil.example"), "%s", e.text);
    kit_close(&other);
    kit_close(&k);
}

Test(lab_web, ends_its_streams_when_it_stops)
{
    struct kit k = {0};
    struct buffer in = {0};
    char text[128];
    kit_open(&k);
    int len =
        snprintf(text, sizeof text, "GET /api/events HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", lab_web_port(k.web));
    int fd = kit_connect(&k);
    kit_send(fd, text, (size_t)len);
    cr_assert(kit_receive(fd, &in, KIT_PATIENCE_MS));
    lab_web_stop(k.web);
    while (kit_receive(fd, &in, KIT_PATIENCE_MS)) continue;
    const char *all = buffer_text(&in);
    cr_expect(in.len > 5 && strcmp(all + in.len - 5, "0\r\n\r\n") == 0, "%s", all);
    close(fd);
    buffer_clear(&in);
    kit_close(&k);
}

/* The first child of a process, 0: none within the time. */
static pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    for (int i = 0; i < 200 && child <= 0; i++) {
        FILE *f = fopen(path, "r");
        if (f && fscanf(f, "%d", &child) != 1) child = 0;
        if (f) fclose(f);
        if (child <= 0) kit_sleep_ms(20);
    }
    return child;
}

/* True once a process that is not our child is gone (or waits for somebody to hear of it). */
static bool is_gone(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (int i = 0; i < 200; i++) {
        FILE *f = fopen(path, "r");
        if (!f) return true;
        if (fscanf(f, "%*d %*s %c", &state) != 1) state = 'Z';
        fclose(f);
        if (state == 'Z' || state == 'X') return true;
        kit_sleep_ms(20);
    }
    return false;
}

Test(lab_web, a_signal_ends_it_with_its_children)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGKILL};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct kit k = {0};
        struct error e = {0};
        struct lab_setup setup = lab_setup_default();
        int status = 0;
        struct lab_web_options o = kit_prepare(&k);
        setup.q_ppm = 490000;
        pid_t server = fork();
        if (!server) {
            if (lab_web_new(&k.web, &o, &e) != RESULT_OK) _exit(1);
            if (web_measure_start(k.web, WEB_MEASURE_RACE, 10000000, &setup, &e) != RESULT_OK) _exit(2);
            lab_web_run(k.web);
            lab_web_free(k.web);
            _exit(7);
        }
        pid_t child = child_of(server);
        cr_assert_gt(child, 0);
        kit_sleep_ms(100);
        kill(server, signals[i]);
        cr_assert_eq(waitpid(server, &status, 0), server);
        if (signals[i] != SIGKILL) cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %d", status);
        cr_expect(is_gone(child), "signal %d leaves a child", signals[i]);
        lab_library_clear(&k.library);
    }
}
