/* Targets, retargets, chain work, ancestors, subsidies: against tables and plain twins. */
#include "fixture.h"

#include "consensus/pow.h"

static uint32_t hex_bits(json_t *row, const char *key)
{
    return (uint32_t)strtoul(json_string_value(json_object_get(row, key)), NULL, 16);
}

static uint32_t number(json_t *row, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(row, key));
}

static const struct chain_params *network(const char *name)
{
    if (strcmp(name, "mainnet") == 0) return chain_params_get(CHAIN_MAIN);
    if (strcmp(name, "testnet3") == 0) return chain_params_get(CHAIN_TESTNET3);
    if (strcmp(name, "testnet4") == 0) return chain_params_get(CHAIN_TESTNET4);
    cr_assert_fail("network %s", name);
    return NULL;
}

Test(consensus_pow, retargets)
{
    if (!data_present(CAIRN_TEST_DATA, "retargets")) return;
    json_t *cases = data_json(CAIRN_TEST_DATA, "headers/retargets.json"), *row;
    size_t i;
    json_array_foreach(cases, i, row)
    {
        const struct chain_params *p = network(json_string_value(json_object_get(row, "network")));
        uint32_t last_bits = hex_bits(row, "period_last_bits"), bits = hex_bits(row, "new_bits");
        cr_assert_eq(pow_retarget(last_bits, number(row, "period_last_time"), hex_bits(row, "period_first_bits"),
                                  number(row, "period_first_time"), p),
                     bits, "case %zu", i);
        cr_assert(pow_permitted_transition(p, (int32_t)number(row, "height"), last_bits, bits), "case %zu", i);
    }
    print_count("retargets", json_array_size(cases));
    json_decref(cases);
}

/* Retargets at and beyond the clamp of four, at the limit, and with other networks' rules. */
Test(consensus_pow, retarget_edges)
{
    const struct chain_params *p = chain_params_get(CHAIN_MAIN), *regtest = chain_params_get(CHAIN_REGTEST);
    const uint32_t t0 = 1000000, span = 1209600, bits = 0x1b0404cb;
    uint32_t quarter = pow_retarget(bits, t0 + span / 4, bits, t0, p);
    uint32_t fourfold = pow_retarget(bits, t0 + span * 4, bits, t0, p);
    cr_assert_eq(pow_retarget(bits, t0 + span, bits, t0, p), bits);
    cr_assert_eq(pow_retarget(bits, t0 + span / 4 - 1, bits, t0, p), quarter);
    cr_assert_eq(pow_retarget(bits, t0 - 5000, bits, t0, p), quarter); /* time runs backwards */
    cr_assert_eq(pow_retarget(bits, t0 + span * 4 + 1, bits, t0, p), fourfold);
    cr_assert_neq(pow_retarget(bits, t0 + span * 4 - 10000, bits, t0, p), fourfold);
    cr_assert_eq(pow_retarget(0x1d00ffff, t0 + span * 2, 0x1d00ffff, t0, p), 0x1d00ffffu);
    cr_assert_eq(pow_retarget(0x207fffff, t0, 0x1d00ffff, t0, regtest), 0x207fffffu);

    cr_assert(pow_permitted_transition(p, 2016, bits, quarter) && pow_permitted_transition(p, 2016, bits, fourfold));
    cr_assert_not(pow_permitted_transition(p, 2016, bits, quarter - 1));
    cr_assert_not(pow_permitted_transition(p, 2016, bits, fourfold + 1));
    cr_assert_not(pow_permitted_transition(p, 2017, bits, bits - 1));
    cr_assert(pow_permitted_transition(p, 2017, bits, bits));
    cr_assert(pow_permitted_transition(chain_params_get(CHAIN_TESTNET3), 2017, bits, bits - 1));
    print_count("retarget edges", 14);
}

