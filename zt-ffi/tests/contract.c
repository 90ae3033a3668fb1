/*
 * The contract of zt.h, from the side of a C program. Needs C99 and one thread.
 *
 * argv: the world's folder, a folder that holds nothing. The environment has tokens: ZT_MAYA, ZT_PRIYA, ZT_SCORE,
 * ZT_ELIN, ZT_JONAS, ZT_INES.
 * The tables in the folder are spoilt at the end. Prints one line for each check that fails and how many hold; never a
 * value of a secret.
 */
#include "count.h"

#define NEEDLE "zt-needle-bureau-3f0c"

static int same(const char *a, const char *b) {
    return a != NULL && strcmp(a, b) == 0;
}

/* Takes the error, says whether it is the expected one, frees it. */
static int is(zt_error **err, zt_status status, const char *public_message) {
    int yes = *err != NULL && zt_error_status(*err) == status && has(zt_error_public_message(*err), public_message) &&
              strncmp(zt_error_code(*err), "ZT-", 3) == 0 && atoi(zt_error_code(*err) + 3) == status &&
              zt_error_message(*err)[0] != '\0' && !has(zt_error_message(*err), "zt-needle");
    if (!yes && *err != NULL) {
        fprintf(stderr, "%s %s\n", zt_error_code(*err), zt_error_message(*err));
    }
    zt_error_free(*err);
    *err = NULL;
    return yes;
}

static zt_session *sign_in(const zt_runtime *zt, const char *variable) {
    zt_session *session = NULL;
    const char *token = getenv(variable);
    CHECK(zt_authenticate(zt, token, &session, NULL) == ZT_STATUS_OK);
    return session;
}

static void versions(void) {
    CHECK(zt_abi_version() == ZT_ABI_VERSION);
    CHECK(has(zt_version(), "."));
}

