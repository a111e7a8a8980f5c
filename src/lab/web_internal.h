/* What the files of the server (web*.c) share. One thread: requests, streams, measurements and the source's going on
 * all happen in one loop of libevent. */
#ifndef CAIRN_LAB_WEB_INTERNAL_H
#define CAIRN_LAB_WEB_INTERNAL_H

#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "lab/web.h"

#define WEB_SPEED_MAX 100000

/* What a stranger may use up. Tests make them small. */
struct web_limits {
    unsigned connections, streams;
    size_t waiting_bytes;  /* of one stream, in memory; what is beyond waits in the source's list of events */
    int silence_s;         /* of a connection without a whole request */
    int unread_s;          /* of a stream that takes nothing */
    unsigned keep_alive_s; /* a stream with nothing to say says so */
};

/* One browser that listens. */
struct web_stream {
    struct lab_web *web;
    struct web_stream *prev, *next;
    struct evhttp_request *req;
    uint64_t seq;               /* the event that is to be sent next */
    bool reset, state, measure; /* these are to be sent, too */
};

struct web_measure;

struct lab_web {
    struct lab_web_options options;
    struct web_limits limits;
    uint16_t port;
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener;
    struct event *wake, *tick, *housekeeping;
    int wake_fd; /* an eventfd: lab_web_stop */
    bool stopping;
    /* the play */
    bool playing;
    double speed;       /* virtual seconds a second */
    int64_t clock_us;   /* virtual time that should have come */
    int64_t ticked_us;  /* machine's time of the last tick */
    uint64_t branch;    /* starts and rewinds */
    uint64_t looked_at; /* events looked through for an outcome */
    bool has_outcome;
    char outcome[LAB_TEXT];
    int64_t told_us; /* when the streams last got the state, and of what */
    uint64_t told_seq;
    bool told_over;
    /* those who listen */
    struct web_stream *streams;
    unsigned stream_count;
    unsigned idle_s4;              /* quarters of a second since the last sign of life in the streams */
    struct web_measure *measuring; /* NULL: nothing is being measured */
    struct buffer measured;        /* the last `measure`, as JSON */
};

int64_t web_real_us(void); /* monotonic */

/* ---- web_play.c ---- */
void web_play_set(struct lab_web *w, bool playing);
/* Something was ordered or went on: events and, where they changed, states go out. FORCE: the state in any case. */
void web_play_changed(struct lab_web *w, bool force);
/* The events from SEQ on are void. */
void web_play_cut(struct lab_web *w, uint64_t seq);
void web_play_on_tick(evutil_socket_t fd, short what, void *web);
void web_play_state_json(struct lab_web *w, struct buffer *out);

/* ---- web_stream.c ---- */
void web_stream_open(struct lab_web *w, struct evhttp_request *req);
void web_stream_fill_all(struct lab_web *w);
void web_stream_keep_alive(struct lab_web *w);
/* Ends all; what was written still goes out while the loop runs. */
void web_stream_end_all(struct lab_web *w);

/* ---- web_http.c ---- */
void web_on_request(struct evhttp_request *req, void *web);
void web_reply(struct evhttp_request *req, int status, const char *type, struct buffer *body);
void web_refuse(struct evhttp_request *req, int status, const char *format, ...) PRINTF_LIKE(3, 4);
void web_put_headers(struct evhttp_request *req, const char *type);
/* A parameter of the query, in OUT; false: it is not there, or too long. */
bool web_query(struct evhttp_request *req, const char *name, char *out, size_t size);
/* A decimal number up to LIMIT. */
bool web_number(const char *text, uint64_t limit, uint64_t *out);

/* ---- web_api.c, web_theory.c: one answer each ---- */
void web_api_scenarios(struct lab_web *w, struct evhttp_request *req);
void web_api_settings(struct lab_web *w, struct evhttp_request *req);
void web_api_state(struct lab_web *w, struct evhttp_request *req);
void web_api_theory(struct lab_web *w, struct evhttp_request *req);
void web_api_start(struct lab_web *w, struct evhttp_request *req);
void web_api_control(struct lab_web *w, struct evhttp_request *req);
void web_api_command(struct lab_web *w, struct evhttp_request *req);
void web_api_rpc(struct lab_web *w, struct evhttp_request *req);
void web_api_measure(struct lab_web *w, struct evhttp_request *req);
MUST_USE enum result web_start(struct lab_web *w, const struct lab_scenario *scenario, struct error *e);

/* ---- web_measure.c ---- */
enum web_measure_kind { WEB_MEASURE_RACE, WEB_MEASURE_NODES };
MUST_USE enum result web_measure_start(struct lab_web *w, enum web_measure_kind kind, uint64_t trials,
                                       const struct lab_setup *setup, struct error *e);
/* No child is left afterwards. */
void web_measure_stop(struct lab_web *w);

#endif
