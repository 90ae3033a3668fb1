/*
 * What an inference service takes beside the contract: checks by handle and in bulk, settings, metrics, the log, operations.
 *
 * argv: the world's folder, whose metadata endpoint of the machine takes connections and never answers, and a folder for a
 * copy of the log. The environment has ZT_MAYA, ZT_SCORE and ZT_INES. Needs POSIX threads.
 */
#include "checks.h"

#include <pthread.h>
#include <time.h>

#define KEY "bureau-api-key"
#define NEEDLE "zt-needle-bureau-3f0c"
#define LONG 60000

static void checks(const zt_session *maya) {
    static const char *const resources[] = {"table:gold.loan_scores", "table:raw.loan_applications", "table:no.such"};
    static const char *const broken[] = {"table:gold.loan_scores", "no resource"};
    zt_error *err = NULL;
    zt_located *model = NULL;
    zt_located *table = NULL;
    zt_decision *decision = NULL;
    zt_decision *decisions[3] = {NULL, NULL, NULL};
    bool allowed = false;
    bool each[3] = {false, true, true};
    size_t at;
    CHECK(zt_session_locate(maya, "model:car_loan_scorer", &model, &err) == ZT_STATUS_OK);
    CHECK(zt_session_locate(maya, "table:raw.loan_applications", &table, &err) == ZT_STATUS_OK);
    CHECK(zt_check_at(maya, "model.infer", model, &allowed, NULL, &err) == ZT_STATUS_OK && allowed);
    CHECK(zt_check_at(maya, "table.read", table, &allowed, &decision, &err) == ZT_STATUS_OK && !allowed);
    CHECK(same(zt_decision_kind(decision), "explicit_deny"));
    zt_decision_free(decision);
    CHECK(zt_check_at(maya, "table.read", model, &allowed, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "table.read"));
    CHECK(zt_check_at(maya, "model.infre", model, &allowed, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "model.infer"));
    zt_located_free(model);
    zt_located_free(table);

    CHECK(zt_check_many(maya, "table.read", resources, 3, each, decisions, &err) == ZT_STATUS_OK);
    for (at = 0; at < 3; at++) {
        zt_decision *alone = NULL;
        CHECK(zt_check(maya, "table.read", resources[at], &alone, NULL) == ZT_STATUS_OK);
        CHECK(each[at] == zt_decision_is_allowed(alone) && each[at] == zt_decision_is_allowed(decisions[at]));
        CHECK(same(zt_decision_policies(decisions[at]), zt_decision_policies(alone)));
        zt_decision_free(alone);
        zt_decision_free(decisions[at]);
        decisions[at] = NULL;
    }
    CHECK(!each[1]);
    CHECK(zt_check_many(maya, "table.read", broken, 2, each, decisions, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "") && decisions[0] == NULL);
    CHECK(zt_check_many(maya, "table.read", NULL, 0, NULL, NULL, &err) == ZT_STATUS_OK);
}

static void settings(const char *folder, const char *copy) {
    const zt_setting good[] = {{"audit.file_sink", copy}};
    const zt_setting taken[] = {{"mode", "production"}};
    const zt_setting unknown[] = {{"audit.floder", "zt-needle"}};
    zt_error *err = NULL;
    zt_runtime *zt = NULL;
    zt_open_options options;
    CHECK(zt_open_options_init(&options, sizeof options) == ZT_STATUS_OK);
    CHECK(options.struct_size == sizeof options && options.settings == NULL && options.setting_count == 0);
    options.setting_count = 1;
    options.settings = taken;
    CHECK(zt_open_with(folder, &options, &zt, &err) == ZT_STATUS_CONFIG);
    CHECK(says(&err, ZT_STATUS_CONFIG, "mode"));
    options.settings = unknown;
    CHECK(zt_open_with(folder, &options, &zt, &err) == ZT_STATUS_CONFIG && zt == NULL);
    CHECK(says(&err, ZT_STATUS_CONFIG, "audit.floder"));
    options.settings = good;
    CHECK(zt_open_with(folder, &options, &zt, &err) == ZT_STATUS_OK);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
}

