/*
 * What waits and what must not: a disk that stands still, and a log callback that calls zt.
 *
 * argv: the world's folder. The environment has ZT_MAYA and ZT_SCORE. The disk is this program's own fdatasync and fsync, which
 * the library finds first: they wait at a gate. What could wait for ever ends with the alarm. Needs POSIX threads.
 */
#include "checks.h"

#include <pthread.h>
#include <unistd.h>

#define KEY "bureau-api-key"
#define LONG 60000
#define SLOW 6

int fdatasync(int file);
int fsync(int file);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static int is_shut = 0;
static int at_the_gate = 0;

static int gate(void) {
    pthread_mutex_lock(&lock);
    at_the_gate++;
    pthread_cond_broadcast(&moved);
    while (is_shut) {
        pthread_cond_wait(&moved, &lock);
    }
    at_the_gate--;
    pthread_mutex_unlock(&lock);
    return 0;
}

int fdatasync(int file) {
    (void)file;
    return gate();
}

int fsync(int file) {
    (void)file;
    return gate();
}

static void shut(int yes) {
    pthread_mutex_lock(&lock);
    is_shut = yes;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void until_somebody_waits(void) {
    pthread_mutex_lock(&lock);
    while (at_the_gate == 0) {
        pthread_cond_wait(&moved, &lock);
    }
    pthread_mutex_unlock(&lock);
}

/* More operations wait for the disk than zt has workers. A deadline and a cancel end theirs before any of them. */
static void a_disk_that_stands(const zt_session *job) {
    zt_operation *slow[SLOW];
    zt_operation *late = NULL;
    zt_operation *cancelled = NULL;
    zt_error *err = NULL;
    int at;
    shut(1);
    for (at = 0; at < SLOW; at++) {
        CHECK(zt_secret_get_async(job, KEY, 0, NULL, NULL, &slow[at], NULL) == ZT_STATUS_OK);
    }
    until_somebody_waits();
    CHECK(zt_secret_get_async(job, KEY, 1, NULL, NULL, &late, NULL) == ZT_STATUS_OK);
    CHECK(zt_secret_get_async(job, KEY, 0, NULL, NULL, &cancelled, NULL) == ZT_STATUS_OK);
    zt_operation_cancel(cancelled);
    CHECK(zt_operation_wait(cancelled, LONG, &err) == ZT_STATUS_CANCELLED);
    CHECK(says(&err, ZT_STATUS_CANCELLED, "was cancelled"));
    CHECK(zt_operation_wait(late, LONG, &err) == ZT_STATUS_CANCELLED);
    CHECK(says(&err, ZT_STATUS_CANCELLED, "deadline of 1 ms"));
    shut(0);
    for (at = 0; at < SLOW; at++) {
        CHECK(zt_operation_wait(slow[at], LONG, NULL) != ZT_STATUS_PENDING);
        zt_operation_free(slow[at]);
    }
    zt_operation_free(late);
    zt_operation_free(cancelled);
}

/* An answer that says that the program must not wait here, and nothing else. */
static int refuses(zt_status status, zt_error **err) {
    return status == ZT_STATUS_INVALID_ARGUMENT && says(err, ZT_STATUS_INVALID_ARGUMENT, "log callback");
}

struct seen {
    zt_runtime *zt;
    const zt_session *job;
    int count;
    int good;
};

/* Told inside of the very call to the vault that it asks for. */
static void asks_again(void *user_data, int32_t level, const char *target, const char *message) {
    struct seen *seen = user_data;
    zt_secret *secret = NULL;
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    int good;
    (void)level;
    (void)target;
    (void)message;
    good = refuses(zt_secret_get(seen->job, KEY, &secret, &err), &err) && secret == NULL;
    good = good && zt_secret_get_async(seen->job, KEY, 0, NULL, NULL, &operation, NULL) == ZT_STATUS_OK;
    good = good && refuses(zt_operation_wait(operation, LONG, &err), &err);
    good = good && zt_operation_wait(operation, 0, NULL) == ZT_STATUS_PENDING;
    good = good && zt_log_off(seen, NULL) == ZT_STATUS_INVALID_ARGUMENT;
    /* Nothing of what would have to be waited for is begun. */
    good = good && refuses(zt_runtime_close(seen->zt, LONG, &err), &err);
    good = good && refuses(zt_reload(seen->zt, NULL, &err), &err);
    zt_operation_free(operation);
    pthread_mutex_lock(&lock);
    seen->count++;
    seen->good += good;
    pthread_mutex_unlock(&lock);
}

static void a_callback_that_asks(const char *folder, zt_runtime *zt, const zt_session *job) {
    struct seen seen = {NULL, NULL, 0, 0};
    zt_decision *decision = NULL;
    char here[512];
    char away[512];
    zt_secret *secret = NULL;
    seen.zt = zt;
    seen.job = job;
    CHECK(snprintf(here, sizeof here, "%s/.zt/vault", folder) < (int)sizeof here);
    CHECK(snprintf(away, sizeof away, "%s/.zt/vault.away", folder) < (int)sizeof away);
    CHECK(rename(here, away) == 0);
    CHECK(zt_log_to(ZT_LOG_DEBUG, asks_again, &seen, NULL) == ZT_STATUS_OK);
    CHECK(zt_secret_get(job, KEY, &secret, NULL) != ZT_STATUS_OK && secret == NULL);
    CHECK(zt_log_off(&lock, NULL) == ZT_STATUS_OK);
    CHECK(zt_log_off(&seen, NULL) == ZT_STATUS_OK);
    CHECK(seen.count > 0 && seen.good == seen.count);
    CHECK(zt_check(job, "secret.get", "secret:" KEY, &decision, NULL) == ZT_STATUS_OK);
    zt_decision_free(decision);
    CHECK(rename(away, here) == 0);
}

/* A close that has begun is neither cancelled nor lost. */
static void a_close_goes_on(const char *folder, zt_runtime *zt, zt_session *maya) {
    zt_operation *closing = NULL;
    zt_decision *decision = NULL;
    zt_error *err = NULL;
    zt_text *report = NULL;
    char audit[512];
    bool is_intact = false;
    CHECK(zt_check(maya, "model.infer", "model:car_loan_scorer", &decision, NULL) == ZT_STATUS_OK);
    zt_decision_free(decision);
    shut(1);
    CHECK(zt_runtime_close_async(zt, LONG, NULL, NULL, &closing, NULL) == ZT_STATUS_OK);
    zt_operation_cancel(closing);
    CHECK(zt_operation_wait(closing, 0, NULL) == ZT_STATUS_PENDING);
    until_somebody_waits();
    zt_operation_cancel(closing);
    CHECK(zt_operation_wait(closing, 0, NULL) == ZT_STATUS_PENDING);
    zt_session_free(maya);
    zt_runtime_free(zt);
    shut(0);
    CHECK(zt_operation_wait(closing, LONG, &err) == ZT_STATUS_OK);
    zt_error_free(err);
    zt_operation_free(closing);
    CHECK(snprintf(audit, sizeof audit, "%s/.zt/audit", folder) < (int)sizeof audit);
    CHECK(zt_audit_verify(audit, NULL, &is_intact, &report, NULL) == ZT_STATUS_OK && is_intact);
    zt_text_free(report);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *maya;
    zt_session *job;
    if (argc != 2 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    alarm(240);
    maya = sign_in(zt, "ZT_MAYA");
    job = the_job(zt);
    a_callback_that_asks(argv[1], zt, job);
    a_disk_that_stands(job);
    zt_session_free(job);
    a_close_goes_on(argv[1], zt, maya);
    return told();
}