static size_t check_period_starts(const char *name, const struct chain_params *p)
{
    struct buffer csv = data_read(CAIRN_TEST_DATA, name);
    buffer_text(&csv);
    char *at = NULL;
    strtok_r((char *)csv.data, "\r\n", &at); /* the names of the columns */
    struct u256 work = {{0}};
    uint32_t bits = 0;
    int32_t last_height = 0;
    size_t steps = 0;
    for (char *line; (line = strtok_r(NULL, "\r\n", &at));) {
        uint8_t work_bytes[32], raw[HEADER_BYTES];
        int32_t height = (int32_t)strtol(line, &line, 10);
        cr_assert(hex_decode(work_bytes, 32, (line[65] = 0, line + 1)) && hex_decode(raw, HEADER_BYTES, line + 66));
        struct reader r = reader_of(span_of(raw, sizeof(raw)));
        struct block_header h;
        struct block_hash hash;
        block_header_read(&h, &r);
        block_header_hash(&hash, &h);
        cr_assert(pow_check(&hash, h.bits, p), "%s %d", name, height);
        struct u256 expected = u256_from_be(work_bytes);
        if (bits) {
            cr_assert_eq(height - last_height, 2016);
            work = u256_add(work, u256_add(u256_mul_u32(pow_work(bits), 2015), pow_work(h.bits)));
            cr_assert_eq(u256_cmp(work, expected), 0, "%s %d", name, height);
            cr_assert(pow_permitted_transition(p, height, bits, h.bits), "%s %d", name, height);
            steps++;
        }
        work = expected;
        bits = h.bits;
        last_height = height;
    }
    buffer_clear(&csv);
    return steps;
}

Test(consensus_pow, chainwork_of_period_starts)
{
    if (!data_present(CAIRN_TEST_DATA, "period starts")) return;
    size_t mainnet = check_period_starts("headers/mainnet-period-starts.csv", chain_params_get(CHAIN_MAIN));
    size_t signet = check_period_starts("headers/signet-period-starts.csv", chain_params_get(CHAIN_SIGNET));
    cr_assert_eq(mainnet, 435u);
    cr_assert_eq(signet, 113u);
    print_count("mainnet chainwork steps", mainnet);
    print_count("signet chainwork steps", signet);
}

