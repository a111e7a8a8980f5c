/* Miniscript: scripts (as the P2WSH addresses that Bitcoin Core derives), canonical texts, what is not sane and why,
 * and reading back from script. */
#include "descriptor/miniscript.h"

#include <criterion/criterion.h>

#include "base/hex.h"
#include "descriptor/key.h"
#include "script/standard.h"

static const struct address_prefixes regtest = {111, 196, 239, {4, 53, 135, 207}, {4, 53, 131, 148}, "bcrt"};

#define A   "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define B   "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define C   "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define H20 "2222222222222222222222222222222222222222"
#define H32 "1111111111111111111111111111111111111111111111111111111111111111"

static const struct {
    const char *text, *address;
} sane[] = {
    {"wsh(or_d(pk(" A "),and_v(v:pkh(" B "),older(144))))",
     "bcrt1qf6ggxq55vq0qefpv6u76dnka0vxxamzlvm6vezjwphvgzq6lxsrqe2y2fw"},
    {"wsh(and_v(or_c(pk(" A "),v:ripemd160(" H20 ")),pk(" B ")))",
     "bcrt1q2wyy9vep07aj2l5gmvds3ssa0j85tchct2hvsj3kcgefxpahj05qeg0kwq"},
    {"wsh(thresh(2,pk(" A "),s:pk(" B "),sln:after(500000001)))",
     "bcrt1qpwq8v2xunmm3uqcjdad0exgu598aa80agsuxnjsgaud2l922shsqup79yw"},
    {"wsh(andor(pk(" A "),or_i(and_v(v:pkh(" B "),hash160(" H20 ")),older(1008)),pk(" C ")))",
     "bcrt1qdqt7gmtqdgfstejd4lkl0c3pt6ps2njqwd8hfw8zm7km3yu8f8ss875r7u"},
    {"wsh(or_b(pk(" A "),a:multi(2," B "," C ")))", "bcrt1qv6kqhtgjdv09hm26nnlfj0enejm758dcu9l3akvgw3dr3p3f967qyszp3l"},
    {"wsh(tv:pk(" A "))", "bcrt1qntqu35kly8ncucqfv7hc2v8fv558dtwqzs3c8jn9ekajqqt3ugnqfe9g8r"},
    {"wsh(c:or_i(pk_k(" A "),pk_h(" B ")))", "bcrt1qmac8xx86vu6u2ev8x7fqa56dj3p0mqjmf79250h3ep65q55xsfjqwzmaws"},
    {"wsh(c:pk_k(" A "))", "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"},
    {"wsh(or_i(multi(2," A "," B "),and_v(v:after(1600000000),pk(" C "))))",
     "bcrt1qq2jdfsh2c3hvu3q9n2ef4mlgpam0lxmvxhl37td3j0rx2ka3zpps2er2d5"},
};

static const struct {
    const char *text, *error;
} wrong[] = {
    {"wsh(and_b(pk(" A "),sj:and_v(v:pk(" B "),sha256(" H32 "))))", "sj:and_v(v:pk(" B "),sha256(" H32 ")) is invalid"},
    {"wsh(and_n(pk(" A "),or_b(pk(" B "),su:hash256(" H32 "))))", "su:hash256(" H32 ") is invalid"},
    {"wsh(or_b(pk(" A "),pk(" B ")))", "or_b(pk(" A "),pk(" B ")) is invalid"},
    {"wsh(or_d(pk(" A "),pk(" A ")))", "or_d(pk(" A "),pk(" A ")) is not sane: contains duplicate public keys"},
    {"wsh(and_v(v:pk(" A "),and_v(v:older(1),older(4194305))))",
     "and_v(v:older(1),older(4194305)) is not sane: contains mixes of timelocks expressed in blocks and seconds"},
    {"wsh(and_v(v:pk(" A "),and_v(v:after(1),after(500000000))))",
     "and_v(v:after(1),after(500000000)) is not sane: contains mixes of timelocks expressed in blocks and seconds"},
    {"wsh(older(1))", "older(1) is not sane: witnesses without signature exist"},
    {"wsh(and_v(v:pk(" A "),or_i(older(1),older(2))))",
     "or_i(older(1),older(2)) is not sane: malleable witnesses exist"},
    {"wsh(and_v(v:pk(" A "),0))", "and_v(v:pk(" A "),0) is not satisfiable"},
    {"wsh(or_i(pk(" A "),older(0)))", "A function is needed within P2WSH"},
    {"wsh(or_i(pk(" A "),older(2147483648)))", "A function is needed within P2WSH"},
    {"wsh(vv:pk(" A "))", "A function is needed within P2WSH"},
    {"wsh(and_v(v:pk(" A "),thresh(0,pk(" B "))))", "A function is needed within P2WSH"},
    {"wsh(and_v(v:pk(" A "),multi_a(1," B ")))", "A function is needed within P2WSH"},
    {"sh(and_v(v:pk(" A "),pk(" B ")))", "A function is needed within P2SH"},
};

