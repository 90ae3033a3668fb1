/* Counted checks of the tests' programs. Each program includes it once. */
#ifndef ZT_TESTS_COUNT_H
#define ZT_TESTS_COUNT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zt.h>

static int held;
static int failed;

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (what) {                                                                                                    \
            held++;                                                                                                    \
        } else {                                                                                                       \
            failed++;                                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #what);                                                 \
        }                                                                                                              \
    } while (0)

static int has(const char *text, const char *part) {
    return text != NULL && strstr(text, part) != NULL;
}

#endif
