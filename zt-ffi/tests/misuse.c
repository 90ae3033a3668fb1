/*
 * What a program gets wrong: every function with NULL where something must be, text that is no UTF-8, lengths that no memory
 * has, options of other sizes, results taken twice or as what they are not. The answer is a status, and the process goes on.
 *
 * argv: the world's folder. The environment has ZT_SCORE and ZT_MAYA. Every name of abi/symbols.txt stands here.
 */
#include "checks.h"

/* Every pointer is NULL: the first that must not be is named. */
#define REFUSES(call)                                                                                                  \
    do {                                                                                                               \
        zt_error *err = NULL;                                                                                          \
        CHECK((call) == ZT_STATUS_INVALID_ARGUMENT);                                                                   \
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "is NULL"));                                                      \
    } while (0)

static void release(void *user_data) {
    *(int *)user_data += 1;
}

static void nothing_is_given(void) {
    REFUSES(zt_open(NULL, NULL, &err));
    REFUSES(zt_reload(NULL, NULL, &err));
    REFUSES(zt_runtime_ready(NULL, &err));
    REFUSES(zt_runtime_close(NULL, 1, &err));
    REFUSES(zt_open_with(NULL, NULL, NULL, &err));
    int released = 0;
    REFUSES(zt_open_with_credential(NULL, NULL, NULL, &released, release, NULL, &err));
    REFUSES(zt_open_with_credential("nowhere", NULL, NULL, &released, release, NULL, &err));
    CHECK(released == 2);
    REFUSES(zt_open_with_credential_async(NULL, NULL, NULL, &released, release, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_open_with_credential_async("nowhere", NULL, NULL, &released, release, 1, NULL, NULL, NULL, &err));
    CHECK(released == 4);
    REFUSES(zt_token_set(NULL, NULL, 1, &err));
    REFUSES(zt_authenticate(NULL, NULL, NULL, &err));
    REFUSES(zt_runtime_workload(NULL, NULL, &err));
    REFUSES(zt_session_claiming(NULL, 201, 201, NULL, &err));
    REFUSES(zt_session_claiming_author(NULL, NULL, NULL, &err));
    REFUSES(zt_session_claiming_fact(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_check(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_require(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_explain(NULL, NULL, NULL, &err));
    REFUSES(zt_session_locate(NULL, NULL, NULL, &err));
    REFUSES(zt_check_at(NULL, NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_check_many(NULL, NULL, NULL, 1, NULL, NULL, &err));
    REFUSES(zt_batch_from_csv(NULL, 1, NULL, &err));
    REFUSES(zt_batch_to_csv(NULL, NULL, &err));
    REFUSES(zt_permit_apply(NULL, NULL, NULL, &err));
    REFUSES(zt_plan(NULL, 201, NULL, NULL, &err));
    REFUSES(zt_secret_get(NULL, NULL, NULL, &err));
    REFUSES(zt_session_secret_version(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_session_refresh_secret(NULL, NULL, NULL, &err));
    REFUSES(zt_secret_read(NULL, NULL, NULL, 1, NULL, &err));
    REFUSES(zt_session_secret_handle(NULL, NULL, NULL, &err));
    REFUSES(zt_secret_handle_get(NULL, NULL, &err));
    REFUSES(zt_secret_handle_read(NULL, NULL, 1, NULL, &err));
    REFUSES(zt_runtime_status_json(NULL, NULL, &err));
    REFUSES(zt_runtime_metrics_text(NULL, NULL, &err));
    REFUSES(zt_runtime_invalidate(NULL, NULL, &err));
    REFUSES(zt_runtime_secret_event(NULL, NULL, 1, NULL, &err));
    REFUSES(zt_session_warm(NULL, NULL, 1, 1, NULL, NULL, &err));
    REFUSES(zt_sealer_new(NULL, NULL, NULL, &err));
    REFUSES(zt_sealer_seal(NULL, NULL, NULL, &err));
    REFUSES(zt_opener_new(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_opener_unseal(NULL, NULL, NULL, &err));
    REFUSES(zt_sealer_seal_bytes(NULL, NULL, NULL, 1, NULL, &err));
    REFUSES(zt_sealer_seal_file(NULL, NULL, NULL, NULL, false, NULL, &err));
    REFUSES(zt_sealer_seal_stream(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_file_opener_new(NULL, NULL, NULL, 1, NULL, &err));
    REFUSES(zt_file_opener_from_file(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_file_opener_unseal_bytes(NULL, NULL, NULL, 1, NULL, &err));
    REFUSES(zt_file_opener_unseal_file(NULL, NULL, NULL, NULL, false, NULL, &err));
    REFUSES(zt_file_opener_unseal_stream(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_sealer_seal_arrow(NULL, NULL, NULL, 1, NULL, NULL, &err));
    REFUSES(zt_arrow_opener_new(NULL, NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_opener_unseal_arrow(NULL, NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_log_batch(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_audit_tail(NULL, 1, NULL, &err));
    REFUSES(zt_runtime_audit_tail(NULL, 1, NULL, &err));
    REFUSES(zt_audit_verify(NULL, NULL, NULL, NULL, &err));
    REFUSES(zt_operation_wait(NULL, 1, &err));
    REFUSES(zt_operation_runtime(NULL, NULL, &err));
    REFUSES(zt_operation_session(NULL, NULL, &err));
    REFUSES(zt_operation_secret(NULL, NULL, &err));
    REFUSES(zt_operation_sealer(NULL, NULL, &err));
    REFUSES(zt_operation_opener(NULL, NULL, &err));
    REFUSES(zt_operation_file_opener(NULL, NULL, &err));
    REFUSES(zt_operation_text(NULL, NULL, &err));
    REFUSES(zt_open_async(NULL, NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_reload_async(NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_runtime_close_async(NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_authenticate_async(NULL, NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_runtime_workload_async(NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_secret_get_async(NULL, NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_sealer_new_async(NULL, NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_opener_new_async(NULL, NULL, NULL, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_file_opener_new_async(NULL, NULL, NULL, 1, 1, NULL, NULL, NULL, &err));
    REFUSES(zt_log_batch_async(NULL, NULL, NULL, 1, NULL, NULL, NULL, &err));
}

static void accessors_of_nothing(void) {
    CHECK(same(zt_session_name(NULL), ""));
    CHECK(!zt_decision_is_allowed(NULL));
    CHECK(same(zt_decision_kind(NULL), ""));
    CHECK(same(zt_decision_id(NULL), ""));
    CHECK(zt_decision_why(NULL) == NULL);
    CHECK(same(zt_decision_policies(NULL), "[]"));
    CHECK(same(zt_decision_columns(NULL), "{\"only\":[]}"));
    CHECK(same(zt_decision_masks(NULL), "{}"));
    CHECK(same(zt_decision_obligations(NULL), "{}"));
    CHECK(same(zt_decision_restrictions(NULL), "[]"));
    CHECK(same(zt_decision_step_up(NULL), "[]"));
    CHECK(!zt_decision_lease(NULL, NULL));
    CHECK(zt_decision_draft(NULL) == NULL);
    CHECK(zt_error_decision(NULL) == NULL);
    CHECK(zt_batch_rows(NULL) == 0);
    CHECK(zt_secret_bytes(NULL, NULL) == NULL);
    CHECK(same(zt_secret_version(NULL), ""));
    CHECK(zt_secret_stale_ms(NULL) == -1);
    CHECK(same(zt_secret_path_proof(NULL), ""));
    CHECK(zt_bytes_data(NULL) == NULL);
    CHECK(zt_bytes_len(NULL) == 0);
    CHECK(same(zt_file_opener_name(NULL), ""));
    CHECK(zt_operation_is_done(NULL));
    CHECK(same(zt_text_data(NULL), ""));
    CHECK(zt_text_len(NULL) == 0);
    CHECK(same(zt_error_code(NULL), ""));
    CHECK(same(zt_error_message(NULL), ""));
    CHECK(zt_error_help(NULL) == NULL);
    CHECK(zt_error_cause(NULL) == NULL);
    CHECK(zt_error_report(NULL) == NULL);
    CHECK(same(zt_error_public_message(NULL), ""));
    CHECK(zt_error_http_status(NULL) == 500);
    CHECK(zt_error_challenge(NULL) == NULL);
    CHECK(zt_error_retry_after_s(NULL) == -1);
    CHECK(zt_error_retry_ms(NULL) == -1);
    CHECK(!zt_error_is_transient(NULL));
    CHECK(!zt_error_is_denied(NULL));
    CHECK(zt_error_status(NULL) == ZT_STATUS_OK);
}

static void freeing_nothing(void) {
    zt_runtime_free(NULL);
    zt_session_free(NULL);
    zt_decision_free(NULL);
    zt_located_free(NULL);
    zt_batch_free(NULL);
    zt_secret_free(NULL);
    zt_secret_handle_free(NULL);
    zt_sealer_free(NULL);
    zt_opener_free(NULL);
    zt_bytes_free(NULL);
    zt_file_opener_free(NULL);
    zt_operation_cancel(NULL);
    zt_operation_free(NULL);
    zt_text_free(NULL);
    zt_error_free(NULL);
    zt_wipe(NULL, 0);
    zt_wipe(NULL, 8);
    CHECK(zt_abi_version() == ZT_ABI_VERSION && has(zt_version(), "."));
}

/* Bytes that are no UTF-8, in every place for a text. */
static void not_utf_8(const zt_runtime *zt, const zt_session *job) {
    static const char bad[] = "\xc3\x28";
    static const char *const list[] = {"model:car_loan_scorer", bad};
    const zt_setting setting = {bad, "x"};
    zt_open_options options;
    zt_error *err = NULL;
    zt_runtime *runtime = NULL;
    zt_session *session = NULL;
    zt_decision *decision = NULL;
    zt_located *located = NULL;
    zt_secret *secret = NULL;
    zt_sealer *sealer = NULL;
    zt_secret_handle *handle = NULL;
    zt_operation *operation = NULL;
    zt_text *text = NULL;
    bool allowed[2];
    size_t length;
#define NO_TEXT(call)                                                                                                  \
    do {                                                                                                               \
        CHECK((call) == ZT_STATUS_INVALID_ARGUMENT);                                                                   \
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "UTF-8"));                                                        \
    } while (0)
    CHECK(zt_open_options_init(&options, sizeof options) == ZT_STATUS_OK);
    options.settings = &setting;
    options.setting_count = 1;
    NO_TEXT(zt_open(bad, &runtime, &err));
    NO_TEXT(zt_open_with("nowhere", &options, &runtime, &err));
    NO_TEXT(zt_authenticate(zt, bad, &session, &err));
    NO_TEXT(zt_session_claiming_author(job, bad, &session, &err));
    NO_TEXT(zt_session_claiming_fact(job, bad, "x", &session, &err));
    NO_TEXT(zt_check(job, "model.infer", bad, &decision, &err));
    NO_TEXT(zt_require(job, bad, "model:car_loan_scorer", &decision, &err));
    NO_TEXT(zt_session_locate(job, bad, &located, &err));
    NO_TEXT(zt_check_many(job, "model.infer", list, 2, allowed, NULL, &err));
    NO_TEXT(zt_secret_get(job, bad, &secret, &err));
    NO_TEXT(zt_secret_read(job, bad, NULL, 0, &length, &err));
    NO_TEXT(zt_session_secret_version(job, "bureau-api-key", bad, &secret, &err));
    NO_TEXT(zt_session_secret_handle(job, bad, &handle, &err));
    NO_TEXT(zt_session_warm(job, list, 2, 0, NULL, NULL, &err));
    NO_TEXT(zt_runtime_invalidate(zt, bad, &err));
    NO_TEXT(zt_sealer_new(job, bad, &sealer, &err));
    NO_TEXT(zt_audit_verify(bad, NULL, NULL, &text, &err));
    NO_TEXT(zt_open_async(bad, NULL, 0, NULL, NULL, &operation, &err));
    NO_TEXT(zt_open_with_credential_async(bad, NULL, NULL, NULL, NULL, 0, NULL, NULL, &operation, &err));
    NO_TEXT(zt_authenticate_async(zt, bad, 0, NULL, NULL, &operation, &err));
    NO_TEXT(zt_secret_get_async(job, bad, 0, NULL, NULL, &operation, &err));
    NO_TEXT(zt_sealer_new_async(job, bad, 0, NULL, NULL, &operation, &err));
    CHECK(runtime == NULL && session == NULL && decision == NULL && located == NULL && secret == NULL);
    CHECK(sealer == NULL && handle == NULL && operation == NULL && text == NULL);
}

/* More than memory holds, and arrays that are none. */
static void too_long(const zt_runtime *zt, const zt_session *job) {
    static const unsigned char byte[1] = {'a'};
    static const char *const list[] = {"model:car_loan_scorer", NULL};
    const zt_setting setting = {"mode", NULL};
    union {
        bool answers[8];
        void *aligned;
    } room;
    zt_open_options options;
    zt_error *err = NULL;
    zt_batch *batch = NULL;
    zt_text *text = NULL;
    zt_sealer *sealer = NULL;
    zt_bytes *sealed = NULL;
    zt_file_opener *opener = NULL;
    zt_operation *operation = NULL;
    zt_runtime *runtime = NULL;
#define TOO_LONG(call, part)                                                                                           \
    do {                                                                                                               \
        CHECK((call) == ZT_STATUS_INVALID_ARGUMENT);                                                                   \
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, part));                                                           \
    } while (0)
    TOO_LONG(zt_batch_from_csv(byte, SIZE_MAX, &batch, &err), "no memory has");
    TOO_LONG(zt_batch_from_csv(byte, SIZE_MAX / 2 + 1, &batch, &err), "no memory has");
    TOO_LONG(zt_runtime_secret_event(zt, byte, SIZE_MAX, &text, &err), "no memory has");
    TOO_LONG(zt_session_warm(job, list, SIZE_MAX, 0, NULL, NULL, &err), "no memory has");
    TOO_LONG(zt_session_warm(job, list, SIZE_MAX / sizeof *list, 0, NULL, NULL, &err), "no memory has");
    TOO_LONG(zt_check_many(job, "model.infer", list, SIZE_MAX / 4, room.answers, NULL, &err), "no memory has");
    TOO_LONG(zt_check_many(job, "model.infer", list, 2, room.answers, NULL, &err), "`resources` is NULL");
    TOO_LONG(zt_check_many(job, "model.infer", list, 1, NULL, NULL, &err), "`are_allowed` is NULL");
    TOO_LONG(zt_check_many(job, "model.infer", list, 1, room.answers, (zt_decision **)(void *)(room.answers + 1), &err),
             "not aligned");
    TOO_LONG(zt_file_opener_new(job, "loan_scores_delta", byte, SIZE_MAX, &opener, &err), "no memory has");
    TOO_LONG(zt_file_opener_new_async(job, "loan_scores_delta", byte, SIZE_MAX, 0, NULL, NULL, &operation, &err),
             "no memory has");
    CHECK(zt_sealer_new(job, "loan_scores_delta", &sealer, NULL) == ZT_STATUS_OK);
    TOO_LONG(zt_sealer_seal_bytes(sealer, "name", byte, SIZE_MAX, &sealed, &err), "no memory has");
    TOO_LONG(zt_sealer_seal_bytes(sealer, "", byte, 1, &sealed, &err), "");
    zt_sealer_free(sealer);
    CHECK(zt_open_options_init(&options, sizeof options) == ZT_STATUS_OK);
    options.settings = &setting;
    options.setting_count = SIZE_MAX / 2;
    TOO_LONG(zt_open_with("nowhere", &options, &runtime, &err), "no memory has");
    options.setting_count = 1;
    TOO_LONG(zt_open_with("nowhere", &options, &runtime, &err), "`settings.value` is NULL");
    options.settings = NULL;
    TOO_LONG(zt_open_with("nowhere", &options, &runtime, &err), "`settings` is NULL");
    CHECK(batch == NULL && text == NULL && sealed == NULL && opener == NULL && operation == NULL && runtime == NULL);
}

/* What a program of another release has for options. */
static void other_sizes(const char *folder) {
    struct {
        zt_open_options options;
        uint64_t newer;
    } later;
    zt_error *err = NULL;
    zt_runtime *zt = NULL;
    CHECK(zt_open_options_init(&later.options, 0) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_open_options_init(&later.options, sizeof later.options - 1) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_open_options_init(&later.options, SIZE_MAX) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_open_options_init(NULL, sizeof later.options) == ZT_STATUS_INVALID_ARGUMENT);
    memset(&later, 0, sizeof later);
    CHECK(zt_open_with(folder, &later.options, &zt, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "options of 0 bytes"));
    later.options.struct_size = SIZE_MAX;
    CHECK(zt_open_with(folder, &later.options, &zt, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "of no known size"));
    CHECK(zt_open_options_init(&later.options, sizeof later) == ZT_STATUS_OK && later.newer == 0);
    later.newer = 1;
    CHECK(zt_open_with(folder, &later.options, &zt, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "asks for more than this library knows"));
    later.newer = 0;
    CHECK(zt == NULL);
    CHECK(zt_open_with(folder, &later.options, &zt, &err) == ZT_STATUS_OK);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    CHECK(zt_runtime_close(zt, 5000, &err) == ZT_STATUS_CLOSED);
    CHECK(says(&err, ZT_STATUS_CLOSED, ""));
    zt_runtime_free(zt);
}

/* Levels and stores that are none. */
static void other_numbers(const zt_session *job) {
    zt_error *err = NULL;
    zt_sealer *sealer = NULL;
    struct ArrowSchema schema;
    struct ArrowArray array;
    memset(&schema, 0, sizeof schema);
    memset(&array, 0, sizeof array);
    CHECK(zt_log_to(-1, NULL, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`level` is -1"));
    CHECK(zt_log_to(6, NULL, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`level` is 6"));
    CHECK(zt_log_off(NULL, &err) == ZT_STATUS_OK);
    CHECK(zt_log_off(&schema, &err) == ZT_STATUS_OK);
    CHECK(zt_sealer_new(job, "loan_scores_delta", &sealer, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, 7, &schema, &array, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, ""));
    zt_sealer_free(sealer);
}

static void results(const zt_session *job) {
    zt_error *err = NULL;
    zt_operation *operation = NULL;
    zt_session *session = NULL;
    zt_secret *secret = NULL;
    zt_secret *again = NULL;
    CHECK(zt_secret_get_async(job, "bureau-api-key", 0, NULL, NULL, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`operation` is NULL"));
    CHECK(zt_secret_get_async(job, "bureau-api-key", 0, NULL, NULL, &operation, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_wait(operation, 60000, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_session(operation, &session, &err) == ZT_STATUS_INVALID_ARGUMENT && session == NULL);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "made a secret, not a session"));
    CHECK(zt_operation_secret(operation, &secret, &err) == ZT_STATUS_OK);
    CHECK(zt_operation_secret(operation, &again, &err) == ZT_STATUS_INVALID_ARGUMENT && again == NULL);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "taken already"));
    zt_operation_cancel(operation);
    CHECK(zt_operation_is_done(operation) && zt_operation_wait(operation, 0, NULL) == ZT_STATUS_OK);
    zt_secret_free(secret);
    zt_operation_free(operation);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *job;
    if (argc != 2 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    job = the_job(zt);
    nothing_is_given();
    accessors_of_nothing();
    freeing_nothing();
    not_utf_8(zt, job);
    too_long(zt, job);
    other_numbers(job);
    results(job);
    zt_session_free(job);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
    other_sizes(argv[1]);
    return told();
}