static void opening(const char *nothing) {
    zt_error *err = NULL;
    zt_runtime *zt = (zt_runtime *)&failed; /* A mark: outputs are written on success only. */
    CHECK(zt_open(nothing, &zt, &err) == ZT_STATUS_CONFIG);
    CHECK((void *)zt == (void *)&failed);
    CHECK(has(zt_error_message(err), "zt.toml"));
    CHECK(zt_error_help(err) != NULL);
    CHECK(zt_error_cause(err) != NULL);
    CHECK(zt_error_report(err) == NULL);
    CHECK(zt_error_http_status(err) == 500);
    CHECK(is(&err, ZT_STATUS_CONFIG, "internal error"));
    CHECK(zt_open(nothing, &zt, NULL) == ZT_STATUS_CONFIG);
    CHECK(zt_open(NULL, &zt, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_open(nothing, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_open("\xff\xfe", &zt, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "UTF-8"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK((void *)zt == (void *)&failed);
}

static void tokens(const zt_runtime *zt) {
    zt_error *err = NULL;
    zt_session *session = NULL;
    CHECK(zt_authenticate(zt, "not.a.token", &session, &err) == ZT_STATUS_INVALID_TOKEN);
    CHECK(session == NULL);
    CHECK(same(zt_error_public_message(err), "invalid_token"));
    CHECK(zt_error_http_status(err) == 401);
    CHECK(zt_error_retry_ms(err) == -1);
    CHECK(zt_error_retry_after_s(err) == -1 && zt_error_retry_after_s(NULL) == -1);
    CHECK(same(zt_error_challenge(err), "Bearer realm=\"\", error=\"invalid_token\""));
    CHECK(!zt_error_is_denied(err) && !zt_error_is_transient(err));
    CHECK(zt_error_decision(err) == NULL);
    CHECK(is(&err, ZT_STATUS_INVALID_TOKEN, "invalid_token"));
    CHECK(zt_authenticate(zt, "", &session, &err) / 1000 == 2);
    CHECK(same(zt_error_challenge(err), "Bearer"));
    zt_error_free(err);
    err = NULL;
    CHECK(zt_authenticate(NULL, "x", &session, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_authenticate(zt, NULL, &session, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_authenticate(zt, "\x80", &session, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_error_challenge(err) == NULL && zt_error_challenge(NULL) == NULL);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
}

/* The test's environment has no identity, and this process finds no tool that somebody is signed in with. */
static void own_identity(const zt_runtime *zt) {
    zt_error *err = NULL;
    zt_session *session = NULL;
    CHECK(setenv("PATH", "", 1) == 0);
    CHECK(zt_runtime_ready(zt, &err) == ZT_STATUS_OK && err == NULL);
    CHECK(zt_runtime_ready(NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_runtime_workload(zt, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_runtime_workload(zt, &session, &err) == ZT_STATUS_NO_OWN_IDENTITY);
    CHECK(session == NULL);
    CHECK(has(zt_error_message(err), "AZURE_TENANT_ID") && has(zt_error_message(err), "managed identity"));
    CHECK(is(&err, ZT_STATUS_NO_OWN_IDENTITY, "internal error"));
}

static void decisions(const zt_session *maya) {
    zt_error *err = NULL;
    zt_decision *decision = NULL;
    CHECK(same(zt_session_name(maya), "user:maya"));

    CHECK(zt_check(maya, "model.infer", "model:car_loan_scorer", &decision, &err) == ZT_STATUS_OK);
    CHECK(zt_decision_is_allowed(decision));
    CHECK(same(zt_decision_kind(decision), "allow"));
    CHECK(same(zt_decision_policies(decision), "[\"AP-01\"]"));
    CHECK(same(zt_decision_columns(decision), "{\"all_but\":[]}"));
    CHECK(has(zt_decision_id(decision), "-"));
    zt_decision_free(decision);
    decision = NULL;

    CHECK(zt_check(maya, "table.read", "table:raw.loan_applications", &decision, &err) == ZT_STATUS_OK);
    CHECK(!zt_decision_is_allowed(decision));
    CHECK(same(zt_decision_kind(decision), "explicit_deny"));
    CHECK(same(zt_decision_policies(decision), "[\"AP-02\"]"));
    CHECK(zt_decision_why(decision) != NULL);
    zt_decision_free(decision);
    decision = NULL;

    CHECK(zt_check(maya, "secret.get", "secret:adb-token", &decision, NULL) == ZT_STATUS_OK);
    CHECK(same(zt_decision_kind(decision), "default_deny"));
    CHECK(same(zt_decision_policies(decision), "[]"));
    CHECK(zt_decision_why(decision) == NULL);
    CHECK(has(zt_decision_draft(decision), "principal = \"user:maya\"") && zt_decision_draft(NULL) == NULL);
    zt_decision_free(decision);
    decision = NULL;

    CHECK(zt_require(maya, "model.infer", "model:car_loan_scorer", NULL, &err) == ZT_STATUS_OK);
    CHECK(zt_require(maya, "model.infer", "model:car_loan_scorer", &decision, &err) == ZT_STATUS_OK);
    CHECK(zt_decision_is_allowed(decision));
    zt_decision_free(decision);
    decision = NULL;
    CHECK(zt_require(maya, "data.open", "output:loan_scores_delta", &decision, &err) == ZT_STATUS_DENIED);
    CHECK(decision == NULL);
    CHECK(zt_error_is_denied(err));
    CHECK(zt_error_http_status(err) == 403);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied, decision "));

    CHECK(zt_check(maya, "table.reed", "table:x", &decision, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "table.read"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_check(maya, "table.read", NULL, &decision, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "`resource` is NULL"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_check(maya, "\xc3\x28", "table:x", &decision, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_check(maya, "table.read", "table:x", NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(decision == NULL);
}

static void secrets(const zt_session *score) {
    zt_error *err = NULL;
    zt_session *stage_1 = NULL;
    zt_session *stage_2 = NULL;
    zt_secret *secret = NULL;
    zt_secret *again = NULL;
    unsigned char buffer[64];
    size_t length = 0;
    size_t at;

    CHECK(zt_session_claiming(score, 201, 1, &stage_1, &err) == ZT_STATUS_OK);
    CHECK(zt_session_claiming(score, 201, 2, &stage_2, &err) == ZT_STATUS_OK);

    CHECK(zt_secret_get(stage_2, "bureau-api-key", &secret, &err) == ZT_STATUS_OK); /* a miss */
    CHECK(zt_secret_get(stage_2, "bureau-api-key", &again, &err) == ZT_STATUS_OK);  /* a hit */
    CHECK(zt_secret_bytes(secret, &length) != NULL);
    CHECK(length == strlen(NEEDLE) && memcmp(zt_secret_bytes(secret, &length), NEEDLE, length) == 0);
    CHECK(zt_secret_bytes(again, &length) == zt_secret_bytes(secret, &length)); /* shared, not copied */
    CHECK(strlen(zt_secret_version(secret)) == 32);
    zt_secret_free(secret);
    CHECK(length > 0 && zt_secret_bytes(again, &length)[0] == 'z');
    zt_secret_free(again);
    secret = NULL;

    CHECK(zt_secret_get(stage_1, "bureau-api-key", &secret, &err) == ZT_STATUS_DENIED);
    CHECK(secret == NULL);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_secret_get(score, "no-such-secret", &secret, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_secret_get(stage_2, NULL, &secret, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));

    CHECK(zt_secret_read(stage_2, "bureau-api-key", buffer, sizeof buffer, &length, &err) == ZT_STATUS_OK);
    CHECK(length == strlen(NEEDLE) && memcmp(buffer, NEEDLE, length) == 0);
    zt_wipe(buffer, sizeof buffer);
    for (at = 0; at < sizeof buffer && buffer[at] == 0; at++) {
    }
    CHECK(at == sizeof buffer);
    length = 0;
    CHECK(zt_secret_read(stage_2, "bureau-api-key", buffer, 4, &length, &err) == ZT_STATUS_BUFFER_TOO_SMALL);
    CHECK(length == strlen(NEEDLE) && buffer[0] == 0);
    CHECK(is(&err, ZT_STATUS_BUFFER_TOO_SMALL, "internal error"));
    CHECK(zt_secret_read(stage_2, "bureau-api-key", NULL, 0, &length, NULL) == ZT_STATUS_BUFFER_TOO_SMALL);
    CHECK(zt_secret_read(stage_2, "bureau-api-key", buffer, strlen(NEEDLE), &length, NULL) == ZT_STATUS_OK);
    zt_wipe(buffer, sizeof buffer);
    CHECK(zt_secret_read(stage_2, "bureau-api-key", NULL, 9, &length, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_secret_read(stage_1, "bureau-api-key", buffer, sizeof buffer, &length, NULL) == ZT_STATUS_DENIED);
    CHECK(buffer[0] == 0);

    zt_session_free(stage_1);
    zt_session_free(stage_2);
}

/* Rows: what a permit shows of them, and what they look like sealed. */
static const char scores[] = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred,scored_at\n"
                             "70000,zt-needle-20K,0.7,0.99,1,2019-03-31\n"
                             "70001,,0.3,0.01,0,2019-03-31\n";

static zt_batch *rows_of(const char *csv) {
    zt_batch *batch = NULL;
    CHECK(zt_batch_from_csv((const unsigned char *)csv, strlen(csv), &batch, NULL) == ZT_STATUS_OK);
    return batch;
}

static int prints(const zt_batch *batch, const char *csv) {
    zt_text *text = NULL;
    int yes = zt_batch_to_csv(batch, &text, NULL) == ZT_STATUS_OK && same(zt_text_data(text), csv);
    zt_text_free(text);
    return yes;
}

static void rows(const zt_session *elin, const zt_session *jonas) {
    zt_error *err = NULL;
    zt_decision *permit = NULL;
    zt_decision *decision = NULL;
    zt_batch *batch = rows_of(scores);
    zt_batch *seen = NULL;
    zt_batch *none = NULL;
    CHECK(zt_batch_rows(batch) == 2);
    CHECK(prints(batch, scores));

    CHECK(zt_require(elin, "table.read", "table:gold.loan_scores", &permit, &err) == ZT_STATUS_OK);
    CHECK(same(zt_decision_masks(permit), "{}"));
    CHECK(same(zt_decision_obligations(permit), "{\"audit\":\"ordered\",\"encrypt\":[],\"max_rows\":null}"));
    CHECK(same(zt_decision_restrictions(permit), "[]") && same(zt_decision_step_up(permit), "[]"));
    CHECK(!zt_decision_lease(permit, NULL));
    CHECK(zt_permit_apply(permit, batch, &seen, &err) == ZT_STATUS_OK);
    CHECK(prints(seen, "id,y_pred,scored_at\n70000,1,2019-03-31\n70001,0,2019-03-31\n"));
    zt_decision_free(permit);
    zt_batch_free(seen);
    CHECK(zt_require(jonas, "table.read", "table:gold.loan_scores", &permit, &err) == ZT_STATUS_OK);
    CHECK(same(zt_decision_masks(permit), "{\"salary_range\":\"redact\"}"));
    CHECK(zt_permit_apply(permit, batch, &seen, &err) == ZT_STATUS_OK);
    CHECK(prints(seen, "id,y_pred,scored_at,salary_range\n70000,1,2019-03-31,[redacted]\n70001,0,2019-03-31,\n"));
    zt_decision_free(permit);
    zt_batch_free(seen);

    CHECK(zt_check(elin, "table.read", "table:gold.loan_scores", &decision, &err) == ZT_STATUS_OK);
    CHECK(zt_permit_apply(decision, batch, &none, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "not a permit"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_permit_apply(NULL, batch, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    zt_decision_free(decision);

    CHECK(zt_batch_from_csv((const unsigned char *)"a,b\n1\n", 6, &none, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "line 2"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_batch_from_csv(NULL, 0, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_batch_from_csv(NULL, 1, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_batch_from_csv((const unsigned char *)scores, SIZE_MAX, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_batch_from_csv((const unsigned char *)scores, 4, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_batch_from_csv((const unsigned char *)"a\nx\0y\n", 6, &none, NULL) == ZT_STATUS_OK);
    {
        zt_text *text = NULL;
        CHECK(zt_batch_to_csv(none, &text, &err) == ZT_STATUS_INVALID_ARGUMENT && text == NULL);
        CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    }
    zt_batch_free(none);
    zt_batch_free(batch);
}

static void plans(const zt_session *jonas, const zt_session *maya) {
    zt_error *err = NULL;
    zt_text *plan = NULL;
    bool runnable = false;
    CHECK(zt_plan(jonas, 201, &runnable, &plan, &err) == ZT_STATUS_OK);
    CHECK(runnable && has(zt_text_data(plan), "\"ir-onprem\"") && has(zt_text_data(plan), "\"missing\":[]"));
    CHECK(!has(zt_text_data(plan), "zt-needle"));
    zt_text_free(plan);
    CHECK(zt_plan(jonas, 202, &runnable, &plan, &err) == ZT_STATUS_OK);
    CHECK(!runnable && has(zt_text_data(plan), "no_stages"));
    zt_text_free(plan);
    plan = NULL;
    CHECK(zt_plan(jonas, 201, NULL, &plan, NULL) == ZT_STATUS_OK);
    zt_text_free(plan);
    plan = NULL;
    CHECK(zt_plan(jonas, 7, &runnable, &plan, &err) == ZT_STATUS_NOT_FOUND);
    CHECK(is(&err, ZT_STATUS_NOT_FOUND, "not found"));
    CHECK(zt_plan(maya, 201, &runnable, &plan, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(plan == NULL);
}

static void sealing(const zt_session *score, const zt_session *ines, const zt_session *maya) {
    const char *output = "loan_scores_delta";
    zt_error *err = NULL;
    zt_session *stage_2 = NULL;
    zt_sealer *sealer = NULL;
    zt_opener *opener = NULL;
    zt_batch *batch = rows_of(scores);
    zt_batch *sealed = NULL;
    zt_batch *stored = NULL;
    zt_batch *plain = NULL;
    zt_batch *few = rows_of("id,y_pred\n1,2\n");
    zt_text *text = NULL;
    char *damaged;

    CHECK(zt_session_claiming(score, 201, 2, &stage_2, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_new(stage_2, output, &sealer, &err) == ZT_STATUS_OK);
    CHECK(zt_sealer_seal(sealer, batch, &sealed, &err) == ZT_STATUS_OK);
    CHECK(zt_batch_rows(sealed) == 2);
    CHECK(zt_batch_to_csv(sealed, &text, &err) == ZT_STATUS_OK);
    CHECK(!has(zt_text_data(text), "zt-needle") && has(zt_text_data(text), "_zt_key") && has(zt_text_data(text), "zt1."));
    stored = rows_of(zt_text_data(text));

    CHECK(zt_opener_new(ines, output, stored, &opener, &err) == ZT_STATUS_OK);
    CHECK(zt_opener_unseal(opener, stored, &plain, &err) == ZT_STATUS_OK);
    CHECK(prints(plain, scores));
    zt_batch_free(plain);
    plain = NULL;

    damaged = strdup(zt_text_data(text));
    *strstr(damaged, "zt1.") = 'x';
    zt_batch_free(stored);
    stored = rows_of(damaged);
    free(damaged);
    CHECK(zt_opener_unseal(opener, stored, &plain, &err) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(has(zt_error_message(err), "row 1"));
    CHECK(is(&err, ZT_STATUS_SEAL_INTEGRITY, "internal error"));
    CHECK(zt_sealer_seal(sealer, few, &plain, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(plain == NULL);
    zt_sealer_free(sealer);
    zt_opener_free(opener);
    sealer = NULL;
    opener = NULL;

    CHECK(zt_opener_new(maya, output, sealed, &opener, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_sealer_new(maya, output, &sealer, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_sealer_new(stage_2, NULL, &sealer, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_opener_new(ines, output, NULL, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(sealer == NULL && opener == NULL);
    zt_text_free(text);
    zt_batch_free(few);
    zt_batch_free(stored);
    zt_batch_free(sealed);
    zt_batch_free(batch);
    zt_session_free(stage_2);
}

/* Two rows are too few for any rule: no data is a state, and nothing fires. */
static void reporting(const zt_session *score, const zt_session *maya) {
    zt_error *err = NULL;
    zt_session *stage_2 = NULL;
    zt_text *text = NULL;
    zt_batch *batch = rows_of("car_value,salary_range,y_pred_proba,y_pred,repaid\n1,a,0.9,1,1\n2,b,0.1,0,1\n");
    CHECK(zt_session_claiming(score, 201, 2, &stage_2, NULL) == ZT_STATUS_OK);
    CHECK(zt_log_batch(stage_2, "car_loan_scorer", batch, &text, &err) == ZT_STATUS_OK);
    CHECK(has(zt_text_data(text), "no_data") && has(zt_text_data(text), "\"alerts\":[]"));
    zt_text_free(text);
    text = NULL;
    CHECK(zt_log_batch(maya, "car_loan_scorer", batch, &text, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_log_batch(stage_2, "car_loan_scorer", NULL, &text, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(text == NULL);
    zt_batch_free(batch);
    zt_session_free(stage_2);
}

static void explanations(const zt_session *maya, const zt_session *priya) {
    zt_error *err = NULL;
    zt_secret *secret = NULL;
    zt_decision *refusal = NULL;
    zt_text *text = NULL;
    CHECK(zt_secret_get(maya, "bureau-api-key", &secret, &err) == ZT_STATUS_DENIED);
    refusal = zt_error_decision(err);
    CHECK(refusal != NULL && !zt_decision_is_allowed(refusal));
    CHECK(has(zt_error_public_message(err), zt_decision_id(refusal)));
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));

    CHECK(zt_explain(maya, refusal, &text, &err) == ZT_STATUS_DENIED);
    CHECK(text == NULL);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_explain(priya, refusal, &text, &err) == ZT_STATUS_OK);
    CHECK(has(zt_text_data(text), "\"near_misses\":[{") && has(zt_text_data(text), "AP-07"));
    CHECK(zt_text_len(text) == strlen(zt_text_data(text)));
    CHECK(zt_explain(priya, NULL, &text, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    zt_text_free(text);
    zt_decision_free(refusal);
}

static void four_eyes(const zt_session *priya) {
    const char *authors[] = {"user:jonas", "user:priya", "user:nobody"};
    size_t i;
    for (i = 0; i < 3; i++) {
        zt_error *err = NULL;
        zt_session *approving = NULL;
        zt_decision *decision = NULL;
        CHECK(zt_session_claiming_author(priya, authors[i], &approving, &err) == ZT_STATUS_OK);
        CHECK(zt_check(approving, "metadata.approve", "metadata:Access_Policies", &decision, &err) == ZT_STATUS_OK);
        CHECK(zt_decision_is_allowed(decision) == (i == 0));
        zt_decision_free(decision);
        zt_session_free(approving);
    }
    CHECK(zt_session_claiming_author(priya, "jonas", NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_session_claiming_author(priya, NULL, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
}

/* The sample declares no attribute: what is stated must be known to the tables. */
static void facts(const zt_session *maya) {
    zt_error *err = NULL;
    zt_session *stating = NULL;
    CHECK(zt_session_claiming_fact(maya, "zone", "zt-needle-value", &stating, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(has(zt_error_message(err), "`context.zone`"));
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT, "invalid request"));
    CHECK(zt_session_claiming_fact(maya, "job", "201", &stating, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_session_claiming_fact(maya, NULL, "x", &stating, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(stating == NULL);
}

static void records(const zt_session *maya, const zt_session *priya) {
    zt_error *err = NULL;
    zt_text *text = NULL;
    CHECK(zt_audit_tail(maya, 10, &text, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED, "access denied"));
    CHECK(zt_audit_tail(priya, 1000, &text, &err) == ZT_STATUS_OK);
    CHECK(zt_text_data(text)[0] == '[');
    CHECK(has(zt_text_data(text), "\"kind\":\"release\"") && has(zt_text_data(text), "user:maya"));
    CHECK(has(zt_text_data(text), "\"outcome\":\"refused\""));
    CHECK(!has(zt_text_data(text), "zt-needle"));
    zt_text_free(text);
}

static void nothing_at_all(void) {
    size_t length = 7;
    zt_runtime_free(NULL);
    zt_session_free(NULL);
    zt_batch_free(NULL);
    zt_sealer_free(NULL);
    zt_opener_free(NULL);
    zt_decision_free(NULL);
    zt_secret_free(NULL);
    zt_text_free(NULL);
    zt_error_free(NULL);
    zt_wipe(NULL, 0);
    CHECK(zt_error_status(NULL) == ZT_STATUS_OK && same(zt_error_message(NULL), "") && zt_error_help(NULL) == NULL);
    CHECK(zt_error_report(NULL) == NULL && zt_error_cause(NULL) == NULL && zt_error_decision(NULL) == NULL);
    CHECK(!zt_decision_is_allowed(NULL) && same(zt_decision_columns(NULL), "{\"only\":[]}"));
    CHECK(same(zt_decision_masks(NULL), "{}") && zt_batch_rows(NULL) == 0);
    CHECK(same(zt_decision_obligations(NULL), "{}") && same(zt_decision_step_up(NULL), "[]"));
    int64_t until = 7;
    CHECK(same(zt_decision_restrictions(NULL), "[]") && !zt_decision_lease(NULL, &until) && until == 7);
    CHECK(zt_secret_bytes(NULL, &length) == NULL && length == 0);
    CHECK(same(zt_text_data(NULL), "") && same(zt_session_name(NULL), "") && same(zt_decision_kind(NULL), ""));
    CHECK(zt_check(NULL, "a", "b", NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_reload(NULL, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_runtime_close(NULL, 0, NULL) == ZT_STATUS_INVALID_ARGUMENT);
}

/* Tables that are not good change nothing, and every problem is told. */
static void reloading(const zt_runtime *zt, const zt_session *maya, const char *folder) {
    zt_error *err = NULL;
    char path[1024];
    uint64_t version = 0;
    FILE *tables;
    CHECK(zt_reload(zt, &version, &err) == ZT_STATUS_OK && version == 1);
    CHECK(zt_reload(zt, NULL, NULL) == ZT_STATUS_OK);
    snprintf(path, sizeof path, "%s/brindlewick.toml", folder);
    tables = fopen(path, "a");
    CHECK(tables != NULL);
    if (tables != NULL) {
        fputs("\n[[Access_Policies]]\nid = \"AP-91\"\nprincipal = \"role:nobody_knows\"\neffect = \"maybe\"\n", tables);
        fclose(tables);
    }
    version = 7;
    CHECK(zt_reload(zt, &version, &err) == ZT_STATUS_INVALID_METADATA);
    CHECK(version == 7);
    CHECK(has(zt_error_report(err), "AP-91") && has(zt_error_report(err), "column action: missing\n"));
    CHECK(has(zt_error_report(err), "`maybe`"));
    CHECK(is(&err, ZT_STATUS_INVALID_METADATA, "internal error"));
    CHECK(zt_require(maya, "model.infer", "model:car_loan_scorer", NULL, NULL) == ZT_STATUS_OK);
}

static void ending(zt_runtime *zt, zt_session *maya, zt_session *score) {
    zt_error *err = NULL;
    zt_decision *decision = NULL;
    zt_secret *secret = NULL;
    zt_session *stage_2 = NULL;
    CHECK(zt_session_claiming(score, 201, 2, &stage_2, &err) == ZT_STATUS_OK);
    CHECK(zt_runtime_close(zt, 5000, &err) == ZT_STATUS_OK);
    CHECK(zt_check(maya, "model.infer", "model:car_loan_scorer", &decision, &err) == ZT_STATUS_CLOSED);
    CHECK(is(&err, ZT_STATUS_CLOSED, "closed"));
    CHECK(zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK);
    zt_runtime_free(zt); /* before its sessions: each keeps what it needs */
    CHECK(zt_secret_get(stage_2, "bureau-api-key", &secret, &err) == ZT_STATUS_CLOSED);
    CHECK(is(&err, ZT_STATUS_CLOSED, "closed"));
    zt_session_free(stage_2);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *maya;
    zt_session *priya;
    zt_session *score;
    zt_session *elin;
    zt_session *jonas;
    zt_session *ines;
    if (argc != 3) {
        return 2;
    }
    versions();
    nothing_at_all();
    opening(argv[2]);
    CHECK(zt_open(argv[1], &zt, NULL) == ZT_STATUS_OK);
    tokens(zt);
    own_identity(zt);
    maya = sign_in(zt, "ZT_MAYA");
    priya = sign_in(zt, "ZT_PRIYA");
    score = sign_in(zt, "ZT_SCORE");
    elin = sign_in(zt, "ZT_ELIN");
    jonas = sign_in(zt, "ZT_JONAS");
    ines = sign_in(zt, "ZT_INES");
    decisions(maya);
    secrets(score);
    rows(elin, jonas);
    plans(jonas, maya);
    sealing(score, ines, maya);
    reporting(score, maya);
    explanations(maya, priya);
    four_eyes(priya);
    facts(maya);
    records(maya, priya);
    reloading(zt, maya, argv[1]);
    ending(zt, maya, score);
    zt_session_free(maya);
    zt_session_free(priya);
    zt_session_free(score);
    zt_session_free(elin);
    zt_session_free(jonas);
    zt_session_free(ines);
    printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
