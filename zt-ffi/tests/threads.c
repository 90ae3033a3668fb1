/*
 * Many threads, one session: what zt.h says may be used by many at once is. Needs POSIX threads.
 *
 * argv: the world's folder. The environment has ZT_SCORE. Prints how many answers were right.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zt.h>

#define THREADS 8
#define ROUNDS 50
#define NEEDLE "zt-needle-bureau-3f0c"

static int reads_the_secret(const zt_session *job) {
    unsigned char buffer[64];
    size_t length = 0;
    int right = zt_secret_read(job, "bureau-api-key", buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK &&
                length == strlen(NEEDLE) && memcmp(buffer, NEEDLE, length) == 0;
    zt_wipe(buffer, sizeof buffer);
    return right;
}

static int is_refused(const zt_session *job) {
    zt_decision *decision = NULL;
    int right = zt_check(job, "secret.get", "secret:sql-loans-password", &decision, NULL) == ZT_STATUS_OK &&
                strcmp(zt_decision_kind(decision), "default_deny") == 0 &&
                strcmp(zt_decision_policies(decision), "[]") == 0;
    zt_decision_free(decision);
    return right;
}

static void *work(void *job) {
    size_t right = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (reads_the_secret(job) && is_refused(job)) {
            right++;
        }
    }
    return (void *)right;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    zt_session *job = NULL;
    size_t right = 0;
    if (argc != 2 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_SCORE"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    for (int at = 0; at < THREADS; at++) {
        if (pthread_create(&threads[at], NULL, work, job) != 0) {
            return 2;
        }
    }
    for (int at = 0; at < THREADS; at++) {
        void *result = NULL;
        pthread_join(threads[at], &result);
        right += (size_t)result;
    }
    zt_session_free(caller);
    zt_session_free(job);
    if (zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) {
        return 3;
    }
    zt_runtime_free(zt);
    printf("%lu of %d right\n", (unsigned long)right, THREADS * ROUNDS);
    return right == THREADS * ROUNDS ? 0 : 1;
}
