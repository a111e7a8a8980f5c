/* The report as a page: head, style, summary, then its parts in order. */
#include <string.h>

#include "base/hex.h"
#include "lab/report_internal.h"

/* Colours: Okabe and Ito's palette, told apart by colour-blind readers; no meaning is in colour alone. */
static const char STYLE[] =
    ":root{--paper:#fff;--ink:#1b1b1b;--soft:#5a5a5a;--line:#d0d0d0;--tint:#f4f4f1;--honest:#0072b2;--attacker:#d55e00;"
    "--merchant:#009e73;--outlet:#b06a00;--watcher:#7a7a7a;--nakamoto:#a8527f;--onhonest:#fff;--onattacker:#000}\n"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e9e9e6;--soft:#a9a9a6;--line:#3a3d42;--tint:#1f2226;"
    "--honest:#56b4e9;--attacker:#e8742a;--merchant:#2fc79b;--outlet:#e69f00;--watcher:#9a9a9a;--nakamoto:#cc79a7;--"
    "onhonest:#000}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--paper);color:var(--ink);font:16px/1.5 "
    "system-ui,sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 "
    ".5rem}h3{font-size:1rem;margin:1rem 0 .3rem}\n"
    "p{max-width:46rem;margin:.4rem 0}code{font:.85em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\n"
    "pre{background:var(--tint);padding:.6rem .8rem;overflow-x:auto;white-space:pre-wrap}\n"
    ".wide{overflow-x:auto;margin:.5rem 0}table{border-collapse:collapse;font-size:.9rem}\n"
    "th,td{text-align:left;padding:.2rem .9rem .2rem 0;border-bottom:1px solid "
    "var(--line);vertical-align:top;white-space:nowrap}\n"
    "th{font-weight:600}.w{white-space:normal;min-width:14rem;color:var(--soft)}.bad{color:var(--attacker);font-weight:"
    "600}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:1rem "
    "0;padding:0;list-style:none}\n"
    ".facts li{background:var(--tint);padding:.5rem .7rem;border-left:4px solid var(--honest)}.facts "
    ".lost{border-color:var(--attacker)}\n"
    ".facts b{display:block;font-size:1.2rem;overflow-wrap:anywhere}.facts span{font-size:.8rem;color:var(--soft)}\n"
    ".story{list-style:none;margin:0;padding:0;max-width:52rem}.story li{display:grid;grid-template-columns:7rem "
    "1fr;gap:.5rem;"
    "padding:.2rem 0;border-bottom:1px solid var(--line)}.story "
    "time{color:var(--soft);font-variant-numeric:tabular-nums;font-size:.85rem}\n"
    ".story .say{background:var(--tint);padding:.5rem .4rem;border-left:4px solid var(--merchant)}.story .alarm "
    "span{font-weight:600}\n"
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.3rem 0;font-size:.85rem}"
    ".legend li{display:flex;align-items:center;gap:.4rem}\n"
    "svg{display:block}svg.tree{max-width:none;height:auto;margin-bottom:.3rem}svg.chart{width:100%;min-width:32rem;"
    "max-width:52rem;height:auto}\n"
    "svg text{font:11px "
    "system-ui,sans-serif;fill:var(--ink)}.h{text-anchor:middle;fill:var(--soft)!important;font-size:10px!important}\n"
    ".n{text-anchor:middle;font-size:10.5px!important}.n.light{fill:var(--onhonest)}.n.dark{fill:var(--onattacker)}\n"
    ".fold{text-anchor:middle;font-size:10px!important}.t.m{text-anchor:middle}.t.e{text-anchor:end}\n"
    "circle.ho{fill:var(--honest);stroke:var(--honest)}rect.at{fill:var(--attacker);stroke:var(--attacker)}\n"
    "circle.st,rect.st{fill:var(--paper)}rect.hi,circle.hi{fill:var(--paper);stroke-dasharray:3 "
    "3}circle,rect{stroke-width:2}"
    "rect.sh{stroke:var(--ink)}circle.sh{stroke:var(--ink)}rect.sh.st{stroke:var(--attacker);stroke-width:3}\n"
    ".root{fill:var(--tint);stroke:var(--ink)}.strike{stroke:var(--soft);stroke-width:1;stroke-opacity:.5}.paid{fill:"
    "var(--merchant);"
    "stroke:none}\n"
    ".ed{fill:none;stroke:var(--soft);stroke-width:1.5}.ed.f{stroke:var(--ink);stroke-width:4}.dots{stroke-dasharray:2 "
    "4}\n"
    ".frame{fill:none;stroke:var(--line);stroke-width:1}.grid{stroke:var(--line);stroke-width:1;fill:none}\n"
    ".l{fill:none;stroke-width:2;stroke:var(--honest)}.l.at{stroke:var(--attacker);stroke-dasharray:6 "
    "3;stroke-width:2.5}"
    ".l.me{stroke:var(--merchant);stroke-width:4}.l.ou{stroke:var(--outlet);stroke-dasharray:2 "
    "3}.l.wa{stroke:var(--watcher);stroke-width:1}\n"
    ".l.na{stroke:var(--nakamoto);stroke-dasharray:2 "
    "3;stroke-width:2.5}.l.pa{stroke:var(--merchant);stroke-dasharray:8 4;stroke-width:2.5}"
    ".l.sr{stroke:var(--honest);stroke-width:2.5}\n"
    ".here{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 "
    "3}.bar{stroke:var(--ink);stroke-width:2;fill:none}.point{fill:var(--ink);stroke:none}\n"
    "footer{margin-top:2rem;color:var(--soft);font-size:.85rem}\n"
    "@media (max-width:34rem){.story li{grid-template-columns:1fr;gap:0}body{padding:.7rem}}\n"
    "@media print{body{max-width:none;font-size:10pt}section{break-inside:auto}h2{break-after:avoid}svg,tr,.story "
    "li{break-inside:avoid}"
    ".wide{overflow:visible}svg.tree{max-width:100%}svg.chart{min-width:0}*{print-color-adjust:exact;-webkit-print-"
    "color-adjust:exact}}\n";

