/*
 * Mutated inputs into every function that reads text or bytes of others. Each is refused or taken; the process goes on, and
 * what is refused writes no output.
 *
 * argv: the world's folder, how many inputs, a seed. The environment has ZT_SCORE and ZT_MAYA. With -DZT_LIBFUZZER and clang's
 * -fsanitize=fuzzer the folder is in ZT_WORLD, and the fuzzer makes the inputs.
 */
#include "checks.h"

#define MOST 4096

static zt_runtime *zt;
static zt_session *job;
static zt_located *model;
static zt_sealer *sealer;
static zt_bytes *sealed;
static zt_file_opener *opener;

/* An output that holds something after anything but OK, or nothing after OK. */
#define ONE(call, output, done)                                                                                        \
    do {                                                                                                               \
        zt_error *err = NULL;                                                                                          \
        const zt_status status = (call);                                                                               \
        CHECK((status == ZT_STATUS_OK) == ((output) != NULL));                                                         \
        CHECK((status == ZT_STATUS_OK) == (err == NULL) && status != ZT_STATUS_PANIC && status != ZT_STATUS_INTERNAL); \
        CHECK(!has(zt_error_message(err), "zt-needle"));                                                               \
        zt_error_free(err);                                                                                            \
        done;                                                                                                          \
    } while (0)

static void texts(const char *text) {
    zt_session *session = NULL;
    zt_decision *decision = NULL;
    zt_located *located = NULL;
    zt_secret *secret = NULL;
    zt_sealer *other = NULL;
    zt_operation *operation = NULL;
    zt_text *report = NULL;
    zt_runtime *runtime = NULL;
    const zt_setting setting = {text, text};
    const char *const resources[] = {"model:car_loan_scorer", text};
    zt_decision *decisions[2] = {NULL, NULL};
    bool allowed[2];
    zt_open_options options;
    ONE(zt_authenticate(zt, text, &session, &err), session, zt_session_free(session));
    session = NULL;
    ONE(zt_session_claiming_author(job, text, &session, &err), session, zt_session_free(session));
    session = NULL;
    ONE(zt_session_claiming_fact(job, text, text, &session, &err), session, zt_session_free(session));
    ONE(zt_check(job, text, text, &decision, &err), decision, zt_decision_free(decision));
    decision = NULL;
    ONE(zt_check(job, "secret.get", text, &decision, &err), decision, zt_decision_free(decision));
    ONE(zt_session_locate(job, text, &located, &err), located, zt_located_free(located));
    ONE(zt_check_many(job, "model.infer", resources, 2, allowed, decisions, &err), decisions[1],
        (zt_decision_free(decisions[0]), zt_decision_free(decisions[1])));
    ONE(zt_secret_get(job, text, &secret, &err), secret, zt_secret_free(secret));
    secret = NULL;
    ONE(zt_session_secret_version(job, "bureau-api-key", text, &secret, &err), secret, zt_secret_free(secret));
    ONE(zt_sealer_new(job, text, &other, &err), other, zt_sealer_free(other));
    ONE(zt_secret_get_async(job, text, 0, NULL, NULL, &operation, &err), operation, zt_operation_free(operation));
    ONE(zt_audit_verify("nowhere", text, NULL, &report, &err), report, zt_text_free(report));
    CHECK(zt_open_options_init(&options, sizeof options) == ZT_STATUS_OK);
    options.settings = &setting;
    options.setting_count = 1;
    ONE(zt_open_with(text, &options, &runtime, &err), runtime, zt_runtime_free(runtime));
}

static void bytes(const unsigned char *input, size_t length) {
    zt_batch *batch = NULL;
    zt_batch *plain = NULL;
    zt_text *text = NULL;
    zt_file_opener *other = NULL;
    zt_opener *rows = NULL;
    zt_bytes *opened = NULL;
    zt_runtime *runtime = NULL;
    union {
        zt_open_options options;
        unsigned char bytes[256];
    } options;
    ONE(zt_batch_from_csv(input, length, &batch, &err), batch, (void)0);
    if (batch != NULL) {
        ONE(zt_sealer_seal(sealer, batch, &plain, &err), plain, zt_batch_free(plain));
        ONE(zt_opener_new(job, "loan_scores_delta", batch, &rows, &err), rows, zt_opener_free(rows));
        zt_batch_free(batch);
    }
    ONE(zt_runtime_secret_event(zt, input, length, &text, &err), text, zt_text_free(text));
    ONE(zt_file_opener_new(job, "loan_scores_delta", input, length, &other, &err), other, zt_file_opener_free(other));
    if (opener != NULL) {
        ONE(zt_file_opener_unseal_bytes(opener, "f", input, length, &opened, &err), opened, zt_bytes_free(opened));
    }
    /* Sizes and bytes behind what is known; never a pointer of the fuzzer's. */
    memset(&options, 0, sizeof options);
    memcpy(options.bytes + sizeof options.options, input, length < 64 ? length : 64);
    options.options.struct_size = length % sizeof options;
    ONE(zt_open_with("nowhere", &options.options, &runtime, &err), runtime, zt_runtime_free(runtime));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
    static char text[MOST + 1];
    if (length <= MOST) {
        memcpy(text, input, length);
        text[length] = '\0';
        texts(text);
        bytes(input, length);
    }
    return 0;
}

