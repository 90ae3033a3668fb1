/*
 * What calls cost from C. benches/src/ffi/program.rs says what is read and written.
 *
 * argv: the world's folder, calls a sample. The environment has ZT_TOKEN. Needs POSIX.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zt.h>

enum { MANY = 100 };

static zt_session *job;
static zt_located *resource;
static zt_secret_handle *key;
static const char *many[MANY];

static int nothing(void) {
    return !zt_decision_is_allowed(NULL);
}

static int check_at(void) {
    bool allowed = false;
    return zt_check_at(job, "secret.get", resource, &allowed, NULL, NULL) == ZT_STATUS_OK && allowed;
}

static int check(void) {
    zt_decision *decision = NULL;
    int right = zt_check(job, "secret.get", "secret:bureau-api-key", &decision, NULL) == ZT_STATUS_OK &&
                zt_decision_is_allowed(decision);
    zt_decision_free(decision);
    return right;
}

static int get(void) {
    zt_secret *secret = NULL;
    size_t length = 0;
    int right = zt_secret_handle_get(key, &secret, NULL) == ZT_STATUS_OK && zt_secret_bytes(secret, &length) != NULL;
    zt_secret_free(secret);
    return right;
}

static int copy(void) {
    unsigned char buffer[64];
    size_t length = 0;
    return zt_secret_handle_read(key, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK;
}

static int check_many(void) {
    bool allowed[MANY] = {false};
    return zt_check_many(job, "secret.get", many, MANY, allowed, NULL, NULL) == ZT_STATUS_OK && allowed[MANY - 1];
}

static const struct {
    const char *name;
    int (*call)(void);
    long of_calls;
} CASES[] = {
    {"nothing", nothing, 1},
    {"handle", check_at, 1},
    {"text", check, 1},
    {"secret", get, 1},
    {"copy", copy, 1},
    {"many", check_many, MANY},
};
enum { COUNT = sizeof CASES / sizeof CASES[0] };

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* One line: nanoseconds of each case. */
static int sample(long calls) {
    int right = 1;
    size_t which;
    for (which = 0; which < COUNT; which++) {
        const long count = calls / CASES[which].of_calls + 1;
        const double began = now_ns();
        long at;
        for (at = 0; at < count; at++) {
            right = CASES[which].call() && right;
        }
        printf("%s%.1f", which == 0 ? "" : " ", (now_ns() - began) / (double)count);
    }
    printf("\n");
    return fflush(stdout) == 0 && right;
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    const long calls = argc == 3 ? atol(argv[2]) : 0;
    int right = 1;
    size_t at;
    if (calls < 1 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_TOKEN"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK ||
        zt_session_locate(job, "secret:bureau-api-key", &resource, NULL) != ZT_STATUS_OK ||
        zt_session_secret_handle(job, "bureau-api-key", &key, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    for (at = 0; at < MANY; at++) {
        many[at] = "secret:bureau-api-key";
    }
    for (at = 0; at < COUNT; at++) {
        printf("%s%s", at == 0 ? "" : " ", CASES[at].name);
    }
    printf("\n");
    right = fflush(stdout) == 0;
    while (right && getchar() != EOF) {
        right = sample(calls);
    }
    zt_secret_handle_free(key);
    zt_located_free(resource);
    zt_session_free(job);
    zt_session_free(caller);
    if (zt_runtime_close(zt, 60000, NULL) != ZT_STATUS_OK) {
        return 3;
    }
    zt_runtime_free(zt);
    return right ? 0 : 1;
}
