/* GET /api/theory: the three conventions at one cell, and their curves over the confirmations. */
#include <math.h>

#include "lab/theory.h"
#include "lab/web_internal.h"
#include "rpc/json_writer.h"

enum { CURVE = 10, Z_MAX = 100 };

static void put_curve(struct json_writer *j, const char *key, double (*chance)(double q, unsigned z), double q)
{
    jw_kv_array(j, key);
    for (unsigned z = 1; z <= CURVE; z++) jw_double(j, chance(q, z));
    jw_array_end(j);
}

void web_api_theory(struct lab_web *w, struct evhttp_request *req)
{
    char text[32];
    uint32_t q_ppm;
    uint64_t z;
    unsigned patience = 0;
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    (void)w;
    if (!web_query(req, "q", text, sizeof text) || !lab_parse_share(span_str(text), &q_ppm) || q_ppm > LAB_PPM) {
        web_refuse(req, 400, "q is a share: 30%%, 0.3 or 1/3");
        return;
    }
    if (!web_query(req, "z", text, sizeof text) || !web_number(text, Z_MAX, &z) || z < 1) {
        web_refuse(req, 400, "z is a number of confirmations: 1 to %d", Z_MAX);
        return;
    }
    double q = (double)q_ppm / LAB_PPM;
    jw_object(&j);
    jw_kv_double(&j, "q", q);
    jw_kv_uint(&j, "z", z);
    jw_kv_double(&j, "nakamoto", theory_nakamoto(q, (unsigned)z));
    jw_kv_double(&j, "paper", theory_paper(q, (unsigned)z));
    jw_kv_double(&j, "strict", theory_strict(q, (unsigned)z));
    put_curve(&j, "strict_curve", theory_strict, q);
    put_curve(&j, "paper_curve", theory_paper, q);
    put_curve(&j, "nakamoto_curve", theory_nakamoto, q);
    /* Nothing is lost by a majority, and nothing can be won without hash power. */
    bool contest = q_ppm > 0 && q_ppm < LAB_PPM / 2;
    jw_kv_double(&j, "break_even", contest ? theory_break_even(q, (unsigned)z, &patience) : q_ppm ? 0 : (double)NAN);
    jw_object_end(&j);
    web_reply(req, 200, "application/json", &out);
}
