/*
 * Children of a fork seal with their parent's sealer and open with keys of their own: no nonce is used twice, whoever draws it,
 * and nobody hangs. Needs POSIX.
 *
 * argv: the world's folder, how many children. The environment has ZT_SCORE and ZT_INES. A child that is not done in time is
 * ended by its alarm. Prints how many nonces were drawn, and how many of them twice.
 */
#include "count.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT "loan_scores_delta"
#define NONCE 16 /* Twelve bytes in base64url. */
#define ROUNDS 8
#define MOST_NONCES 400000
static const char ROWS[] = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n"
                           "1,20K,0.7,0.9,1\n2,30K,0.6,0.8,0\n3,40K,0.5,0.7,1\n";

static char (*nonces)[NONCE];
static size_t drawn;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_over;

/* Whether a cell has others behind it in its row: the last one is the wrapped key, which has no nonce. */
static int is_cell(const char *text, const char *end) {
    while (text < end && *text != ',' && *text != '\n') {
        text++;
    }
    return text < end && *text == ',';
}

/* The nonces of what was sealed: what follows "zt1." or "zt2." in a cell. */
static void note(const char *text, size_t length) {
    size_t at;
    for (at = 0; at + 4 + NONCE <= length; at++) {
        if ((memcmp(text + at, "zt1.", 4) == 0 || memcmp(text + at, "zt2.", 4) == 0) &&
            is_cell(text + at, text + length)) {
            pthread_mutex_lock(&lock);
            if (drawn < MOST_NONCES) {
                memcpy(nonces[drawn++], text + at + 4, NONCE);
            }
            pthread_mutex_unlock(&lock);
        }
    }
}

static int compare(const void *one, const void *other) {
    return memcmp(one, other, NONCE);
}

static zt_text *sealed(const zt_sealer *sealer) {
    zt_batch *plain = NULL;
    zt_batch *made = NULL;
    zt_text *csv = NULL;
    if (zt_batch_from_csv((const uint8_t *)ROWS, strlen(ROWS), &plain, NULL) == ZT_STATUS_OK &&
        zt_sealer_seal(sealer, plain, &made, NULL) == ZT_STATUS_OK &&
        zt_batch_to_csv(made, &csv, NULL) != ZT_STATUS_OK) {
        csv = NULL;
    }
    zt_batch_free(plain);
    zt_batch_free(made);
    return csv;
}

/* Whether it opens to what was sealed. */
static int opens(const zt_session *ines, const char *text, size_t length) {
    zt_batch *made = NULL;
    zt_batch *plain = NULL;
    zt_opener *opener = NULL;
    zt_text *csv = NULL;
    int right = zt_batch_from_csv((const uint8_t *)text, length, &made, NULL) == ZT_STATUS_OK &&
                zt_opener_new(ines, OUTPUT, made, &opener, NULL) == ZT_STATUS_OK &&
                zt_opener_unseal(opener, made, &plain, NULL) == ZT_STATUS_OK &&
                zt_batch_to_csv(plain, &csv, NULL) == ZT_STATUS_OK && zt_text_len(csv) == strlen(ROWS) &&
                memcmp(zt_text_data(csv), ROWS, strlen(ROWS)) == 0;
    zt_text_free(csv);
    zt_batch_free(plain);
    zt_opener_free(opener);
    zt_batch_free(made);
    return right;
}