Test(consensus_pow, compact_table)
{
    static const struct {
        uint32_t bits, again; /* again: what the expanded target is written as */
        const char *target;   /* without leading zeroes */
        bool negative, overflow;
    } rows[] = {
        {0x00000000, 0, "", false, false},
        {0x00123456, 0, "", false, false},
        {0x01003456, 0, "", false, false},
        {0x02000056, 0, "", false, false},
        {0x04000000, 0, "", false, false},
        {0x00923456, 0, "", false, false},
        {0x01803456, 0, "", false, false},
        {0x01123456, 0x01120000, "12", false, false},
        {0x01fedcba, 0x017e0000, "7e", true, false},
        {0x02123456, 0x02123400, "1234", false, false},
        {0x03123456, 0x03123456, "123456", false, false},
        {0x04123456, 0x04123456, "12345600", false, false},
        {0x04923456, 0x04123456, "12345600", true, false},
        {0x05009234, 0x05009234, "92340000", false, false},
        {0x20123456, 0x20123456, "1234560000000000000000000000000000000000000000000000000000000000", false, false},
        {0x1d00ffff, 0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000", false, false},
        {0x2100ffff, 0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000", false, false},
        {0x21010000, 0, "", false, true},
        {0x220000ff, 0x2100ff00, "ff00000000000000000000000000000000000000000000000000000000000000", false, false},
        {0x22000100, 0, "", false, true},
        {0x23000001, 0, "", false, true},
        {0xff123456, 0, "", false, true},
        {0xff000000, 0, "", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool negative, overflow;
        struct u256 t = compact_to_target(rows[i].bits, &negative, &overflow);
        char text[65];
        u256_to_hex(text, t);
        cr_assert_str_eq(text + strspn(text, "0"), rows[i].target, "%08x", rows[i].bits);
        cr_assert_eq(negative, rows[i].negative, "%08x", rows[i].bits);
        cr_assert_eq(overflow, rows[i].overflow, "%08x", rows[i].bits);
        cr_assert_eq(target_to_compact(t), rows[i].again, "%08x gives %08x", rows[i].bits, target_to_compact(t));
        if (negative || overflow || u256_is_zero(t)) cr_assert(u256_is_zero(pow_work(rows[i].bits)));
    }
    cr_assert_eq(u256_cmp(pow_work(0x1d00ffff), u256_from_u64(0x100010001)), 0);
    cr_assert_eq(u256_cmp(pow_work(0x207fffff), u256_from_u64(2)), 0);
    print_count("compact targets", ARRAY_LEN(rows));
}

Test(consensus_pow, check_at_the_target)
{
    const struct chain_params *p = chain_params_get(CHAIN_MAIN);
    struct block_hash hash;
    struct u256 target = compact_to_target(0x1b0404cb, NULL, NULL);
    u256_to_le(hash.bytes, target);
    cr_assert(pow_check(&hash, 0x1b0404cb, p));
    u256_to_le(hash.bytes, u256_add(target, u256_from_u64(1)));
    cr_assert_not(pow_check(&hash, 0x1b0404cb, p));
    memset(&hash, 0, sizeof(hash));
    cr_assert(pow_check(&hash, 0x1d00ffff, p));
    cr_assert_not(pow_check(&hash, 0x1d010000, p)); /* above the limit */
    cr_assert_not(pow_check(&hash, 0, p));
    cr_assert_not(pow_check(&hash, 0x1d80ffff, p)); /* negative */
    cr_assert_not(pow_check(&hash, 0xff123456, p));
}

Test(consensus_pow, difficulty)
{
    static const struct {
        uint32_t bits;
        double difficulty;
    } rows[] = {
        {0x1f111111, 0.000001},
        {0x1ef88f6f, 0.000016},
        {0x1df88f6f, 0.004023},
        {0x1cf88f6f, 1.029916},
        {0x12345678, 5913134931067755359633408.0},
        {0x1d00ffff, 1.0},
        {0x1b0404cb, 16307.420938523983},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double d = pow_difficulty(rows[i].bits), off = d - rows[i].difficulty;
        cr_assert(off < 1e-6 * (1 + d) && off > -1e-6 * (1 + d), "%08x: %f", rows[i].bits, d);
    }
    print_count("difficulties", ARRAY_LEN(rows));
}

/* The 20-minute rule of the test networks. */
Test(consensus_pow, min_difficulty)
{
    const struct chain_params *p = chain_params_get(CHAIN_TESTNET3);
    const uint32_t limit = p->pow_limit_bits, real = 0x1c00ffff;
    struct header_node n[2020] = {0};
    for (size_t i = 0; i < ARRAY_LEN(n); i++)
        chain_link(&n[i], i ? &n[i - 1] : NULL, 1000000 + 600 * (uint32_t)i, i % 3 ? limit : real, 1);
    cr_assert_eq(pow_next_bits(&n[10], n[10].time + 1201, p), limit);
    cr_assert_eq(pow_next_bits(&n[10], n[10].time + 1200, p), real); /* from n[9] */
    cr_assert_eq(pow_next_bits(&n[11], n[11].time, p), real);
    for (size_t i = 0; i < ARRAY_LEN(n); i++)
        chain_link(&n[i], i ? &n[i - 1] : NULL, 1000000 + 600 * (uint32_t)i, i < 2016 ? real : limit, 1);
    cr_assert_eq(pow_next_bits(&n[2018], n[2018].time, p), limit); /* not back over the start of the period */
    cr_assert_eq(pow_next_bits(&n[2018], n[2018].time, chain_params_get(CHAIN_MAIN)), limit);
    /* Nor over genesis. */
    for (size_t i = 0; i < 4; i++) chain_link(&n[i], i ? &n[i - 1] : NULL, 1000000, limit, 1);
    cr_assert_eq(pow_next_bits(&n[3], 1000000, p), limit);
}

static const struct header_node *naive_ancestor(const struct header_node *n, int32_t height)
{
    if (height < 0 || height > n->height) return NULL;
    while (n->height > height) n = n->prev;
    return n;
}

/* A tree: a trunk and branches off it and off each other. */
Test(consensus_pow, ancestors_and_forks)
{
    enum { NODES = 6000 };
    struct header_node *n = mem_calloc(NODES, sizeof(*n));
    struct random random;
    random_init_u64(&random, 7);
    for (size_t i = 0; i < NODES; i++) {
        const struct header_node *prev = i ? &n[i - 1] : NULL;
        if (i && random_below(&random, 300) == 0) prev = &n[random_below(&random, i)];
        chain_link(&n[i], prev, (uint32_t)random_below(&random, 1000000), 0x207fffff, (int32_t)i);
        uint32_t highest = 0;
        if (i % 50 == 0)
            for (const struct header_node *a = &n[i]; a; a = a->prev)
                if (a->time > highest) highest = a->time;
        if (i % 50 == 0) cr_assert_eq(n[i].time_max, highest);
        cr_assert_eq(n[i].chainwork.w[0], 2 * ((uint64_t)n[i].height + 1));
    }
    for (size_t i = 0; i < 20000; i++) {
        const struct header_node *a = &n[random_below(&random, NODES)], *b = &n[random_below(&random, NODES)];
        int32_t height = (int32_t)random_below(&random, (uint64_t)a->height + 3) - 1;
        cr_assert_eq(header_ancestor(a, height), naive_ancestor(a, height));
        const struct header_node *x = a, *y = b;
        while (x != y) {
            if (x->height >= y->height)
                x = x->prev;
            else
                y = y->prev;
        }
        cr_assert_eq(header_fork(a, b), x);
    }
    struct header_node other[2];
    chain_link(&other[0], NULL, 1, 0x207fffff, 1);
    chain_link(&other[1], &other[0], 1, 0x207fffff, 1);
    cr_assert_null(header_fork(&other[1], &n[100]));
    free(n);
    print_count("ancestors and forks against a plain walk", 20000);
}

Test(consensus_pow, median_time)
{
    struct random random;
    random_init_u64(&random, 11);
    struct header_node n[40];
    for (size_t i = 0; i < ARRAY_LEN(n); i++) {
        chain_link(&n[i], i ? &n[i - 1] : NULL, (uint32_t)random_u64(&random), 0x207fffff, 1);
        /* The median has half of the times below it, whatever ties there are. */
        int64_t median = header_median_time(&n[i]);
        size_t below = 0, equal = 0, span = i < 10 ? i + 1 : 11;
        for (size_t j = 0; j < span; j++) {
            below += n[i - j].time < median;
            equal += n[i - j].time == median;
        }
        cr_assert(below <= span / 2 && below + equal > span / 2, "at %zu", i);
    }
    print_count("median times", ARRAY_LEN(n));
}

Test(consensus_pow, subsidies)
{
    static const struct {
        enum chain_type type;
        int32_t height;
        amount_sat subsidy;
    } rows[] = {
        {CHAIN_MAIN, 0, 5000000000},      {CHAIN_MAIN, 209999, 5000000000}, {CHAIN_MAIN, 210000, 2500000000},
        {CHAIN_MAIN, 420000, 1250000000}, {CHAIN_MAIN, 629999, 1250000000}, {CHAIN_MAIN, 630000, 625000000},
        {CHAIN_MAIN, 840000, 312500000},  {CHAIN_MAIN, 6720000, 1},         {CHAIN_MAIN, 6929999, 1},
        {CHAIN_MAIN, 6930000, 0},         {CHAIN_MAIN, 64 * 210000, 0},     {CHAIN_MAIN, INT32_MAX, 0},
        {CHAIN_REGTEST, 149, 5000000000}, {CHAIN_REGTEST, 150, 2500000000}, {CHAIN_REGTEST, 150 * 33, 0},
        {CHAIN_REGTEST, 150 * 63, 0},     {CHAIN_REGTEST, 150 * 64, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_assert_eq(block_subsidy(rows[i].height, chain_params_get(rows[i].type)), rows[i].subsidy, "row %zu", i);
    amount_sat total = 0;
    for (int32_t height = 0; height < 6930000; height += 210000)
        total += 210000 * block_subsidy(height, chain_params_get(CHAIN_MAIN));
    cr_assert_eq(total, INT64_C(2099999997690000));
    print_count("subsidies", ARRAY_LEN(rows));
}