static void metrics(const zt_runtime *zt) {
    zt_text *text = NULL;
    CHECK(zt_runtime_metrics_text(zt, &text, NULL) == ZT_STATUS_OK);
    CHECK(has(zt_text_data(text), "# TYPE zt_ready gauge\nzt_ready 1\n"));
    CHECK(has(zt_text_data(text), "# TYPE zt_secret_hits_total counter\n"));
    CHECK(has(zt_text_data(text), "zt_audit_writable 1\n") && !has(zt_text_data(text), KEY));
    CHECK(zt_text_data(text)[zt_text_len(text) - 1] == '\n');
    zt_text_free(text);
}

/* Two counts under a lock, for callbacks on other threads. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int count;
    int good;
    const zt_session *job;
};

static void meet(struct told *told, int good) {
    pthread_mutex_lock(&told->lock);
    told->count++;
    told->good += good;
    pthread_cond_broadcast(&told->moved);
    pthread_mutex_unlock(&told->lock);
}

static int counted(struct told *told, int count) {
    int good;
    pthread_mutex_lock(&told->lock);
    while (told->count < count) {
        pthread_cond_wait(&told->moved, &told->lock);
    }
    good = told->count == count ? told->good : -1;
    pthread_mutex_unlock(&told->lock);
    return good;
}

static void logged(void *user_data, int32_t level, const char *target, const char *message) {
    struct told *told = user_data;
    zt_secret *secret = NULL;
    zt_error *err = NULL;
    int good = level == ZT_LOG_DEBUG && strncmp(target, "zt::", 4) == 0 && message[0] != '\0' &&
               strchr(message, '\n') == NULL && !has(message, "needle");
    /* It may call zt; what that logs is left out, and the callback cannot be replaced from inside. */
    good = good && zt_log_to(ZT_LOG_OFF, NULL, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT;
    zt_error_free(err);
    if (told->job != NULL) {
        good = good && zt_secret_get(told->job, "adb-token", &secret, NULL) == ZT_STATUS_DENIED;
    }
    meet(told, good);
}

/* The vault has no such version: that is told at the level of debugging. */
static void logs(const zt_session *job, struct told *told) {
    zt_secret *secret = NULL;
    int before;
    told->job = job;
    CHECK(zt_log_to(ZT_LOG_DEBUG, logged, told, NULL) == ZT_STATUS_OK);
    CHECK(zt_session_secret_version(job, KEY, "00000000000000000000000000000002", &secret, NULL) == ZT_STATUS_NOT_FOUND);
    CHECK(zt_log_to(ZT_LOG_OFF, NULL, NULL, NULL) == ZT_STATUS_OK);
    pthread_mutex_lock(&told->lock);
    before = told->count;
    CHECK(before > 0 && told->good == before);
    pthread_mutex_unlock(&told->lock);
    told->count = told->good = 0;
}

static void has_secret(void *user_data, const zt_operation *operation) {
    zt_secret *secret = NULL;
    zt_secret *second = NULL;
    const struct told *told = user_data;
    size_t length = 0;
    int good = zt_operation_is_done(operation) && zt_operation_wait(operation, 0, NULL) == ZT_STATUS_OK &&
               zt_operation_secret(operation, &secret, NULL) == ZT_STATUS_OK;
    const unsigned char *bytes = zt_secret_bytes(secret, &length);
    good = good && length == strlen(NEEDLE) && memcmp(bytes, NEEDLE, length) == 0;
    /* It may wait in zt. */
    good = good && zt_secret_get(told->job, KEY, &second, NULL) == ZT_STATUS_OK;
    zt_secret_free(second);
    zt_secret_free(secret);
    meet(user_data, good);
}

static void is_cancelled(void *user_data, const zt_operation *operation) {
    meet(user_data, zt_operation_wait(operation, 0, NULL) == ZT_STATUS_CANCELLED);
}