static void head(struct buffer *out, const struct lab_scenario *s)
{
    buffer_put_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
                        "<meta name=\"color-scheme\" content=\"light dark\" />\n"
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src "
                        "&#39;unsafe-inline&#39;\" />\n"
                        "<title>");
    report_text(out, s->title[0] != 0 ? s->title : s->name);
    buffer_put_str(out, " \xe2\x80\x93 cairn-lab</title>\n<style>\n");
    buffer_put_str(out, STYLE);
    buffer_put_str(out, "</style>\n</head>\n<body>\n");
}

static void paragraph(struct buffer *out, const char *label, const char *text)
{
    if (text[0] == 0) return;
    buffer_printf(out, "<p>%s", label);
    report_text(out, text);
    buffer_put_str(out, "</p>\n");
}

static void fact_begin(struct buffer *out, bool bad)
{
    buffer_printf(out, "<li%s><b>", bad ? " class=\"lost\"" : "");
}

static void fact_end(struct buffer *out, const char *says)
{
    buffer_printf(out, "</b><span>%s</span></li>\n", says);
}

static int64_t lost_coins(const struct report_model *m)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->order_count; i++) {
        const struct report_order *o = &m->orders[i];
        bool sane = o->satoshis >= 0 && o->satoshis <= 2100000000000000;
        if (sane && sum <= 2100000000000000 && strcmp(o->state, "lost") == 0) sum += o->satoshis;
    }
    return sum;
}

static void facts(struct buffer *out, const struct report_model *m)
{
    buffer_put_str(out, "<ul class=\"facts\">\n");
    fact_begin(out, m->end != NULL && strcmp(m->end, "stolen") == 0);
    report_text(out, m->end == NULL ? "not over" : m->end);
    fact_end(out, "outcome");
    fact_begin(out, false);
    report_time(out, m->end_us);
    fact_end(out, "time in the laboratory");
    fact_begin(out, false);
    buffer_printf(out, "%llu + %llu", (unsigned long long)m->found[0], (unsigned long long)m->found[1]);
    fact_end(out, "blocks found: honest + attacker");
    fact_begin(out, false);
    buffer_printf(out, "%llu + %llu", (unsigned long long)m->in_chain[0], (unsigned long long)m->in_chain[1]);
    fact_end(out, "blocks in the chain that won");
    fact_begin(out, m->deepest > 2);
    buffer_printf(out, "%lld", (long long)m->deepest);
    fact_end(out, "deepest reorganisation, blocks");
    if (m->order_count > 0) {
        fact_begin(out, lost_coins(m) > 0);
        report_coins(out, lost_coins(m));
        while (out->data[out->len - 1] == '0') out->len--;
        if (out->data[out->len - 1] == '.') out->len--;
        fact_end(out, "BTC that the merchant lost");
    }
    buffer_put_str(out, "</ul>\n");
}

static void summary(struct buffer *out, const struct report_model *m)
{
    const struct lab_scenario *s = m->r->scenario;
    buffer_put_str(out, "<header>\n<h1>");
    report_text(out, s->title[0] != 0 ? s->title : s->name);
    buffer_put_str(out, "</h1>\n");
    paragraph(out, "", s->about);
    paragraph(out, "<b>Question:</b> ", s->question);
    paragraph(out, "<b>Answer:</b> ", s->answer);
    facts(out, m);
    if (m->r->replay != NULL) {
        buffer_put_str(out, "<p>The same again, to the last byte:</p>\n<pre><code>");
        report_text(out, m->r->replay);
        buffer_put_str(out, "</code></pre>\n");
    }
    buffer_put_str(out, "</header>\n<main>\n");
}

void lab_report_html(struct buffer *out, const struct lab_report *r)
{
    struct report_model m;
    char hash[65];
    report_model_make(&m, r);
    head(out, r->scenario);
    summary(out, &m);
    report_story(out, &m);
    report_tree(out, &m);
    report_tips(out, &m);
    report_ledger(out, &m);
    report_reorgs(out, &m);
    report_revenue(out, &m);
    report_theory(out, &m);
    report_settings(out, &m);
    hex_encode(hash, r->log_hash, 32);
    buffer_printf(out,
                  "</main>\n<footer>\n<p>%zu events; their hash (SHA-256 chain over the log): <code>%s</code></p>\n"
                  "<p>Made by cairn-lab. This file needs nothing else.</p>\n</footer>\n</body>\n</html>\n",
                  r->event_count, hash);
    report_model_clear(&m);
}
