/*
 * Children of a fork go on with their parent's handles: they fetch anew and write a log of their own. Needs POSIX.
 *
 * argv: the world's folder, how many children, how many threads read meanwhile. The environment has ZT_SCORE. A child that is
 * not done in time is ended by its alarm. Prints how many children were right.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zt.h>

#define MOST_THREADS 16
#define NEEDLE "zt-needle-bureau-3f0c"
#define KEY "bureau-api-key"

static atomic_int is_over;

static int is_right(const unsigned char *bytes, size_t length) {
    return length == strlen(NEEDLE) && memcmp(bytes, NEEDLE, length) == 0;
}

static int reads(const zt_session *job) {
    unsigned char buffer[64];
    size_t length = 0;
    int right = zt_secret_read(job, KEY, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK && is_right(buffer, length);
    zt_wipe(buffer, sizeof buffer);
    return right;
}

static int reads_by(const zt_secret_handle *handle) {
    unsigned char buffer[64];
    size_t length = 0;
    int right =
        zt_secret_handle_read(handle, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK && is_right(buffer, length);
    zt_wipe(buffer, sizeof buffer);
    return right;
}

struct work {
    zt_runtime *zt;
    zt_session *job;
};

static void *hammer(void *given) {
    const struct work *work = given;
    size_t wrong = 0;
    while (!atomic_load(&is_over)) {
        wrong += !reads(work->job);
    }
    return (void *)wrong;
}

/* Fetches are under way all the time, and records are written. */
static void *forget(void *given) {
    const struct work *work = given;
    size_t wrong = 0;
    while (!atomic_load(&is_over)) {
        wrong += zt_runtime_invalidate(work->zt, KEY, NULL) != ZT_STATUS_OK;
        wrong += !reads(work->job);
    }
    return (void *)wrong;
}

/* What was handed out before the fork is empty here, and what was started before it is not this process's; all else goes on.
 * Answers the number of what went wrong, or 0. */
static int child(zt_runtime *zt, zt_session *job, zt_secret_handle *handle, zt_secret *inherited, zt_operation *started,
                 int frees) {
    size_t length = 0;
    zt_secret *secret = NULL;
    zt_operation *own = NULL;
    zt_operation_cancel(started);
    if (!zt_operation_is_done(started) || zt_operation_wait(started, 60000, NULL) != ZT_STATUS_CANCELLED ||
        zt_operation_secret(started, &secret, NULL) != ZT_STATUS_CANCELLED) {
        return 7;
    }
    if (zt_secret_get_async(job, KEY, 0, NULL, NULL, &own, NULL) != ZT_STATUS_OK ||
        zt_operation_wait(own, 60000, NULL) != ZT_STATUS_OK || zt_operation_secret(own, &secret, NULL) != ZT_STATUS_OK) {
        return 8;
    }
    zt_operation_free(own);
    zt_secret_free(secret);
    const unsigned char *bytes = zt_secret_bytes(inherited, &length);
    if (is_right(bytes, length)) {
        return 3;
    }
    if (frees % 2 == 0 ? !reads(job) || !reads_by(handle) : !reads_by(handle) || !reads(job)) {
        return 4;
    }
    if (zt_require(job, "model.infer", "model:car_loan_scorer", NULL, NULL) != ZT_STATUS_OK) {
        return 5;
    }
    if (zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) {
        return 6;
    }
    if (frees % 2 == 0) {
        zt_operation_free(started);
        zt_secret_free(inherited);
        zt_secret_handle_free(handle);
        zt_session_free(job);
        zt_runtime_free(zt);
    }
    return 0;
}

int main(int argc, char **argv) {
    pthread_t threads[MOST_THREADS];
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    zt_session *job = NULL;
    zt_secret_handle *handle = NULL;
    zt_secret *secret = NULL;
    int children = argc == 4 ? atoi(argv[2]) : -1;
    int hammers = argc == 4 ? atoi(argv[3]) : -1;
    int right = 0;
    struct work work;
    if (children < 0 || hammers < 0 || hammers > MOST_THREADS || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_SCORE"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK ||
        zt_session_secret_handle(job, KEY, &handle, NULL) != ZT_STATUS_OK ||
        zt_secret_handle_get(handle, &secret, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    work.zt = zt;
    work.job = job;
    for (int at = 0; at < hammers; at++) {
        if (pthread_create(&threads[at], NULL, at == 0 ? forget : hammer, &work) != 0) {
            return 2;
        }
    }
    for (int at = 0; at < children; at++) {
        int status = -1;
        zt_operation *started = NULL;
        pid_t pid;
        if (zt_secret_get_async(job, KEY, 0, NULL, NULL, &started, NULL) != ZT_STATUS_OK) {
            return 2;
        }
        pid = fork();
        if (pid == 0) {
            alarm(hammers == 0 ? 5 : 10);
            _exit(child(zt, job, handle, secret, started, at));
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || zt_operation_wait(started, 60000, NULL) != ZT_STATUS_OK) {
            return 2;
        }
        zt_operation_free(started);
        if (status == 0) {
            right++;
        } else {
            fprintf(stderr, "child %d: signal %d, exit %d\n", at, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                    WIFEXITED(status) ? WEXITSTATUS(status) : 0);
        }
        if (!reads(job) || !reads_by(handle)) {
            fprintf(stderr, "the parent reads no more after child %d\n", at);
            return 1;
        }
    }
    atomic_store(&is_over, 1);
    for (int at = 0; at < hammers; at++) {
        void *wrong = NULL;
        pthread_join(threads[at], &wrong);
        if (wrong != NULL) {
            fprintf(stderr, "a thread of the parent read wrongly\n");
            return 1;
        }
    }
    zt_secret_free(secret);
    zt_secret_handle_free(handle);
    zt_session_free(job);
    zt_session_free(caller);
    if (zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) {
        return 3;
    }
    zt_runtime_free(zt);
    printf("%d of %d right\n", right, children);
    return right == children ? 0 : 1;
}
