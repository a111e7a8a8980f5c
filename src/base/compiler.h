/* Compiler attributes used throughout: one place for what is not plain C17. */
#ifndef CAIRN_BASE_COMPILER_H
#define CAIRN_BASE_COMPILER_H

/* The caller must look at the value returned. */
#define MUST_USE __attribute__((warn_unused_result))

/* printf-like: FMT is the format's argument number, FIRST that of the first value. */
#define PRINTF_LIKE(FMT, FIRST) __attribute__((format(printf, FMT, FIRST)))

#define NORETURN __attribute__((noreturn))

/* Elements of a true array. */
#define ARRAY_LEN(A) (sizeof(A) / sizeof((A)[0]))

#endif