static void is_over(void *user_data, const zt_operation *operation) {
    meet(user_data, zt_operation_is_done(operation) && zt_operation_wait(operation, 0, NULL) != ZT_STATUS_OK);
}

static void has_ended(void *user_data, const zt_operation *operation) {
    const zt_status status = zt_operation_wait(operation, 0, NULL);
    meet(user_data, status == ZT_STATUS_OK || status == ZT_STATUS_CANCELLED);
}

#define MANY 200

static void operations(const zt_runtime *zt, const zt_session *job, struct told *told) {
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    zt_operation *many[MANY];
    zt_session *session = NULL;
    zt_secret *secret = NULL;
    int at;
    told->job = job;

    CHECK(zt_authenticate_async(zt, getenv("ZT_MAYA"), 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_session(operation, &session, &err) == ZT_STATUS_OK && same(zt_session_name(session), "user:maya"));
    zt_session_free(session);
    session = NULL;
    zt_operation_free(operation);

    CHECK(zt_authenticate_async(zt, "no.token.this", 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    for (at = 0; at < 2; at++) {
        CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_INVALID_TOKEN);
        CHECK(same(zt_error_public_message(err), "invalid_token") && zt_error_http_status(err) == 401);
        CHECK(says(&err, ZT_STATUS_INVALID_TOKEN, ""));
    }
    CHECK(zt_operation_session(operation, &session, &err) == ZT_STATUS_INVALID_TOKEN && session == NULL);
    CHECK(says(&err, ZT_STATUS_INVALID_TOKEN, ""));
    zt_operation_free(operation);

    /* Many at once, nobody keeps a handle: each is told once. */
    for (at = 0; at < MANY; at++) {
        CHECK(zt_secret_get_async(job, KEY, LONG, has_secret, told, NULL, NULL) == ZT_STATUS_OK);
    }
    CHECK(counted(told, MANY) == MANY);
    told->count = told->good = 0;

    /* The refusal comes with its decision. */
    CHECK(zt_secret_get_async(job, "adb-token", 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_DENIED);
    {
        zt_decision *decision = zt_error_decision(err);
        CHECK(same(zt_decision_kind(decision), "default_deny"));
        zt_decision_free(decision);
    }
    CHECK(says(&err, ZT_STATUS_DENIED, ""));
    zt_operation_free(operation);

    /* Nobody answers: it is pending until somebody gives up. */
    CHECK(zt_runtime_workload_async(zt, 0, is_cancelled, told, &operation, &err) == ZT_STATUS_OK);
    CHECK(!zt_operation_is_done(operation));
    CHECK(zt_operation_wait(operation, 0, &err) == ZT_STATUS_PENDING);
    CHECK(zt_error_is_transient(err) && says(&err, ZT_STATUS_PENDING, "not ended"));
    CHECK(zt_operation_session(operation, &session, &err) == ZT_STATUS_PENDING);
    CHECK(says(&err, ZT_STATUS_PENDING, "not ended"));
    zt_operation_cancel(operation);
    zt_operation_cancel(operation);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_CANCELLED);
    CHECK(says(&err, ZT_STATUS_CANCELLED, "cancelled"));
    CHECK(zt_operation_session(operation, &session, NULL) == ZT_STATUS_CANCELLED && session == NULL);
    zt_operation_free(operation);
    CHECK(counted(told, 1) == 1);
    told->count = told->good = 0;

    CHECK(zt_runtime_workload_async(zt, 1, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_CANCELLED);
    CHECK(says(&err, ZT_STATUS_CANCELLED, "deadline of 1 ms"));
    zt_operation_free(operation);

    /* Given up at any moment, each is told once all the same. */
    for (at = 0; at < MANY; at++) {
        CHECK(zt_secret_get_async(job, KEY, LONG, has_ended, told, &many[at], NULL) == ZT_STATUS_OK);
        if (at % 2 == 0) {
            zt_operation_cancel(many[at]);
        }
        if (at % 3 == 0) {
            zt_operation_free(many[at]);
            many[at] = NULL;
        }
    }
    CHECK(counted(told, MANY) == MANY);
    told->count = told->good = 0;
    for (at = 0; at < MANY; at++) {
        zt_operation_free(many[at]);
    }
    CHECK(zt_secret_get(job, KEY, &secret, NULL) == ZT_STATUS_OK);
    zt_secret_free(secret);
}

/* What is sealed by one operation is opened by another. */
static void sealing(const zt_session *job, const zt_session *ines) {
    static const char csv[] = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n1,20K,0.7,0.9,1\n";
    static const unsigned char weights[] = "weights";
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    zt_sealer *sealer = NULL;
    zt_opener *opener = NULL;
    zt_file_opener *files = NULL;
    zt_batch *batch = NULL;
    zt_batch *sealed = NULL;
    zt_batch *plain = NULL;
    zt_bytes *file = NULL;
    zt_bytes *bytes = NULL;
    CHECK(zt_batch_from_csv((const unsigned char *)csv, strlen(csv), &batch, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_new_async(job, "loan_scores_delta", 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_sealer(operation, &sealer, &err) == ZT_STATUS_OK);
    zt_operation_free(operation);
    CHECK(zt_sealer_seal(sealer, batch, &sealed, &err) == ZT_STATUS_OK);
    CHECK(zt_sealer_seal_bytes(sealer, "weights", weights, sizeof weights, &file, &err) == ZT_STATUS_OK);
    zt_sealer_free(sealer);
    CHECK(zt_opener_new_async(ines, "loan_scores_delta", sealed, 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_opener(operation, &opener, &err) == ZT_STATUS_OK);
    zt_operation_free(operation);
    CHECK(zt_opener_unseal(opener, sealed, &plain, &err) == ZT_STATUS_OK && zt_batch_rows(plain) == 1);
    zt_opener_free(opener);
    CHECK(zt_file_opener_new_async(ines, "loan_scores_delta", zt_bytes_data(file), zt_bytes_len(file), 0, NULL, NULL,
                                   &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_file_opener(operation, &files, &err) == ZT_STATUS_OK);
    zt_operation_free(operation);
    CHECK(zt_file_opener_unseal_bytes(files, "weights", zt_bytes_data(file), zt_bytes_len(file), &bytes, &err) ==
          ZT_STATUS_OK);
    CHECK(zt_bytes_len(bytes) == sizeof weights && memcmp(zt_bytes_data(bytes), weights, sizeof weights) == 0);
    zt_bytes_free(bytes);
    zt_bytes_free(file);
    zt_file_opener_free(files);
    zt_batch_free(plain);
    zt_batch_free(sealed);

    CHECK(zt_log_batch_async(job, "no_such_model", batch, 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    {
        zt_text *text = NULL;
        CHECK(zt_operation_wait(operation, LONG, NULL) != ZT_STATUS_OK);
        CHECK(zt_operation_text(operation, &text, NULL) != ZT_STATUS_OK && text == NULL);
    }
    zt_operation_free(operation);
    zt_batch_free(batch);
}

/* What the program gives as its own identity, and how often it was asked. */
struct identity {
    const char *token;
    int64_t expires_ms;
    zt_status answer;
    int asked;
    struct told *released;
};

static void release(void *user_data) {
    const struct identity *identity = user_data;
    meet(identity->released, 1);
}

static zt_status identify(void *user_data, const char *scope, const zt_token *token) {
    struct identity *identity = user_data;
    identity->asked++;
    if (!has(scope, "/.default")) {
        return ZT_STATUS_INVALID_ARGUMENT;
    }
    if (identity->token != NULL &&
        zt_token_set(token, identity->token, identity->expires_ms, NULL) != ZT_STATUS_OK) {
        return ZT_STATUS_INVALID_ARGUMENT;
    }
    return identity->answer;
}

static void own_identity(const char *folder, struct told *told) {
    const int64_t later = ((int64_t)time(NULL) + 3600) * 1000;
    const struct {
        struct identity identity;
        zt_status status;
        const char *part;
    } cases[] = {
        {{getenv("ZT_SCORE"), later, ZT_STATUS_OK, 0, NULL}, ZT_STATUS_OK, ""},
        {{NULL, later, ZT_STATUS_OK, 0, NULL}, ZT_STATUS_NO_OWN_IDENTITY, "set no token"},
        {{getenv("ZT_SCORE"), later, -7, 0, NULL}, ZT_STATUS_NO_OWN_IDENTITY, "answered -7"},
        {{getenv("ZT_SCORE"), later, ZT_STATUS_IDENTITY_UNAVAILABLE, 0, NULL}, ZT_STATUS_IDENTITY_UNAVAILABLE, "said so"},
        {{"", later, ZT_STATUS_OK, 0, NULL}, ZT_STATUS_NO_OWN_IDENTITY, "answered 5001"},
        {{"a b", later, ZT_STATUS_OK, 0, NULL}, ZT_STATUS_NO_OWN_IDENTITY, "answered 5001"},
        {{getenv("ZT_SCORE"), -1, ZT_STATUS_OK, 0, NULL}, ZT_STATUS_NO_OWN_IDENTITY, "answered 5001"},
    };
    size_t at;
    for (at = 0; at < sizeof cases / sizeof *cases; at++) {
        struct identity identity = cases[at].identity;
        zt_error *err = NULL;
        zt_runtime *zt = NULL;
        zt_session *session = NULL;
        identity.released = told;
        CHECK(zt_open_with_credential("nowhere", NULL, identify, &identity, release, &zt, &err) == ZT_STATUS_CONFIG);
        CHECK(says(&err, ZT_STATUS_CONFIG, "zt.toml") && counted(told, 1) == 1);
        told->count = told->good = 0;
        CHECK(zt_open_with_credential(folder, NULL, identify, &identity, release, &zt, &err) == ZT_STATUS_OK);
        CHECK(identity.asked == 0);
        CHECK(zt_runtime_workload(zt, &session, &err) == cases[at].status && identity.asked == 1);
        CHECK(cases[at].status == ZT_STATUS_OK ? same(zt_session_name(session), "sp:sp-score-201")
                                               : says(&err, cases[at].status, cases[at].part));
        zt_session_free(session);
        CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
        CHECK(told->count == 0);
        zt_runtime_free(zt);
        /* Nobody holds it any more: it ends with this round. */
        CHECK(counted(told, 1) == 1);
        told->count = told->good = 0;
    }
}

/* The same by an operation. However it ends, the program's data is released once. */
static void own_identity_later(const char *folder, struct told *told) {
    const int64_t later = ((int64_t)time(NULL) + 3600) * 1000;
    struct identity identity = {NULL, 0, ZT_STATUS_OK, 0, NULL};
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    zt_runtime *zt = NULL;
    zt_session *session = NULL;
    int round;
    identity.token = getenv("ZT_SCORE");
    identity.expires_ms = later;
    identity.released = told;
    CHECK(zt_open_with_credential_async(folder, NULL, identify, &identity, release, 0, NULL, NULL, NULL, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "operation") && counted(told, 1) == 1);
    CHECK(zt_open_with_credential_async("nowhere", NULL, identify, &identity, release, 0, NULL, NULL, &operation,
                                        &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_CONFIG && says(&err, ZT_STATUS_CONFIG, "zt.toml"));
    zt_operation_free(operation);
    CHECK(counted(told, 2) == 2);

    told->count = told->good = 0;
    CHECK(zt_open_with_credential_async(folder, NULL, identify, &identity, release, 0, NULL, NULL, &operation, &err) ==
          ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_runtime(operation, &zt, &err) == ZT_STATUS_OK);
    zt_operation_free(operation);
    CHECK(identity.asked == 0);
    CHECK(zt_runtime_workload(zt, &session, &err) == ZT_STATUS_OK && identity.asked == 1);
    CHECK(same(zt_session_name(session), "sp:sp-score-201"));
    zt_session_free(session);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK && told->count == 0);
    zt_runtime_free(zt);
    CHECK(counted(told, 1) == 1);

    for (round = 0; round < 10; round++) {
        told->count = told->good = 0;
        CHECK(zt_open_with_credential_async(folder, NULL, identify, &identity, release, round % 2, NULL, NULL,
                                            &operation, &err) == ZT_STATUS_OK);
        zt_operation_cancel(operation);
        zt_operation_free(operation);
        CHECK(counted(told, 1) == 1);
    }
    told->count = told->good = 0;
}

struct all {
    struct told *told;
    zt_runtime *zt;
    zt_session *session;
};

/* The last handles go here, on the thread that ends with them. */
static void frees_all(void *user_data, const zt_operation *operation) {
    struct all *all = user_data;
    const int good = zt_operation_wait(operation, 0, NULL) == ZT_STATUS_OK &&
                     zt_runtime_close(all->zt, 5000, NULL) == ZT_STATUS_OK;
    zt_session_free(all->session);
    zt_runtime_free(all->zt);
    meet(all->told, good);
}

static void freed_in_its_callback(const char *folder, struct told *told) {
    struct all all = {told, NULL, NULL};
    int round;
    for (round = 0; round < 5; round++) {
        CHECK(zt_open(folder, &all.zt, NULL) == ZT_STATUS_OK);
        all.session = the_job(all.zt);
        CHECK(zt_secret_get_async(all.session, KEY, 0, frees_all, &all, NULL, NULL) == ZT_STATUS_OK);
        CHECK(counted(told, 1) == 1);
        told->count = told->good = 0;
    }
}

/* Opened, reloaded and closed by operations. Freed while one is under way, it ends all the same. */
static void whole_life(const char *folder, struct told *told) {
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    zt_runtime *zt = NULL;
    CHECK(zt_open_async(folder, NULL, 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_runtime(operation, &zt, &err) == ZT_STATUS_OK);
    zt_operation_free(operation);
    CHECK(zt_reload_async(zt, 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_OK);
    {
        zt_runtime *none = NULL;
        CHECK(zt_operation_runtime(operation, &none, &err) == ZT_STATUS_INVALID_ARGUMENT && none == NULL);
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "made no handle"));
    }
    zt_operation_free(operation);
    CHECK(zt_runtime_workload_async(zt, 0, is_over, told, &operation, &err) == ZT_STATUS_OK);
    {
        zt_operation *closing = NULL;
        CHECK(zt_runtime_close_async(zt, 5000, NULL, NULL, &closing, &err) == ZT_STATUS_OK);
        zt_runtime_free(zt);
        CHECK(zt_operation_wait(closing, LONG, &err) == ZT_STATUS_OK);
        zt_operation_free(closing);
    }
    zt_operation_cancel(operation);
    zt_operation_free(operation);
    CHECK(counted(told, 1) == 1);
    told->count = told->good = 0;
    CHECK(zt_open_async("nowhere", NULL, 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, LONG, &err) == ZT_STATUS_CONFIG);
    CHECK(says(&err, ZT_STATUS_CONFIG, "zt.toml"));
    zt_operation_free(operation);
}

int main(int argc, char **argv) {
    static struct told told_of = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, NULL};
    zt_runtime *zt = NULL;
    zt_session *maya;
    zt_session *ines;
    zt_session *job;
    CHECK(setenv("PATH", "", 1) == 0);
    if (argc != 3) {
        return 2;
    }
    settings(argv[1], argv[2]);
    if (zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    maya = sign_in(zt, "ZT_MAYA");
    ines = sign_in(zt, "ZT_INES");
    job = the_job(zt);
    checks(maya);
    metrics(zt);
    logs(job, &told_of);
    operations(zt, job, &told_of);
    sealing(job, ines);
    zt_session_free(maya);
    zt_session_free(ines);
    zt_session_free(job);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
    whole_life(argv[1], &told_of);
    freed_in_its_callback(argv[1], &told_of);
    own_identity(argv[1], &told_of);
    own_identity_later(argv[1], &told_of);
    return told();
}
