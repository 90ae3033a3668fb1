/*
 * Eight threads on one runtime: checks by handle and in bulk, reads, operations that are given up, sealing, metrics, reloads.
 * A count of rounds, not a time.
 *
 * argv: the world's folder, rounds. The environment has ZT_SCORE and ZT_INES. Needs POSIX threads. Prints how many were right.
 */
#include "checks.h"

#include <pthread.h>

#define THREADS 8
#define KEY "bureau-api-key"

struct work {
    zt_runtime *zt;
    zt_session *job;
    zt_session *ines;
    zt_located *model;
    zt_secret_handle *handle;
    zt_sealer *sealer;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int rounds;
    int started;
    int ended;
};

static void ended(void *user_data, const zt_operation *operation) {
    struct work *work = user_data;
    zt_secret *secret = NULL;
    const zt_status status = zt_operation_wait(operation, 0, NULL);
    const zt_status taken = zt_operation_secret(operation, &secret, NULL);
    zt_secret_free(secret);
    pthread_mutex_lock(&work->lock);
    work->ended += (status == ZT_STATUS_OK || status == ZT_STATUS_CANCELLED) && status == taken;
    pthread_cond_signal(&work->moved);
    pthread_mutex_unlock(&work->lock);
}

static int starts(struct work *work, int round) {
    zt_operation *operation = NULL;
    if (zt_secret_get_async(work->job, KEY, 60000, ended, work, round % 3 == 0 ? NULL : &operation, NULL) != ZT_STATUS_OK) {
        return 0;
    }
    pthread_mutex_lock(&work->lock);
    work->started++;
    pthread_mutex_unlock(&work->lock);
    if (round % 3 == 1) {
        zt_operation_cancel(operation);
    }
    zt_operation_free(operation);
    return 1;
}

static int asks(const struct work *work) {
    static const char *const resources[] = {"secret:" KEY, "secret:sql-loans-password"};
    bool allowed[2] = {false, true};
    bool infers = false;
    return zt_check_at(work->job, "model.infer", work->model, &infers, NULL, NULL) == ZT_STATUS_OK && infers &&
           zt_check_many(work->job, "secret.get", resources, 2, allowed, NULL, NULL) == ZT_STATUS_OK && allowed[0] &&
           !allowed[1];
}

static int reads(const struct work *work) {
    unsigned char buffer[64];
    size_t length = 0;
    int right = zt_secret_handle_read(work->handle, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_OK && length == 21;
    zt_wipe(buffer, sizeof buffer);
    return right;
}

static int seals(const struct work *work) {
    static const unsigned char plain[] = "a file";
    zt_bytes *sealed = NULL;
    zt_bytes *opened = NULL;
    zt_file_opener *opener = NULL;
    int right = zt_sealer_seal_bytes(work->sealer, "f", plain, sizeof plain, &sealed, NULL) == ZT_STATUS_OK &&
                zt_file_opener_new(work->ines, "loan_scores_delta", zt_bytes_data(sealed), zt_bytes_len(sealed), &opener,
                                   NULL) == ZT_STATUS_OK &&
                zt_file_opener_unseal_bytes(opener, "f", zt_bytes_data(sealed), zt_bytes_len(sealed), &opened, NULL) ==
                    ZT_STATUS_OK &&
                zt_bytes_len(opened) == sizeof plain && memcmp(zt_bytes_data(opened), plain, sizeof plain) == 0;
    zt_file_opener_free(opener);
    zt_bytes_free(opened);
    zt_bytes_free(sealed);
    return right;
}

static int looks(const struct work *work, int round) {
    zt_text *text = NULL;
    int right = round % 16 != 0 || zt_runtime_metrics_text(work->zt, &text, NULL) == ZT_STATUS_OK;
    zt_text_free(text);
    if (round % 50 == 7) {
        right = right && zt_runtime_invalidate(work->zt, KEY, NULL) == ZT_STATUS_OK;
    }
    return right && (round % 100 != 3 || zt_reload(work->zt, NULL, NULL) == ZT_STATUS_OK);
}

static void *hammer(void *given) {
    struct work *work = given;
    size_t right = 0;
    for (int round = 0; round < work->rounds; round++) {
        right += asks(work) && reads(work) && starts(work, round) && (round % 8 != 0 || seals(work)) && looks(work, round);
    }
    return (void *)right;
}

int main(int argc, char **argv) {
    static struct work work = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    pthread_t threads[THREADS];
    size_t right = 0;
    if (argc != 3 || zt_open(argv[1], &work.zt, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    work.rounds = atoi(argv[2]);
    work.job = the_job(work.zt);
    work.ines = sign_in(work.zt, "ZT_INES");
    CHECK(zt_session_locate(work.job, "model:car_loan_scorer", &work.model, NULL) == ZT_STATUS_OK);
    CHECK(zt_session_secret_handle(work.job, KEY, &work.handle, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_new(work.job, "loan_scores_delta", &work.sealer, NULL) == ZT_STATUS_OK);
    for (int at = 0; at < THREADS; at++) {
        CHECK(pthread_create(&threads[at], NULL, hammer, &work) == 0);
    }
    for (int at = 0; at < THREADS; at++) {
        void *result = NULL;
        pthread_join(threads[at], &result);
        right += (size_t)result;
    }
    pthread_mutex_lock(&work.lock);
    while (work.ended < work.started) {
        pthread_cond_wait(&work.moved, &work.lock);
    }
    pthread_mutex_unlock(&work.lock);
    CHECK(right == (size_t)(THREADS * work.rounds) && work.started == THREADS * work.rounds);
    zt_sealer_free(work.sealer);
    zt_secret_handle_free(work.handle);
    zt_located_free(work.model);
    zt_session_free(work.ines);
    zt_session_free(work.job);
    CHECK(zt_runtime_close(work.zt, 60000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(work.zt);
    printf("%lu rounds right\n", (unsigned long)right);
    return told();
}
