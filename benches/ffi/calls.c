/*
 * What calls cost from C. Prints a line for each: median and least of the samples in nanoseconds, and what was called.
 *
 * argv: the world's folder, calls a sample, samples. The environment has ZT_TOKEN. Needs POSIX.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zt.h>

static zt_session *job;
static zt_located *resource;
static zt_secret_handle *key;

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
    int right = zt_secret_handle_get(key, &secret, NULL) == ZT_STATUS_OK;
    zt_secret_free(secret);
    return right;
}

static int copy(void) {
    unsigned char buffer[64];
    size_t length = 0;
    return zt_secret_handle_read(key, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK;
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    const double first = *(const double *)a;
    const double second = *(const double *)b;
    return (first > second) - (first < second);
}

static int measure(const char *name, int (*call)(void), long calls, long samples) {
    double *took = malloc((size_t)samples * sizeof *took);
    long sample, at;
    int right = took != NULL && call();
    for (sample = 0; right && sample < samples; sample++) {
        const double began = now_ns();
        for (at = 0; at < calls; at++) {
            right = call() && right;
        }
        took[sample] = (now_ns() - began) / (double)calls;
    }
    if (right) {
        qsort(took, (size_t)samples, sizeof *took, by_size);
        printf("%.1f %.1f %s\n", took[samples / 2], took[0], name);
    }
    free(took);
    return right;
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    const long calls = argc == 4 ? atol(argv[2]) : 0;
    const long samples = argc == 4 ? atol(argv[3]) : 0;
    int right;
    if (calls < 1 || samples < 1 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_TOKEN"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK ||
        zt_session_locate(job, "secret:bureau-api-key", &resource, NULL) != ZT_STATUS_OK ||
        zt_session_secret_handle(job, "bureau-api-key", &key, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    right = measure("C: a call that does nothing", nothing, calls, samples) &&
            measure("C: zt_check_at", check_at, calls, samples) && measure("C: zt_check", check, calls, samples) &&
            measure("C: zt_secret_handle_get", get, calls, samples) &&
            measure("C: zt_secret_handle_read", copy, calls, samples);
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
