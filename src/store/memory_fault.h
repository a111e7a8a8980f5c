/* Counting writes towards a fault, for the twins in memory. */
#ifndef CAIRN_STORE_MEMORY_FAULT_H
#define CAIRN_STORE_MEMORY_FAULT_H

#include "store/store.h"

/* Counts one write; what FAULT (may be NULL) says of it. */
static inline enum result memory_fault_write(struct memory_fault *fault, struct error *e)
{
    if (!fault) return RESULT_OK;
    fault->writes++;
    if (fault->fail_after == 0) return RESULT_OK;
    if (fault->fail_after > 1) {
        fault->fail_after--;
        return RESULT_OK;
    }
    return error_set(e, fault->result, "write %llu fails, as the test asked", (unsigned long long)fault->writes);
}

/* True where the write that just failed is applied all the same: once, then the disk is dead. */
static inline bool memory_fault_torn(struct memory_fault *fault)
{
    bool torn = fault && fault->apply_torn;
    if (torn) fault->apply_torn = false;
    return torn;
}

#endif
