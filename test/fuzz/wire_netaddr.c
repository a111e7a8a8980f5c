/* Texts of addresses, endpoints and subnets: what parses must print to a text that parses to the same. */
#include "base/check.h"
#include "wire/sanitize.h"
#include "wire/subnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct netaddr a, b;
    struct endpoint e, f;
    char addr[NETADDR_TEXT], with_port[ENDPOINT_TEXT], net[SUBNET_TEXT], clean[40];
    if (netaddr_parse(&a, text)) {
        CHECK(a.net != NET_INTERNAL && netaddr_parse(&b, span_str(netaddr_text(addr, &a))));
        CHECK(netaddr_equal(&a, &b) && a.scope == b.scope);
    }
    if (endpoint_parse(&e, text, 8333)) {
        CHECK(endpoint_parse(&f, span_str(endpoint_text(with_port, &e)), 1));
        CHECK(endpoint_equal(&e, &f));
    }
    for (int cjdns = 0; cjdns < 2; cjdns++) {
        struct subnet s = subnet_parse(text, cjdns), t;
        if (!s.valid) continue;
        t = subnet_parse(span_str(subnet_text(net, &s)), cjdns);
        CHECK(subnet_equal(&s, &t));
        CHECK(!netaddr_is_valid(&s.network) || subnet_match(&s, &s.network));
    }
    CHECK(strlen(sanitize(clean, sizeof(clean), text)) <= size);
    return 0;
}
