/*
 * Secrets beyond the plain read: handles, versions, refresh, warming, and what an operator does. Needs C99 and one thread.
 *
 * argv: the world's folder. The environment has tokens: ZT_MAYA, ZT_SCORE. Prints one line for each check that fails and
 * how many hold; never a value of a secret.
 */
#include "count.h"

#define NEEDLE "zt-needle-bureau-3f0c"
#define KEY "bureau-api-key"

/* Takes the error, says whether it is the expected one and shows no value, frees it. */
static int is(zt_error **err, zt_status status) {
    int yes = *err != NULL && zt_error_status(*err) == status && !has(zt_error_message(*err), "needle");
    zt_error_free(*err);
    *err = NULL;
    return yes;
}

static int is_right(const zt_secret *secret) {
    size_t length = 0;
    const unsigned char *bytes = zt_secret_bytes(secret, &length);
    return length == strlen(NEEDLE) && memcmp(bytes, NEEDLE, length) == 0;
}

static void handles(const zt_session *job, const zt_session *maya) {
    zt_error *err = NULL;
    zt_secret *secret = NULL;
    zt_secret_handle *handle = NULL;
    zt_secret_handle *refused = NULL;
    unsigned char buffer[64];
    size_t length = 0;
    int round;
    CHECK(zt_session_secret_handle(NULL, KEY, &handle, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT));
    CHECK(zt_session_secret_handle(job, NULL, &handle, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_session_secret_handle(job, KEY, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(handle == NULL);
    CHECK(zt_session_secret_handle(job, KEY, &handle, &err) == ZT_STATUS_OK);
    for (round = 0; round < 3; round++) {
        CHECK(zt_secret_handle_get(handle, &secret, &err) == ZT_STATUS_OK && is_right(secret));
        CHECK(zt_secret_stale_ms(secret) == -1);
        CHECK(strcmp(zt_secret_path_proof(secret), "local") == 0);
        zt_secret_free(secret);
        secret = NULL;
    }
    CHECK(zt_secret_handle_read(handle, buffer, sizeof buffer, &length, &err) == ZT_STATUS_OK);
    CHECK(length == strlen(NEEDLE) && memcmp(buffer, NEEDLE, length) == 0);
    zt_wipe(buffer, sizeof buffer);
    length = 0;
    CHECK(zt_secret_handle_read(handle, NULL, 0, &length, &err) == ZT_STATUS_BUFFER_TOO_SMALL);
    CHECK(length == strlen(NEEDLE));
    CHECK(is(&err, ZT_STATUS_BUFFER_TOO_SMALL));
    CHECK(zt_secret_handle_read(handle, NULL, 8, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_secret_handle_read(NULL, buffer, sizeof buffer, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_secret_handle_get(handle, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);

    CHECK(zt_session_secret_handle(maya, KEY, &refused, &err) == ZT_STATUS_OK);
    CHECK(zt_secret_handle_get(refused, &secret, &err) == ZT_STATUS_DENIED && secret == NULL);
    CHECK(is(&err, ZT_STATUS_DENIED));
    zt_secret_handle_free(refused);
    zt_secret_handle_free(handle);
    zt_secret_handle_free(NULL);
    CHECK(zt_secret_stale_ms(NULL) == -1 && strcmp(zt_secret_path_proof(NULL), "") == 0);
}

static void versions(const zt_session *job, const zt_session *maya) {
    zt_error *err = NULL;
    zt_secret *secret = NULL;
    zt_secret *same = NULL;
    CHECK(zt_session_refresh_secret(job, KEY, &secret, &err) == ZT_STATUS_OK && is_right(secret));
    CHECK(zt_session_secret_version(job, KEY, zt_secret_version(secret), &same, &err) == ZT_STATUS_OK);
    CHECK(is_right(same) && strcmp(zt_secret_version(secret), zt_secret_version(same)) == 0);
    zt_secret_free(same);
    same = NULL;
    CHECK(zt_session_secret_version(maya, KEY, zt_secret_version(secret), &same, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED));
    CHECK(zt_session_secret_version(job, KEY, "newest", &same, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT));
    CHECK(zt_session_secret_version(job, KEY, "00000000000000000000000000000001", &same, &err) == ZT_STATUS_NOT_FOUND);
    CHECK(is(&err, ZT_STATUS_NOT_FOUND));
    CHECK(zt_session_refresh_secret(maya, KEY, &same, &err) == ZT_STATUS_DENIED);
    CHECK(is(&err, ZT_STATUS_DENIED));
    CHECK(same == NULL);
    zt_secret_free(secret);
}

static void warming(const zt_session *job) {
    static const char *const names[] = {KEY, "adb-token", "no-such-row"};
    static const char *const broken[] = {KEY, NULL};
    zt_error *err = NULL;
    zt_text *failures = NULL;
    size_t ready = 7;
    CHECK(zt_session_warm(job, names, 3, 5000, &ready, &failures, &err) == ZT_STATUS_OK && ready == 1);
    CHECK(has(zt_text_data(failures), "\"adb-token\":{") && has(zt_text_data(failures), "\"status\":1001"));
    CHECK(has(zt_text_data(failures), "\"no-such-row\":{") && !has(zt_text_data(failures), "\"" KEY "\":"));
    CHECK(!has(zt_text_data(failures), "needle"));
    zt_text_free(failures);
    failures = NULL;
    CHECK(zt_session_warm(job, NULL, 0, 0, &ready, &failures, NULL) == ZT_STATUS_OK && ready == 0);
    CHECK(strcmp(zt_text_data(failures), "{}") == 0);
    zt_text_free(failures);
    CHECK(zt_session_warm(job, names, 3, 5000, NULL, NULL, NULL) == ZT_STATUS_OK);
    CHECK(zt_session_warm(job, broken, 2, 0, &ready, NULL, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT));
    CHECK(zt_session_warm(job, NULL, 2, 0, &ready, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
}

static int status_has(const zt_runtime *zt, const char *part) {
    zt_text *json = NULL;
    int yes;
    CHECK(zt_runtime_status_json(zt, &json, NULL) == ZT_STATUS_OK);
    CHECK(!has(zt_text_data(json), "needle"));
    yes = has(zt_text_data(json), part);
    zt_text_free(json);
    return yes;
}

static void upkeep(const zt_runtime *zt, const zt_session *job) {
    static const char news[] =
        "[{\"eventType\":\"Microsoft.KeyVault.SecretNewVersionCreated\",\"data\":"
        "{\"Id\":\"https://kv-brindlewick-prod.vault.azure.net/secrets/bureau-api-key/ee059b2bb5bc48398a53b168c6cdcb10\"}},"
        "{\"eventType\":\"Microsoft.Storage.BlobCreated\",\"data\":{}},"
        "{\"eventType\":\"Microsoft.EventGrid.SubscriptionValidationEvent\",\"data\":{\"validationCode\":\"512d38b6\"}}]";
    zt_error *err = NULL;
    zt_secret *secret = NULL;
    zt_text *delivery = NULL;
    CHECK(status_has(zt, "\"state\":\"fresh\"") && status_has(zt, "\"name\":\"" KEY "\"") && status_has(zt, "\"gates\":"));
    CHECK(zt_runtime_invalidate(zt, KEY, &err) == ZT_STATUS_OK);
    CHECK(!status_has(zt, "\"state\":\"fresh\""));
    CHECK(zt_secret_get(job, KEY, &secret, &err) == ZT_STATUS_OK && is_right(secret));
    zt_secret_free(secret);
    CHECK(status_has(zt, "\"state\":\"fresh\""));
    CHECK(zt_runtime_invalidate(zt, "no-such-row", &err) == ZT_STATUS_NOT_FOUND);
    CHECK(is(&err, ZT_STATUS_NOT_FOUND));
    CHECK(zt_runtime_invalidate(zt, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_runtime_invalidate(NULL, KEY, NULL) == ZT_STATUS_INVALID_ARGUMENT);

    CHECK(zt_runtime_secret_event(zt, (const uint8_t *)news, strlen(news), &delivery, &err) == ZT_STATUS_OK);
    CHECK(has(zt_text_data(delivery), "https://kv-brindlewick-prod.vault.azure.net/secrets/bureau-api-key\""));
    CHECK(has(zt_text_data(delivery), "\"change\":\"new_version\"") && has(zt_text_data(delivery), "\"ignored\":1"));
    CHECK(has(zt_text_data(delivery), "\"validation_code\":\"512d38b6\""));
    zt_text_free(delivery);
    delivery = NULL;
    CHECK(zt_runtime_secret_event(zt, (const uint8_t *)"needle", 6, &delivery, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(is(&err, ZT_STATUS_INVALID_ARGUMENT));
    CHECK(zt_runtime_secret_event(zt, NULL, 0, &delivery, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_runtime_secret_event(zt, NULL, 8, &delivery, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(delivery == NULL);
    CHECK(zt_runtime_status_json(NULL, &delivery, NULL) == ZT_STATUS_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *maya = NULL;
    zt_session *score = NULL;
    zt_session *job = NULL;
    zt_secret_handle *handle = NULL;
    zt_secret *secret = NULL;
    if (argc != 2 || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_MAYA"), &maya, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_SCORE"), &score, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(score, 201, 2, &job, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    handles(job, maya);
    versions(job, maya);
    warming(job);
    upkeep(zt, job);
    CHECK(zt_session_secret_handle(job, KEY, &handle, NULL) == ZT_STATUS_OK);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    CHECK(zt_secret_handle_get(handle, &secret, NULL) == ZT_STATUS_CLOSED);
    CHECK(zt_runtime_invalidate(zt, KEY, NULL) == ZT_STATUS_CLOSED);
    CHECK(status_has(zt, "\"process\":"));
    zt_runtime_free(zt);
    zt_session_free(maya);
    zt_session_free(score);
    zt_session_free(job);
    zt_secret_handle_free(handle);
    printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
