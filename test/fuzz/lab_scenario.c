/* Scenario files of users: what is taken is written as a file that is taken again and written the same. */
#include "base/check.h"
#include "lab/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lab_scenario s, again;
    struct error e = {0};
    if (lab_scenario_parse(&s, "fuzz", span_of(data, size), &e)) {
        CHECK(e.text[0]);
    } else {
        struct buffer one = {0}, two = {0};
        lab_scenario_write(&one, &s);
        /* What is written may be a little longer: "10m" of a share, a missing section. */
        if (one.len <= LAB_SCENARIO_MAX) {
            CHECK(lab_scenario_parse(&again, "fuzz", buffer_span(&one), &e) == RESULT_OK);
            lab_scenario_write(&two, &again);
            CHECK(span_equal(buffer_span(&one), buffer_span(&two)));
            lab_scenario_clear(&again);
        }
        buffer_clear(&one);
        buffer_clear(&two);
    }
    lab_scenario_clear(&s);
    return 0;
}
