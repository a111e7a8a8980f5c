/* Writing text, times and amounts into a page. */
#include "lab/report_internal.h"

/* Length of the UTF-8 character at TEXT; 0: it is none, or one that does not belong into a page. */
static size_t character(const unsigned char *text)
{
    if (text[0] < 0x80) return text[0] >= 0x20 && text[0] != 0x7f;
    size_t more = text[0] >= 0xf0 ? 3 : text[0] >= 0xe0 ? 2 : 1;
    if (text[0] < 0xc2 || text[0] > 0xf4) return 0;
    uint32_t point = text[0] & (0x3f >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0; /* also the end of the text */
        point = point << 6 | (text[i] & 0x3f);
    }
    bool wide = (more == 2 && point < 0x800) || (more == 3 && (point < 0x10000 || point > 0x10ffff));
    bool bad = (point >= 0xd800 && point < 0xe000) || point < 0xa0 || (point >= 0x202a && point <= 0x202e) ||
               (point >= 0x2066 && point <= 0x2069) || (point & 0xfffe) == 0xfffe;
    return wide || bad ? 0 : more + 1;
}

void report_text(struct buffer *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != 0;) {
        size_t len = character(at);
        switch (*at) {
        case '&': buffer_put_str(out, "&amp;"); break;
        case '<': buffer_put_str(out, "&lt;"); break;
        case '>': buffer_put_str(out, "&gt;"); break;
        case '"': buffer_put_str(out, "&quot;"); break;
        case '\'': buffer_put_str(out, "&#39;"); break;
        case '\n':
        case '\t': buffer_put_str(out, " "); break;
        default:
            if (len == 0)
                buffer_put_str(out, "&#xfffd;");
            else
                buffer_put(out, at, len);
        }
        at += len == 0 ? 1 : len;
    }
}

void report_time(struct buffer *out, int64_t us)
{
    if (us < 0) us = 0;
    int64_t s = us / 1000000;
    if (s >= 86400) buffer_printf(out, "%lldd ", (long long)(s / 86400));
    buffer_printf(out, "%02d:%02d:%02d", (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

void report_coins(struct buffer *out, int64_t satoshis)
{
    uint64_t amount = satoshis < 0 ? 0 - (uint64_t)satoshis : (uint64_t)satoshis;
    buffer_printf(out, "%s%llu.%08llu", satoshis < 0 ? "-" : "", (unsigned long long)(amount / 100000000),
                  (unsigned long long)(amount % 100000000));
}

void report_percent(struct buffer *out, double share)
{
    double p = share * 100;
    buffer_printf(out,
                  p >= 99.9995 || p < 0.0000005 ? "%.0f %%"
                  : p >= 1                      ? "%.3f %%"
                  : p >= 0.001                  ? "%.5f %%"
                                                : "%.2e %%",
                  p);
}

const char *report_node_name(const struct report_model *m, uint32_t node)
{
    return node < m->node_count ? m->nodes[node].name : "?";
}