static void put_address(struct buffer *out, struct span script)
{
    struct destination dest;
    script_destination(&dest, script);
    (void)address_encode(out, &dest, &regtest);
}

Test(miniscript, sane_expressions_give_the_scripts_of_core)
{
    for (size_t i = 0; i < sizeof sane / sizeof *sane; i++) {
        struct descriptor_scripts s;
        char error[DESCRIPTOR_ERROR_TEXT];
        struct buffer address = {0};
        cr_assert(descriptor_expand(&s, span_str(sane[i].text), false, &regtest, error), "%s: %s", sane[i].text, error);
        put_address(&address, buffer_span(&s.script[0]));
        cr_expect_str_eq(buffer_text(&address), sane[i].address, "%s", sane[i].text);
        buffer_clear(&address);
        descriptor_scripts_clear(&s);
    }
}

Test(miniscript, others_are_refused_with_the_part_that_is_at_fault)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct descriptor_scripts s;
        char error[DESCRIPTOR_ERROR_TEXT];
        cr_assert_not(descriptor_expand(&s, span_str(wrong[i].text), false, &regtest, error), "%s", wrong[i].text);
        cr_expect_str_eq(error, wrong[i].error, "%s", wrong[i].text);
    }
}

/* More than the 201 opcodes that a witness script may run, and more than the 100 items that its witness may have. */
Test(miniscript, resource_limits_hold)
{
    struct descriptor_scripts s;
    char error[DESCRIPTOR_ERROR_TEXT];
    struct buffer text = {0};
    buffer_put_str(&text, "wsh(and_v(v:pk(" A "),");
    for (int i = 0; i < 190; i++) buffer_put_str(&text, "n");
    buffer_put_str(&text, ":older(1)))");
    cr_expect(descriptor_expand(&s, buffer_span(&text), false, &regtest, error), "%s", error);
    descriptor_scripts_clear(&s);
    text.len = 0;
    buffer_put_str(&text, "wsh(and_v(v:pk(" A "),");
    for (int i = 0; i < 210; i++) buffer_put_str(&text, "n");
    buffer_put_str(&text, ":older(1)))");
    cr_expect_not(descriptor_expand(&s, buffer_span(&text), false, &regtest, error));
    cr_expect(strstr(error, "needs witnesses that may exceed resource limits"), "%s", error);
    buffer_clear(&text);
}

Test(miniscript, a_private_key_is_not_shown_in_an_error)
{
    static const char wif[] = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA";
    struct descriptor_scripts s;
    char error[DESCRIPTOR_ERROR_TEXT];
    struct buffer text = {0};
    buffer_printf(&text, "wsh(or_i(pk(%s),1))", wif);
    cr_assert_not(descriptor_expand(&s, buffer_span(&text), false, &regtest, error));
    cr_expect(strstr(error, "malleable") || strstr(error, "signature"), "%s", error);
    cr_expect_not(strstr(error, wif), "%s", error);
    buffer_clear(&text);
}