static void *hammer(void *given) {
    const struct timespec pause = {0, 1000000};
    int round;
    /* Two of them stay below what one sealer does. */
    for (round = 0; round < 20000 && !atomic_load(&is_over); round++) {
        zt_text *text = sealed(given);
        if (text == NULL) {
            return given;
        }
        note(zt_text_data(text), zt_text_len(text));
        zt_text_free(text);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static int sends(int to, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = write(to, bytes, length);
        if (sent <= 0) {
            return 0;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return 1;
}

/* Seals with what it inherited, opens what its parent sealed and what it sealed, and makes a sealer of its own. */
static int child(zt_runtime *zt, const zt_session *job, const zt_session *ines, const zt_sealer *sealer, zt_text *of_parent,
                 int to) {
    zt_sealer *own = NULL;
    int round;
    if (!opens(ines, zt_text_data(of_parent), zt_text_len(of_parent))) {
        return 3;
    }
    if (zt_sealer_new(job, OUTPUT, &own, NULL) != ZT_STATUS_OK) {
        return 4;
    }
    for (round = 0; round < ROUNDS; round++) {
        zt_text *text = sealed(round % 2 == 0 ? sealer : own);
        if (text == NULL || !sends(to, zt_text_data(text), zt_text_len(text))) {
            return 5;
        }
        if (round < 2 && !opens(ines, zt_text_data(text), zt_text_len(text))) {
            return 6;
        }
        zt_text_free(text);
    }
    return zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK ? 0 : 7;
}

/* All that a child sends. */
static char *received(int from, size_t *length) {
    size_t room = 1 << 16;
    char *all = malloc(room);
    *length = 0;
    for (;;) {
        ssize_t got = all == NULL ? 0 : read(from, all + *length, room - *length);
        if (got <= 0) {
            return all;
        }
        *length += (size_t)got;
        if (*length == room) {
            char *more = realloc(all, room *= 2);
            if (more == NULL) {
                free(all);
            }
            all = more;
        }
    }
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    zt_session *job = NULL;
    zt_session *ines = NULL;
    zt_sealer *sealer = NULL;
    zt_text *first;
    pthread_t threads[2];
    void *wrong[2] = {NULL, NULL};
    int children = argc == 3 ? atoi(argv[2]) : -1;
    int at;
    size_t twice = 0;
    size_t number;
    nonces = malloc(MOST_NONCES * sizeof *nonces);
    if (children < 0 || nonces == NULL || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_SCORE"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_INES"), &ines, NULL) != ZT_STATUS_OK ||
        zt_sealer_new(job, OUTPUT, &sealer, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    first = sealed(sealer);
    if (first == NULL) {
        return 2;
    }
    note(zt_text_data(first), zt_text_len(first));
    /* The parent holds the data key from here on. */
    CHECK(opens(ines, zt_text_data(first), zt_text_len(first)));
    for (at = 0; at < 2; at++) {
        if (pthread_create(&threads[at], NULL, hammer, sealer) != 0) {
            return 2;
        }
    }
    for (at = 0; at < children; at++) {
        int ends[2];
        int status = -1;
        char *all;
        size_t length;
        pid_t pid;
        if (pipe(ends) != 0) {
            return 2;
        }
        pid = fork();
        if (pid == 0) {
            alarm(20);
            close(ends[0]);
            _exit(child(zt, job, ines, sealer, first, ends[1]));
        }
        close(ends[1]);
        if (pid < 0) {
            return 2;
        }
        all = received(ends[0], &length);
        close(ends[0]);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        if (status != 0) {
            fprintf(stderr, "child %d: signal %d, exit %d\n", at, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                    WIFEXITED(status) ? WEXITSTATUS(status) : 0);
        }
        CHECK(all != NULL);
        note(all, length);
        free(all);
    }
    atomic_store(&is_over, 1);
    for (at = 0; at < 2; at++) {
        CHECK(pthread_join(threads[at], &wrong[at]) == 0 && wrong[at] == NULL);
    }
    /* The parent opens on, too. */
    CHECK(opens(ines, zt_text_data(first), zt_text_len(first)));
    CHECK(drawn < MOST_NONCES);
    qsort(nonces, drawn, NONCE, compare);
    for (number = 1; number < drawn; number++) {
        twice += compare(nonces[number - 1], nonces[number]) == 0;
    }
    /* Three rows of at least two sealed columns, in each round of each child. */
    CHECK(drawn >= (size_t)children * ROUNDS * 3 * 2);
    CHECK(twice == 0);
    CHECK(has(zt_text_data(first), "_zt_key"));
    zt_text_free(first);
    zt_sealer_free(sealer);
    zt_session_free(ines);
    zt_session_free(job);
    zt_session_free(caller);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
    free(nonces);
    printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