static int start(const char *folder) {
    static const unsigned char plain[] = "a file of some bytes";
    zt_session *ines;
    if (zt_open(folder, &zt, NULL) != ZT_STATUS_OK) {
        return 0;
    }
    job = the_job(zt);
    ines = sign_in(zt, "ZT_INES");
    CHECK(zt_session_locate(job, "model:car_loan_scorer", &model, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_new(job, "loan_scores_delta", &sealer, NULL) == ZT_STATUS_OK);
    CHECK(zt_sealer_seal_bytes(sealer, "f", plain, sizeof plain, &sealed, NULL) == ZT_STATUS_OK);
    CHECK(zt_file_opener_new(ines, "loan_scores_delta", zt_bytes_data(sealed), zt_bytes_len(sealed), &opener, NULL) ==
          ZT_STATUS_OK);
    zt_session_free(ines);
    return failed == 0;
}

static void end(void) {
    zt_file_opener_free(opener);
    zt_bytes_free(sealed);
    zt_sealer_free(sealer);
    zt_located_free(model);
    zt_session_free(job);
    CHECK(zt_runtime_close(zt, 60000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
}

#ifdef ZT_LIBFUZZER
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    if (!start(getenv("ZT_WORLD"))) {
        exit(2);
    }
    atexit(end);
    return 0;
}
#else
/* xorshift64: the same seed, the same inputs. */
static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t mutate(unsigned char *input, size_t length) {
    int times = 1 + (int)(next() % 4);
    while (times-- > 0) {
        const size_t at = length == 0 ? 0 : next() % length;
        switch (next() % 5) {
        case 0:
            if (length > 0) {
                input[at] ^= (unsigned char)(1U << next() % 8);
            }
            break;
        case 1:
            if (length > 0) {
                input[at] = (unsigned char)next();
            }
            break;
        case 2:
            length = at;
            break;
        case 3:
            if (length > 0 && length < MOST) {
                memmove(input + at + 1, input + at, length - at);
                input[at] = (unsigned char)next();
                length++;
            }
            break;
        default:
            if (length > 0 && 2 * length <= MOST) {
                memcpy(input + length, input, length);
                length *= 2;
            }
        }
    }
    return length;
}

int main(int argc, char **argv) {
    static unsigned char input[MOST];
    static const char *const seeds[] = {"model.infer",
                                        "secret:bureau-api-key",
                                        "user:maya",
                                        "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n1,20K,0.7,0.9,1\n",
                                        "00000000000000000000000000000001",
                                        "[{\"eventType\":\"Microsoft.KeyVault.SecretNewVersionCreated\",\"data\":{\"Id\":\"x\"}}]",
                                        "loan_scores_delta",
                                        "audit.file_sink",
                                        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"};
    const size_t kinds = sizeof seeds / sizeof *seeds + 2;
    long at;
    if (argc != 4 || !start(argv[1])) {
        return 2;
    }
    state = strtoull(argv[3], NULL, 10) * 2 + 1;
    for (at = 0; at < atol(argv[2]); at++) {
        const size_t kind = next() % kinds;
        const void *seed = kind == 0 ? zt_bytes_data(sealed) : kind == 1 ? getenv("ZT_MAYA") : (const void *)seeds[kind - 2];
        size_t length = kind == 0 ? zt_bytes_len(sealed) : strlen(seed);
        length = length < MOST ? length : MOST;
        memcpy(input, seed, length);
        (void)LLVMFuzzerTestOneInput(input, mutate(input, length));
    }
    end();
    printf("%ld inputs\n", at);
    return told();
}
#endif
