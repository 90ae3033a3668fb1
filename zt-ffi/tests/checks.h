/* What the programs of the tests share: counted checks, errors, sessions. Each program includes it once. */
#include "count.h"

#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

MAYBE_UNUSED static int same(const char *a, const char *b) {
    return a != NULL && strcmp(a, b) == 0;
}

/* Takes the error, says whether it is the expected one and names `part`, frees it. */
MAYBE_UNUSED static int says(zt_error **err, zt_status status, const char *part) {
    int yes = *err != NULL && zt_error_status(*err) == status && has(zt_error_message(*err), part) &&
              !has(zt_error_message(*err), "zt-needle");
    if (!yes && *err != NULL) {
        fprintf(stderr, "%s %s\n", zt_error_code(*err), zt_error_message(*err));
    }
    zt_error_free(*err);
    *err = NULL;
    return yes;
}

MAYBE_UNUSED static zt_session *sign_in(const zt_runtime *zt, const char *variable) {
    zt_session *session = NULL;
    CHECK(zt_authenticate(zt, getenv(variable), &session, NULL) == ZT_STATUS_OK);
    return session;
}

/* The scoring job in its second stage: it seals and does not open. */
MAYBE_UNUSED static zt_session *the_job(const zt_runtime *zt) {
    zt_session *caller = sign_in(zt, "ZT_SCORE");
    zt_session *job = NULL;
    CHECK(zt_session_claiming(caller, 201, 2, &job, NULL) == ZT_STATUS_OK);
    zt_session_free(caller);
    return job;
}

static int told(void) {
    printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
