"""Core and engine objects call only what is listed here: no clock, no file, no socket, no thread, no environment."""
import re

import common

LIBC = """
abort calloc free malloc realloc reallocarray
memchr memcmp memcpy memmem memmove memset memrchr explicit_bzero
strcasecmp strchr strcmp strcspn strdup strlen strncasecmp strncmp strndup strnlen strpbrk strrchr strspn strstr
strtod strtol strtoll strtoul strtoull
snprintf vsnprintf qsort bsearch
__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc isalnum isalpha isdigit isspace isxdigit tolower toupper
ceil exp exp2 floor fmod log log10 log1p log2 lround pow round sqrt fmax fmin llround ldexp frexp expm1
__stack_chk_fail __memcpy_chk __memmove_chk __memset_chk __explicit_bzero_chk __snprintf_chk __vsnprintf_chk __strcpy_chk __strncpy_chk
__strcat_chk __stpcpy_chk stpcpy strcpy strcat strncpy strncat
__isoc99_sscanf sscanf
_GLOBAL_OFFSET_TABLE_ __tls_get_addr
__popcountdi2 __cpu_features2 __cpu_indicator_init __udivti3 __umodti3 __divti3 __modti3 __divmodti4 __cpu_model
""".split()

# Functions of libraries, and only for the room that wraps them.
LIBRARIES = {"crypto": re.compile(r"^(secp256k1_|SHA1_|SHA256|SHA512|RIPEMD160|HMAC|EVP_|CRYPTO_memcmp|OPENSSL_cleanse)")}

# What one object may use besides, with its reason.
EXCEPTIONS = {
    ("base", "check.c.o"): {"stderr", "fprintf", "__fprintf_chk"},  # says what failed before it aborts
    ("base", "alloc.c.o"): {"stderr", "fprintf", "__fprintf_chk", "fputs", "fwrite"},  # the same, out of memory
}

MEMBER = re.compile(r"^(\S+\.o):$")


def undefined(archive):
    """[(object, symbol)] of what an archive's objects need from elsewhere."""
    found, member = [], "?"
    for line in common.run("nm", "-u", str(archive)).splitlines():
        head = MEMBER.match(line)
        words = line.split()
        if head:
            member = head.group(1)
        elif len(words) == 2 and words[0] in "Uwv":
            found.append((member, words[1].split("@")[0]))
    return found


def defined(archive):
    lines = common.run("nm", "--defined-only", "-g", str(archive)).splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) == 3}


def check(_source, build):
    if common.is_sanitized(build):
        print("skipped: sanitizers add calls to every object")
        return []
    archives = {room: build / "lib" / f"libcairn_{room}.a" for room in common.CORE + common.ENGINE}
    archives = {room: archive for room, archive in archives.items() if archive.exists()}
    if not archives:
        return [f"no room's archive in {build / 'lib'}: build first"]
    ours = set().union(*map(defined, archives.values()), LIBC)
    found = []
    for room, archive in archives.items():
        for member, symbol in undefined(archive):
            library = LIBRARIES.get(room)
            if symbol in ours or library and library.match(symbol) or symbol in EXCEPTIONS.get((room, member), ()):
                continue
            found.append(f"{archive.name}: {member}: {symbol} is not on the list of test/lint/purity.py")
    return found


def planted(code, room="base"):
    return lambda folder: common.compile_archive(folder, room, code)


CASES = [
    ("memory and text", planted("#include <string.h>\n#include <stdlib.h>\nchar *f(const char *s);\n"
                                "char *f(const char *s) { char *p = malloc(9); memcpy(p, s, strlen(s)); return p; }\n"), False),
    ("the clock", planted("#include <time.h>\nlong f(void);\nlong f(void) { return time(0); }\n"), True),
    ("a file", planted("#include <fcntl.h>\nint f(void);\nint f(void) { return open(\"x\", 0); }\n", "chain"), True),
    ("chance", planted("#include <stdlib.h>\nint f(void);\nint f(void) { return rand(); }\n"), True),
    ("a lock", planted("#include <pthread.h>\nint f(pthread_mutex_t *m);\n"
                       "int f(pthread_mutex_t *m) { return pthread_mutex_lock(m); }\n", "node"), True),
    ("a library in another's room", planted("int secp256k1_x(void);\nint f(void);\n"
                                            "int f(void) { return secp256k1_x(); }\n", "chain"), True),
    ("a library in its own room", planted("int secp256k1_x(void);\nint f(void);\n"
                                          "int f(void) { return secp256k1_x(); }\n", "crypto"), False),
    ("nothing built", lambda folder: None, True),
]

if __name__ == "__main__":
    common.main(check, CASES)