Test(miniscript, what_is_published_is_in_canonical_form)
{
    struct buffer out = {0};
    descriptor_public(&out, span_str("wsh(or_i(and_v(vc:pk_h(" A "),1),0))"), &regtest, 0);
    cr_expect(strncmp(buffer_text(&out), "wsh(utv:pkh(" A "))#", strlen("wsh(utv:pkh(" A "))#")) == 0, "%s",
              buffer_text(&out));
    out.len = 0;
    descriptor_public(&out, span_str("tr(" C ",{c:pk_k(" A "),and_v(v:pk(" B "),older(1))})"), &regtest, 0);
    cr_expect(strstr(buffer_text(&out), "{pk(" A "),and_v(v:pk(" B "),older(1))}"), "%s", buffer_text(&out));
    buffer_clear(&out);
}

/* Text to script to text: the same, but for keys that stand behind hashes. */
Test(miniscript, scripts_are_read_back)
{
    static const char *const texts[] = {
        "or_i(multi(2," A "," B "),and_v(v:after(1600000000),pk(" C ")))",
        "thresh(2,pk(" A "),s:pk(" B "),sln:after(500000001))",
        "and_v(or_c(pk(" A "),v:ripemd160(" H20 ")),pk(" B "))",
        "and_n(pk(" A "),or_i(pk(" B "),and_v(v:sha256(" H32 "),older(3))))",
        "or_d(multi(1," A "),and_v(v:older(4032),multi(2," B "," C ")))",
        "and_b(pk(" A "),a:or_b(pk(" B "),s:pk(" C ")))",
        "or_d(j:and_v(v:multi(1," A "),hash256(" H32 ")),and_v(v:pk(" B "),dv:older(7)))",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char error[DESCRIPTOR_ERROR_TEXT] = "";
        struct descriptor_parser p = {.prefixes = &regtest, .error = error};
        struct arena arena = {0};
        struct buffer script = {0}, read = {0};
        struct ms_node *n = ms_from_text(&p, span_str(texts[i]), false, &arena);
        cr_assert(n, "%s: %s", texts[i], error);
        ms_script(&script, n);
        cr_expect_eq(script.len, n->script_len, "%s: %zu", texts[i], script.len);
        struct ms_node *again = ms_from_script(buffer_span(&script), &arena);
        cr_assert(again, "%s", texts[i]);
        ms_text(&read, again, false);
        cr_expect_str_eq(buffer_text(&read), texts[i]);
        buffer_clear(&script);
        buffer_clear(&read);
        arena_clear(&arena);
    }
}

/* Every script that is cut short, or has one byte changed, is read or refused, never more. */
Test(miniscript, no_script_does_harm)
{
    char error[DESCRIPTOR_ERROR_TEXT] = "";
    struct descriptor_parser p = {.prefixes = &regtest, .error = error};
    struct arena arena = {0};
    struct buffer script = {0};
    struct ms_node *n = ms_from_text(
        &p, span_str("andor(pk(" A "),thresh(2,pk(" B "),s:pk(" C "),a:older(9)),sha256(" H32 "))"), false, &arena);
    cr_assert(n);
    ms_script(&script, n);
    for (size_t len = 0; len < script.len; len++) (void)ms_from_script(span_of(script.data, len), &arena);
    for (size_t at = 0; at < script.len; at++) {
        for (unsigned v = 0; v < 256; v += 3) {
            uint8_t before = script.data[at];
            script.data[at] = (uint8_t)v;
            struct ms_node *m = ms_from_script(buffer_span(&script), &arena);
            struct buffer again = {0};
            if (m) ms_script(&again, m);
            cr_expect(!m || span_equal(buffer_span(&again), buffer_span(&script)), "byte %zu is %u", at, v);
            buffer_clear(&again);
            script.data[at] = before;
        }
        arena_reset(&arena);
    }
    buffer_clear(&script);
    arena_clear(&arena);
}
