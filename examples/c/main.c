/*
 * Job 201 from C: planned by an engineer, then run by its workload, which asks, reads its secret and seals what it made.
 *
 *   cargo build -p zt-ffi
 *   cargo build -p zt-core --bin zt --features cli,testing
 *   cc -std=c99 -Wall -Wextra -I zt-ffi/include examples/c/main.c -L target/debug -lzt -o target/zt-example
 *   ln -sf libzt.so target/debug/libzt.so.1         # Linux looks for the library by its ABI version
 *
 *   export ZT_TOKEN=$(target/debug/zt -C examples/world dev-token sp-score-201)
 *   export ZT_ENGINEER=$(target/debug/zt -C examples/world dev-token jonas)
 *   target/debug/zt -C examples/world vault set bureau-api-key
 *   target/debug/zt -C examples/world vault create-key scores-kek
 *   LD_LIBRARY_PATH=target/debug target/zt-example examples/world
 *
 * A file and a place behind the folder: the file is sealed too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zt.h>

/* The message is for this process's own log; a remote caller would get zt_error_public_message(err). */
static int complain(zt_error *err) {
    const char *help = zt_error_help(err);
    fprintf(stderr, "%s %s\n", zt_error_code(err), zt_error_message(err));
    if (help != NULL) {
        fprintf(stderr, "        %s\n", help);
    }
    zt_error_free(err);
    return 1;
}

/* What the job needs, or every reason why it may not run: JSON, before any cluster starts. */
static int plan(const zt_session *engineer, unsigned job) {
    zt_error *err = NULL;
    zt_text *text = NULL;
    bool is_runnable = false;
    if (zt_plan(engineer, job, &is_runnable, &text, &err) != ZT_STATUS_OK) {
        return complain(err);
    }
    printf("job %u is %s: a plan of %lu bytes\n", job, is_runnable ? "runnable" : "not runnable",
           (unsigned long)zt_text_len(text));
    zt_text_free(text);
    return is_runnable ? 0 : 1;
}

/* The rule's columns leave this process encrypted; the others stay as they are. */
static int seal(const zt_session *job) {
    static const char scores[] = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n"
                                 "70000,20K - 40K,0.703953,0.99,1\n";
    zt_error *err = NULL;
    zt_sealer *sealer = NULL;
    zt_batch *batch = NULL;
    zt_batch *sealed = NULL;
    zt_text *csv = NULL;
    int code = 0;
    if (zt_sealer_new(job, "loan_scores_delta", &sealer, &err) != ZT_STATUS_OK ||
        zt_batch_from_csv((const uint8_t *)scores, strlen(scores), &batch, &err) != ZT_STATUS_OK ||
        zt_sealer_seal(sealer, batch, &sealed, &err) != ZT_STATUS_OK ||
        zt_batch_to_csv(sealed, &csv, &err) != ZT_STATUS_OK) {
        code = complain(err);
    } else {
        printf("sealed: %.24s...\n", strchr(zt_text_data(csv), '\n') + 1);
    }
    zt_text_free(csv);
    zt_batch_free(sealed);
    zt_batch_free(batch);
    zt_sealer_free(sealer);
    return code;
}

/* A file leaves in one piece: sealed beside its place and moved there, so that nobody meets half of it. */
static int seal_report(const zt_session *job, const char *report, const char *sealed) {
    zt_error *err = NULL;
    zt_sealer *sealer = NULL;
    uint64_t length = 0;
    int code = 0;
    if (zt_sealer_new(job, "loan_scores_delta", &sealer, &err) != ZT_STATUS_OK ||
        zt_sealer_seal_file(sealer, NULL, report, sealed, true, &length, &err) != ZT_STATUS_OK) {
        code = complain(err);
    } else {
        printf("sealed the report: %lu bytes\n", (unsigned long)length);
    }
    zt_sealer_free(sealer);
    return code;
}

static int score(const zt_session *job) {
    zt_error *err = NULL;
    zt_decision *decision = NULL;
    zt_secret *key = NULL;
    size_t length = 0;

    /* A question: no is an answer too. */
    if (zt_check(job, "secret.get", "secret:sql-loans-password", &decision, &err) != ZT_STATUS_OK) {
        return complain(err);
    }
    printf("may %s read the database's password: %s (decision %s)\n", zt_session_name(job), zt_decision_kind(decision),
           zt_decision_id(decision));
    zt_decision_free(decision);

    /* A gate: no ends it here. */
    if (zt_require(job, "model.infer", "model:car_loan_scorer", NULL, &err) != ZT_STATUS_OK) {
        return complain(err);
    }
    if (zt_secret_get(job, "bureau-api-key", &key, &err) != ZT_STATUS_OK) {
        return complain(err);
    }
    /* Use the bytes where they are, never print them, and let go soon: zt wipes its copy, yours it cannot. */
    if (zt_secret_bytes(key, &length) != NULL) {
        printf("the credit bureau's key is here: %lu bytes, version %s\n", (unsigned long)length, zt_secret_version(key));
    }
    zt_secret_free(key);
    return 0;
}

int main(int argc, char **argv) {
    zt_error *err = NULL;
    zt_runtime *zt = NULL;
    zt_session *engineer = NULL;
    zt_session *caller = NULL;
    zt_session *job = NULL;
    int code;

    if (zt_open(argc > 1 ? argv[1] : "examples/world", &zt, &err) != ZT_STATUS_OK) {
        return complain(err);
    }
    if (zt_authenticate(zt, getenv("ZT_ENGINEER"), &engineer, &err) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_TOKEN"), &caller, &err) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, &err) != ZT_STATUS_OK) {
        code = complain(err);
    } else if ((code = plan(engineer, 201)) == 0 && (code = score(job)) == 0) {
        code = seal(job);
        if (code == 0 && argc > 3) {
            code = seal_report(job, argv[2], argv[3]);
        }
    }
    zt_session_free(job);
    zt_session_free(caller);
    zt_session_free(engineer);

    /* The audit log is written before this returns 0: nothing happened here that it does not tell. */
    err = NULL;
    if (zt_runtime_close(zt, 5000, &err) != ZT_STATUS_OK) {
        code = complain(err);
    }
    zt_runtime_free(zt);
    return code;
}
