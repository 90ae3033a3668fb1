/*
 * zt.h: an embeddable zero-trust runtime for AI pipelines on Azure.
 *
 * A team writes who may do what into metadata tables; zt makes that true inside this process. A caller's Entra token
 * becomes a session, the policy decides (deny by default), secrets come out of a vault only for whom the policy allows,
 * and every act stands in a tamper-evident audit log before its answer. The log cannot be written: the answer is an
 * error.
 *
 *     zt_runtime *zt = NULL;
 *     zt_session *maya = NULL;
 *     zt_error *err = NULL;
 *
 *     if (zt_open("examples/world", &zt, &err) != ZT_STATUS_OK ||
 *         zt_authenticate(zt, token, &maya, &err) != ZT_STATUS_OK ||
 *         zt_require(maya, "model.infer", "model:car_loan_scorer", NULL, &err) != ZT_STATUS_OK) {
 *         fprintf(stderr, "%s %s\n", zt_error_code(err), zt_error_message(err));
 *     }
 *     zt_error_free(err);
 *     zt_session_free(maya);
 *     if (zt != NULL && zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) {
 *         fprintf(stderr, "the audit log was not written\n");
 *     }
 *     zt_runtime_free(zt);
 *
 * STATUS. Functions that can fail answer a zt_status: 0, or a number that never changes its meaning. Outputs are
 * written only when it is 0; the one exception, the length of zt_secret_read and zt_secret_handle_read, says so. A deny is
 * an answer of zt_check, and the status ZT_STATUS_DENIED of everything that would hand something out or let something happen. After
 * zt_runtime_close every function of the runtime and its sessions answers ZT_STATUS_CLOSED. ZT_STATUS_AUDIT_UNAVAILABLE
 * with a time from zt_error_retry_ms means that the caller was refused too many different things; come back later.
 *
 * ERRORS. `err` comes last and may be NULL. Otherwise it is written when the status is not 0, with a new object that the
 * program frees by zt_error_free; start with NULL, and free one before the next call may write another. There is no
 * error state in a thread or in the process.
 *
 * CALLBACKS that a call reads or writes by run on the thread that called, before the call returns. The release callbacks of
 * Arrow's structs run where the struct is let go, a zt_release_fn on any thread, a zt_log_fn where the event happens and
 * must not wait, a zt_token_fn on a thread of zt that may, and a zt_done_fn on one that does nothing else. None may throw, longjmp or free what the call uses.
 *
 * OPERATIONS. What waits has a twin that ends in `_async` and returns at once: zt_operation_wait waits for its end,
 * zt_operation_cancel gives it up, a deadline does so by itself, and a zt_done_fn is called exactly once whatever becomes of it,
 * if the function that started it answered OK. An operation keeps what it needs: every other handle may be freed meanwhile.
 * End what you started before the process ends.
 *
 * OWNERSHIP. What an output receives belongs to the program, until it gives it to the `_free` function of its type: once,
 * and nothing else frees it. Arrow's structs have callbacks of their own for that, and those that are sealed or unsealed are
 * consumed. `_free(NULL)` does nothing. Handles may be freed in any order: each keeps what it needs.
 * Where a comment says borrowed, the pointer belongs to the handle, ends with it, and is never written to or freed.
 *
 * POINTERS. A handle is one that zt gave and that is not freed yet. Outputs and `err` point to places that the program
 * may write, a different one each. Only arguments that say so may be NULL; elsewhere NULL is answered with
 * ZT_STATUS_INVALID_ARGUMENT, and accessors answer as if there were nothing. Nothing more can be checked: a freed handle
 * or a wild pointer is undefined behaviour, as everywhere in C.
 *
 * TEXT. Strings are UTF-8 with a NUL at the end, in and out. Those that come in are read during the call only. Bytes of
 * secrets have a length and no NUL.
 *
 * SECRETS. zt wipes its own copies. A copy that the program makes is the program's to wipe: zt_wipe.
 *
 * THREADS. Handles may be used by many threads at once; a `_free` must be the last use. Nothing belongs to a thread.
 * Functions that block park the calling thread; that may be a thread of another async runtime, which then does nothing
 * else meanwhile.
 *
 * PROCESSES. A child of fork(2) may go on with its parent's runtime, sessions and handles of secrets: its first call
 * starts threads of its own, secrets are fetched anew, and its records stand in a log of its own, which
 * zt_runtime_close ends there. Its operations are its parent's: here they answer CANCELLED, and their callbacks do not run. It
 * has no zt_log_fn until it names one. Secrets that were handed out before the fork are empty in it. What another thread of the
 * parent was freeing while it forked, the child must not use. A child of a raw clone(2) calls exec and nothing of zt.
 *
 * PANICS do not cross this border: they become ZT_STATUS_PANIC.
 *
 * VERSIONS. Within one ZT_ABI_VERSION functions and statuses are only added; `@since` says with which. Link with -lzt.
 * A library that was loaded by dlopen stays in memory after dlclose, on Linux. A static link needs -lpthread -ldl -lm too; on Windows define ZT_STATIC for it.
 *
 * This file is made from the library's source: change it there.
 */


#ifndef ZT_H
#define ZT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(ZT_STATIC)
#define ZT_API __declspec(dllimport)
#else
#define ZT_API
#endif

#if defined(__GNUC__)
#define ZT_NODISCARD __attribute__((warn_unused_result))
#else
#define ZT_NODISCARD
#endif

/* The Arrow C data interface, word for word: arrow.apache.org/docs/format/CDataInterface.html. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/**
 * The version of the ABI: the same number in the library's file name. Within it functions and statuses are only added.
 */
#define ZT_ABI_VERSION 1

/**
 * So many bytes the header of a sealed file has at most: what zt_file_opener_new needs of its beginning.
 */
#define ZT_FILE_HEADER_MOST 5197

/**
 * Sealed columns are text, which Delta, Parquet, CSV and SQL keep alike.
 */
#define ZT_STORE_TEXT 0

/**
 * Sealed columns are bytes, a quarter shorter, for stores that have a type for them.
 */
#define ZT_STORE_BYTES 1

/**
 * No events.
 */
#define ZT_LOG_OFF 0

/**
 * What somebody must look at.
 */
#define ZT_LOG_ERROR 1

/**
 * What somebody should look at: a vault that is not called for a while, a sink that does not take records.
 */
#define ZT_LOG_WARN 2

/**
 * What happens seldom.
 */
#define ZT_LOG_INFO 3

/**
 * What helps to find a mistake.
 */
#define ZT_LOG_DEBUG 4

/**
 * Everything.
 */
#define ZT_LOG_TRACE 5

/**
 * Rows of data, by column. Never changes once it is made. Names of columns ignore case.
 */
typedef struct zt_batch zt_batch;

/**
 * Bytes, such as those of a file. Owned by the program; wiped when they are freed.
 */
typedef struct zt_bytes zt_bytes;

/**
 * Whether a request may proceed, and which rows of the tables say so. Stays what it is when the tables change.
 */
typedef struct zt_decision zt_decision;

/**
 * Why a function failed. Holds no secret, no token and no key. Owned by the program.
 */
typedef struct zt_error zt_error;

/**
 * Unseals files of one output that were sealed by the sealer of the file that it was made for.
 */
typedef struct zt_file_opener zt_file_opener;

/**
 * A resource, looked up once: for zt_check_at. It stays right when the tables change.
 */
typedef struct zt_located zt_located;

/**
 * Unseals batches of one output, with the data keys of the batch that it was made for.
 */
typedef struct zt_opener zt_opener;

/**
 * What was started by a function that ends in `_async`. Its result is taken once, by the zt_operation_ function of its kind.
 */
typedef struct zt_operation zt_operation;

/**
 * The zero-trust runtime of a process. One is enough; it is made for many threads.
 */
typedef struct zt_runtime zt_runtime;

/**
 * Seals batches of one output under one data key.
 */
typedef struct zt_sealer zt_sealer;

/**
 * One version of one secret. Its bytes are shared by all its handles and wiped when the cache and the last handle let go.
 */
typedef struct zt_secret zt_secret;

/**
 * A secret that is read again and again, by a session under its claims. Every read is decided and audited as zt_secret_get
 * is; the handle saves looking up the name.
 */
typedef struct zt_secret_handle zt_secret_handle;

/**
 * What one authenticated caller may do. Ends when the caller's token does.
 */
typedef struct zt_session zt_session;

/**
 * A long answer, such as JSON. Owned by the program.
 */
typedef struct zt_text zt_text;

/**
 * Where a zt_token_fn puts its token. Borrowed by it, and zt's to free.
 */
typedef struct zt_token zt_token;

/**
 * What a function answers: 0, or a number that never changes its meaning. A program must expect numbers that it does
 * not know: the thousands tell the kind (1 denied, 2 unauthenticated, 3 not found, 4 unavailable, 5 invalid,
 * 6 integrity, 7 configuration, 8 cancelled, 9 a defect of zt).
 */
typedef int32_t zt_status;

/**
 * One setting, by its name in `zt.toml`.
 */
typedef struct {
    /**
     * Such as "audit.folder"; docs/src/config.md has every name.
     */
    const char *name;
    /**
     * As it would stand in the file, without quotes.
     */
    const char *value;
} zt_setting;

/**
 * How to open. Filled by zt_open_options_init; grows at its end only.
 */
typedef struct {
    /**
     * `sizeof(zt_open_options)` of the program.
     */
    size_t struct_size;
    /**
     * Settings that neither the file nor the environment makes: they add, and never replace. NULL when there are none.
     */
    const zt_setting *settings;
    /**
     * How many.
     */
    size_t setting_count;
} zt_open_options;

/**
 * Gives a token of the process itself for `scope`, such as "https://vault.azure.net/.default": puts it into `token` by
 * zt_token_set and answers ZT_STATUS_OK. ZT_STATUS_IDENTITY_UNAVAILABLE says that the issuer cannot be reached now, every
 * other answer that it refuses. `scope` and `token` end when it returns.
 *
 * It runs on threads of zt that may wait, maybe on several at once. zt keeps what it gives and asks again before that ends. It
 * must not throw an exception, longjmp or wait for a call of zt.
 */
typedef zt_status (*zt_token_fn)(void *user_data, const char *scope, const zt_token *token);

/**
 * Told once that a zt_token_fn runs no more and its `user_data` is not needed: after the last handle of the runtime is freed and
 * the last call has returned, on any thread. It must not throw an exception, longjmp or wait for a call of zt.
 */
typedef void (*zt_release_fn)(void *user_data);

/**
 * Reads the next bytes of a stream into `buffer`, at least one and at most `capacity`, and answers how many; 0 at its end. A
 * negative answer gives up: the call that it serves answers CALLBACK_FAILED. `user_data` is what that call was given.
 *
 * It runs on the thread of that call, never twice at once, and not again after the end or a failure. It may call functions
 * of zt. It must not throw an exception or longjmp.
 */
typedef int64_t (*zt_read_fn)(void *user_data, uint8_t *buffer, size_t capacity);

/**
 * Writes the next `length` bytes of a stream, all of them, and answers 0; any other answer gives up. The bytes are borrowed
 * until it returns. All else is as for zt_read_fn.
 */
typedef int64_t (*zt_write_fn)(void *user_data, const uint8_t *bytes, size_t length);

/**
 * Told once that an operation has ended: done, failed, given up or past its deadline. `operation` is borrowed and ends when
 * the callback returns; its result may be taken from it, and it must not be freed. `user_data` is what was given.
 *
 * It runs on a thread of zt that runs callbacks alone, one after the other, maybe before the function that started the
 * operation has returned. It may call functions of zt and free any other handle. It must not throw an exception or longjmp.
 */
typedef void (*zt_done_fn)(void *user_data, const zt_operation *operation);

/**
 * One event. `level`: ZT_LOG_ERROR to ZT_LOG_TRACE; a program must expect others. `target`: what of zt it is about, such as
 * "zt::secrets". `message`: one line without a newline, with names and values behind it, never a secret, a token or a key.
 * Both texts are borrowed until it returns.
 *
 * It runs on the thread where the event happens, which may be one of zt's, also on many at once. Events that it causes
 * itself are left out. It must not throw an exception, longjmp, wait for another thread that calls zt, or call a function of zt
 * that waits: the event may come out of the very work that it would wait for. Where such a call has to wait, it answers
 * INVALID_ARGUMENT at once; a check, a secret in the cache and what ends in `_async` do not. To open, to reload, to warm, to
 * report and to close are refused always, and nothing of them is done.
 */
typedef void (*zt_log_fn)(void *user_data, int32_t level, const char *target, const char *message);

/**
 * Done.
 */
#define ZT_STATUS_OK 0

/**
 * The policy denies the action.
 */
#define ZT_STATUS_DENIED 1001

/**
 * The policy would allow it to a caller who has signed in more strongly: zt_decision_step_up says how.
 */
#define ZT_STATUS_STEP_UP_REQUIRED 1002

/**
 * The policy allows it, but not like this: more rows than may be shown, or data that must be sealed and is not.
 */
#define ZT_STATUS_OBLIGATION_UNMET 1003

/**
 * The grant does not cover it.
 */
#define ZT_STATUS_OUT_OF_GRANT 1004

/**
 * The token is not acceptable; the exact reason is for the log of this process only.
 */
#define ZT_STATUS_INVALID_TOKEN 2001

/**
 * The token has expired: authenticate again with a new one.
 */
#define ZT_STATUS_TOKEN_EXPIRED 2002

/**
 * The token is not valid yet.
 */
#define ZT_STATUS_TOKEN_NOT_YET_VALID 2003

/**
 * No token was presented.
 */
#define ZT_STATUS_MISSING_CREDENTIALS 2004

/**
 * Entra asks the person for another sign-in before it gives a token on their behalf.
 */
#define ZT_STATUS_INTERACTION_REQUIRED 2005

/**
 * The person did not sign in: declined, too late, or nobody is there to ask.
 */
#define ZT_STATUS_SIGN_IN_FAILED 2006

/**
 * The grant is malformed, forged, of a key that is not trusted, or of the wrong kind.
 */
#define ZT_STATUS_INVALID_GRANT 2007

/**
 * The grant has expired.
 */
#define ZT_STATUS_GRANT_EXPIRED 2008

/**
 * The grant is not valid yet.
 */
#define ZT_STATUS_GRANT_NOT_YET_VALID 2009

/**
 * The grant is for another caller.
 */
#define ZT_STATUS_GRANT_OF_ANOTHER 2010

/**
 * No such secret, row, job or file.
 */
#define ZT_STATUS_NOT_FOUND 3001

/**
 * The vault cannot be reached or refuses to answer now.
 */
#define ZT_STATUS_VAULT_UNAVAILABLE 4001

/**
 * The audit log cannot be written: no audit, no access.
 */
#define ZT_STATUS_AUDIT_UNAVAILABLE 4002

/**
 * The issuer's signing keys are not known.
 */
#define ZT_STATUS_KEYS_UNAVAILABLE 4003

/**
 * The metadata tables were not confirmed within metadata.max_staleness_s.
 */
#define ZT_STATUS_METADATA_STALE 4004

/**
 * Alerts cannot be delivered.
 */
#define ZT_STATUS_ALERTS_UNAVAILABLE 4005

/**
 * Entra, Microsoft Graph or the metadata endpoint of the machine gives no answer now.
 */
#define ZT_STATUS_IDENTITY_UNAVAILABLE 4006

/**
 * A rule of Network_Rules, or the firewall of the vault, refuses the connection.
 */
#define ZT_STATUS_NETWORK_REFUSED 4007

/**
 * The operation has not ended yet: wait for it again.
 */
#define ZT_STATUS_PENDING 4901

/**
 * An argument is malformed, NULL where it must not be, or not UTF-8.
 */
#define ZT_STATUS_INVALID_ARGUMENT 5001

/**
 * The metadata tables have errors; zt_error_report lists all of them.
 */
#define ZT_STATUS_INVALID_METADATA 5002

/**
 * The buffer is too small: nothing was written to it, the needed length is told.
 */
#define ZT_STATUS_BUFFER_TOO_SMALL 5901

/**
 * A callback of the program gave up, or answered what it must not; the error's message has its answer.
 */
#define ZT_STATUS_CALLBACK_FAILED 5902

/**
 * The vault file is damaged, or the key is not the one it was written with.
 */
#define ZT_STATUS_VAULT_INTEGRITY 6001

/**
 * The audit log was changed, or is damaged elsewhere than at its end.
 */
#define ZT_STATUS_AUDIT_INTEGRITY 6002

/**
 * Sealed data was changed, moved or cut, or is sealed under another key.
 */
#define ZT_STATUS_SEAL_INTEGRITY 6003

/**
 * The configuration is wrong.
 */
#define ZT_STATUS_CONFIG 7001

/**
 * The process has no identity of its own, or the issuer refuses it.
 */
#define ZT_STATUS_NO_OWN_IDENTITY 7002

/**
 * The operation was given up before it ended.
 */
#define ZT_STATUS_CANCELLED 8001

/**
 * The runtime has been closed; no later call can succeed.
 */
#define ZT_STATUS_CLOSED 8002

/**
 * A defect of zt.
 */
#define ZT_STATUS_INTERNAL 9001

/**
 * A defect of zt: a panic, stopped at the border. Handles stay usable.
 */
#define ZT_STATUS_PANIC 9901

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The ABI version of the loaded library. Compare it with ZT_ABI_VERSION before anything else when the library was not
 * found by the linker but loaded by hand.
 *
 * Threads: any. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD uint32_t zt_abi_version(void);

/**
 * The release of the loaded library, such as "0.1.0". Static: never freed.
 *
 * Threads: any. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_version(void);

/**
 * Opens the folder that holds `zt.toml`: reads the tables, opens vault and audit log, starts a few threads that end
 * with the last handle.
 *
 * `folder`: a path. `runtime`: a new handle; end it with zt_runtime_close, then zt_runtime_free.
 * Answers: OK, CONFIG, INVALID_METADATA (zt_error_report has every problem), VAULT_INTEGRITY, VAULT_UNAVAILABLE,
 * AUDIT_INTEGRITY, AUDIT_UNAVAILABLE, KEYS_UNAVAILABLE, INVALID_ARGUMENT.
 * Threads: any. Blocks: on the disk. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_open(const char *folder, zt_runtime **runtime, zt_error **err);

/**
 * Reads the tables and the pinned keys again and takes them when both are good. Sessions decide by the new snapshot at
 * once; when they are not good, the last good snapshot and keys stay in force.
 *
 * `version`: the version of the snapshot then in force, or NULL.
 * Answers: OK, INVALID_METADATA (zt_error_report has every problem), CONFIG, KEYS_UNAVAILABLE, AUDIT_UNAVAILABLE, CLOSED,
 * INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_reload(const zt_runtime *runtime,
                    uint64_t *version,
                    zt_error **err);

/**
 * Whether tokens can be verified and the tables are young enough to decide by: what a readiness probe asks.
 *
 * Answers: OK, KEYS_UNAVAILABLE, METADATA_STALE, CLOSED, INVALID_ARGUMENT. The error's message says what is missing.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_runtime_ready(const zt_runtime *runtime, zt_error **err);

/**
 * Wipes the cached secrets, writes and syncs the audit log and ends it. Later calls on the runtime and its sessions
 * answer CLOSED; the handle must still be freed. Secrets that were handed out stay until they are freed.
 *
 * `timeout_ms`: how long to wait for the disk.
 * Answers: OK, AUDIT_UNAVAILABLE when the log could not be written in time (zt_runtime_free cannot say so), CLOSED when it
 * is closed already, INVALID_ARGUMENT.
 * Threads: any. Blocks: on the disk, at most about twice `timeout_ms`. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_close(const zt_runtime *runtime,
                           uint64_t timeout_ms,
                           zt_error **err);

/**
 * Frees the handle. NULL is allowed. Sessions keep what they need: handles may be freed in any order, and the last one
 * ends the threads. Without zt_runtime_close before it, the newest records of the audit log may be lost.
 *
 * Threads: any, once, after the last use. Blocks: maybe on the disk. @since 1
 */
ZT_API void zt_runtime_free(zt_runtime *runtime);

/**
 * Fills options with what zt_open does without any.
 *
 * `options`: `struct_size` bytes. `struct_size`: `sizeof(zt_open_options)`.
 * Answers: OK, INVALID_ARGUMENT for a size that this library does not know; then nothing is written.
 * Threads: any. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_open_options_init(zt_open_options *options, size_t struct_size);

/**
 * zt_open, with settings of the program.
 *
 * `options`: NULL for none; read during the call only. Bytes behind those that this library knows must be 0: a program that
 * was made for a newer one is told so, and never opened with less than it asked for.
 * Answers: as zt_open; CONFIG also for a setting that does not exist or is made already, INVALID_ARGUMENT also for options
 * of no known size. No message has the value of a setting.
 * Threads: any. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_open_with(const char *folder,
                       const zt_open_options *options,
                       zt_runtime **runtime,
                       zt_error **err);

/**
 * zt_open_with, with an identity of the process that the program gives: for zt_runtime_workload, and for vaults.
 *
 * `get_token`, `user_data`: used as long as a handle of the runtime is there, and until a call that is running then returns.
 * `release`: told once of that end with `user_data`, also when this does not answer OK; NULL for a `user_data` that
 * stays.
 * Answers: as zt_open_with.
 * Threads: any. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_open_with_credential(const char *folder,
                                  const zt_open_options *options,
                                  zt_token_fn get_token,
                                  void *user_data,
                                  zt_release_fn release,
                                  zt_runtime **runtime,
                                  zt_error **err);

/**
 * Puts a token where a zt_token_fn was told to. It is copied; the program's own is the program's to wipe.
 *
 * `token`: what the callback was given. `bearer`: without `Bearer `. `expires_ms`: when it ends, in milliseconds since
 * 1970-01-01T00:00:00Z.
 * Answers: OK, INVALID_ARGUMENT for what no token is.
 * Threads: any, during the callback. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_token_set(const zt_token *token,
                       const char *bearer,
                       int64_t expires_ms,
                       zt_error **err);

/**
 * Verifies a caller's Entra access token.
 *
 * `token`: the token, with or without `Bearer ` before it. `session`: a new handle; free it with zt_session_free.
 * Answers: OK, INVALID_TOKEN, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, MISSING_CREDENTIALS, KEYS_UNAVAILABLE,
 * AUDIT_UNAVAILABLE, INVALID_ARGUMENT. The error's message tells the exact reason and is for the log of this process; a
 * remote caller may see zt_error_public_message alone.
 * Threads: any, also at once. Blocks: on the disk, and on the network while the issuer's keys are not known.
 * @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_authenticate(const zt_runtime *runtime,
                          const char *token,
                          zt_session **session,
                          zt_error **err);

/**
 * A session of the process itself: a managed identity, a service principal of the environment (AZURE_TENANT_ID,
 * AZURE_CLIENT_ID and a secret or a federated token file), in development also who ran `az login`. Its token is verified as
 * anyone's is, so the identity needs an app role of this application. Asking again is cheap, and due when the session has
 * ended.
 *
 * `session`: a new handle; free it with zt_session_free.
 * Answers: OK, NO_OWN_IDENTITY (the message lists what was tried), IDENTITY_UNAVAILABLE, and those of zt_authenticate.
 * Threads: any, also at once. Blocks: on the network, at most about a minute, and on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_workload(const zt_runtime *runtime,
                              zt_session **session,
                              zt_error **err);

/**
 * The same caller, claiming to work on a stage of a job. Claimed, not proven: a guard rail, recorded as asserted.
 *
 * `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_claiming(const zt_session *session,
                              uint32_t job,
                              uint32_t stage,
                              zt_session **claiming,
                              zt_error **err);

/**
 * The same caller, saying who proposed the change that is to be approved: "user:jonas". Claimed, as job and stage are.
 *
 * `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_claiming_author(const zt_session *session,
                                     const char *author,
                                     zt_session **claiming,
                                     zt_error **err);

/**
 * The same caller, stating a further fact that a row of Attributes declares, `context.NAME`. Claimed, as job and stage are.
 *
 * `name`: without `context.`. `value`: as people write it, read by the attribute's type; the members of a set are separated
 * by commas. `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
 * Answers: OK, INVALID_ARGUMENT (also for an attribute that the tables do not declare; the value is never repeated).
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_claiming_fact(const zt_session *session,
                                   const char *name,
                                   const char *value,
                                   zt_session **claiming,
                                   zt_error **err);

/**
 * The caller's readable id when the session was made, such as "user:maya", or "oid:..." when no row of Principals names
 * the caller. Borrowed from `session`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_session_name(const zt_session *session);

/**
 * Frees it. NULL is allowed. Decisions, secrets and claiming sessions that came from it stay.
 *
 * Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
 */
ZT_API void zt_session_free(zt_session *session);

/**
 * Whether the caller may do this now. A deny is a decision, not an error: the status is then 0 all the same.
 *
 * `action`: such as "table.read". `resource`: such as "table:gold.loan_scores". `decision`: new; free it with
 * zt_decision_free. Who only wants to go on or stop takes zt_require.
 * Answers: OK, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, INVALID_ARGUMENT (also for an unknown action or resource).
 * Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_check(const zt_session *session,
                   const char *action,
                   const char *resource,
                   zt_decision **decision,
                   zt_error **err);

/**
 * The same, and DENIED unless it is allowed: nothing goes on by a forgotten `if`.
 *
 * `permit`: the decision that allows it, with the columns that the caller may see and for zt_permit_apply; new, free it with zt_decision_free.
 * NULL where the action has no columns to obey. The error of a refusal has its decision: zt_error_decision.
 * Answers: as zt_check, and DENIED.
 * Threads: any, also at once. Blocks: as zt_check. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_require(const zt_session *session,
                     const char *action,
                     const char *resource,
                     zt_decision **permit,
                     zt_error **err);

/**
 * Whether the request may proceed; false for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD bool zt_decision_is_allowed(const zt_decision *decision);

/**
 * How it was decided: "allow", "explicit_deny" or "default_deny", as the audit log writes it. Static; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_kind(const zt_decision *decision);

/**
 * Its name, found again in the audit log. Safe to show the caller. Borrowed from `decision`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_id(const zt_decision *decision);

/**
 * The reason in words that the deciding rows give, or NULL when they give none. Safe to show the caller. Borrowed from
 * `decision`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_why(const zt_decision *decision);

/**
 * The ids of the rows that decided, a JSON array of strings; empty for a default deny. Borrowed from `decision`; "[]"
 * for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_policies(const zt_decision *decision);

/**
 * The columns that an allow lets the caller see, a JSON object: `{"only":["id"]}` or `{"all_but":["income"]}`. Every
 * column is `{"all_but":[]}`. Meaningless for a deny. Borrowed from `decision`; `{"only":[]}` for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_columns(const zt_decision *decision);

/**
 * The visible columns whose cells are masked, a JSON object of lowercase names to "last_4", "redact" or "null". Borrowed
 * from `decision`; `{}` for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const char *zt_decision_masks(const zt_decision *decision);

/**
 * What must be done with an allow beside that, a JSON object: `{"audit":"durable","encrypt":["ER-01"],"max_rows":1000}`.
 * `max_rows` is null where there is no limit. zt_permit_apply does it or refuses. Borrowed from `decision`; `{}` for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const char *zt_decision_obligations(const zt_decision *decision);

/**
 * The restrictions that an allow is under, a JSON array of row ids. Borrowed from `decision`; "[]" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_restrictions(const zt_decision *decision);

/**
 * How the caller must sign in to be allowed, where nothing else is missing: a JSON array of "mfa" and authentication
 * contexts of Entra ("c1" to "c99"), all of which are needed; empty otherwise. Borrowed from `decision`; "[]" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_decision_step_up(const zt_decision *decision);

/**
 * Until when time alone cannot change the decision on its snapshot. True, and `until_ms` is set to milliseconds since
 * 1970-01-01T00:00:00Z, where there is such a moment; false, and `until_ms` is left as it is, where time never changes it
 * and for NULL. A new snapshot and the end of the caller's token may change it earlier.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
bool zt_decision_lease(const zt_decision *decision,
                       int64_t *until_ms);

/**
 * The row of Access_Policies that would have allowed this, as TOML to propose; NULL unless no row decided. Borrowed from
 * `decision`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const char *zt_decision_draft(const zt_decision *decision);

/**
 * Frees it. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_decision_free(zt_decision *decision);

/**
 * A decision in full, with the rows that nearly allowed it and what they lacked: a JSON object.
 *
 * The caller of `session`, which may be another than the decision's, needs `policy.explain` on the decision's resource:
 * near misses tell an attacker what to claim.
 *
 * `explanation`: a new text; free it with zt_text_free.
 * Answers: OK, DENIED, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_explain(const zt_session *session,
                     const zt_decision *decision,
                     zt_text **explanation,
                     zt_error **err);

/**
 * The decision behind a refusal, for zt_explain: new, free it with zt_decision_free. NULL when there is none.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_decision *zt_error_decision(const zt_error *error);

/**
 * Looks a resource up, for what is asked again and again. Nothing is decided yet, and any session may ask about it.
 *
 * `resource`: such as "model:car_loan_scorer". `located`: new; free it with zt_located_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_locate(const zt_session *session,
                            const char *resource,
                            zt_located **located,
                            zt_error **err);

/**
 * zt_check without a resource to read: what a request's path calls. Decided and recorded as there.
 *
 * `is_allowed`: whether the request may proceed. `decision`: new, free it with zt_decision_free; NULL where nobody reads it,
 * which is cheaper.
 * Answers: as zt_check.
 * Threads: any, also at once. Blocks: as zt_check. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_check_at(const zt_session *session,
                      const char *action,
                      const zt_located *located,
                      bool *is_allowed,
                      zt_decision **decision,
                      zt_error **err);

/**
 * Whether the caller may do this to each of these resources: all decided on one snapshot, each with a record of its own, as
 * if zt_check were called for each.
 *
 * `resources`: `count` strings; NULL when `count` is 0. `are_allowed`: room for `count` answers, in the same order.
 * `decisions`: room for `count` handles, each new and to be freed with zt_decision_free; NULL where nobody reads them.
 * Answers: as zt_check; an error about one resource is the answer for all, and then nothing is written. When a resource is
 * malformed, nothing was decided or recorded.
 * Threads: any, also at once. Blocks: as zt_check. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_check_many(const zt_session *session,
                        const char *action,
                        const char *const *resources,
                        size_t count,
                        bool *are_allowed,
                        zt_decision **decisions,
                        zt_error **err);

/**
 * Frees it. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_located_free(zt_located *located);

/**
 * Reads CSV: UTF-8, comma, a header of distinct names. Every column is text; an empty cell is a missing one.
 *
 * `csv`: `length` bytes, without a NUL; NULL when `length` is 0. `batch`: new; free it with zt_batch_free.
 * Answers: OK, INVALID_ARGUMENT. No message repeats a cell.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_batch_from_csv(const uint8_t *csv, size_t length, zt_batch **batch, zt_error **err);

/**
 * As CSV: a header, then rows, lines ended by a newline; a missing cell is empty.
 *
 * `csv`: a new text; free it with zt_text_free.
 * Answers: OK, INVALID_ARGUMENT (also for a cell that holds a NUL, which no C string can).
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_batch_to_csv(const zt_batch *batch, zt_text **csv, zt_error **err);

/**
 * The number of rows; 0 for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD size_t zt_batch_rows(const zt_batch *batch);

/**
 * What the caller may see of these rows: the visible columns, masked where the policy says so.
 *
 * `permit`: what zt_require wrote; a decision of zt_check is no permit. `seen`: new; free it with zt_batch_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_permit_apply(const zt_decision *permit,
                          const zt_batch *batch,
                          zt_batch **seen,
                          zt_error **err);

/**
 * Frees it. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_batch_free(zt_batch *batch);

/**
 * Everything that a job needs, or every reason why it may not run: its stages in order, and for each who runs it, rights,
 * names of secrets, hosts with their network rules, integration runtime, cluster. A JSON object; docs/src/plan.md has its
 * fields. Never a value of a secret.
 *
 * The caller needs `job.plan` on the job. `is_runnable`: whether nothing is missing; may be NULL. `plan`: a new text; free
 * it with zt_text_free.
 * Answers: OK (also when something is missing), DENIED, NOT_FOUND, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
 * INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_plan(const zt_session *session,
                  uint32_t job,
                  bool *is_runnable,
                  zt_text **plan,
                  zt_error **err);

/**
 * The secret of a row of Secret_References. Policy is checked and the read audited each time; a value that is fresh in
 * the cache comes without a call to the vault. Who is denied never learns whether the secret exists.
 *
 * `reference`: the row's id, such as "bureau-api-key". `secret`: new; free it with zt_secret_free as soon as the value
 * is used.
 * Answers: OK, DENIED, NOT_FOUND, VAULT_UNAVAILABLE, VAULT_INTEGRITY, AUDIT_UNAVAILABLE, CONFIG, TOKEN_EXPIRED,
 * INVALID_ARGUMENT.
 * Threads: any, also at once; who misses together shares one call. Blocks: on the vault for a miss, on the disk for the
 * first release of a version to a session and of identical denies, else not. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_secret_get(const zt_session *session,
                        const char *reference,
                        zt_secret **secret,
                        zt_error **err);

/**
 * One version of the secret of a row, whichever is the current one: under the same right and with the same record.
 *
 * `version`: as zt_secret_version tells it, 32 hexadecimal digits. `secret`: new; free it with zt_secret_free.
 * Answers: as zt_secret_get; INVALID_ARGUMENT also for a row that is pinned to another version.
 * Threads: any, also at once. Blocks: as zt_secret_get. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_secret_version(const zt_session *session,
                                    const char *reference,
                                    const char *version,
                                    zt_secret **secret,
                                    zt_error **err);

/**
 * The secret, asked of the vault now; at most once a second, else what is cached. Under the same right and with the same
 * record as zt_secret_get.
 *
 * `secret`: new; free it with zt_secret_free.
 * Answers: as zt_secret_get; the vault's error also where a value is held, which other readers are still served.
 * Threads: any, also at once. Blocks: on the vault and on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_refresh_secret(const zt_session *session,
                                    const char *reference,
                                    zt_secret **secret,
                                    zt_error **err);

/**
 * Its bytes, which may hold NULs and do not end with one. Borrowed from `secret`: never write to them, and do not copy
 * them further than they must go, for what is copied zt cannot wipe (see zt_wipe). NULL for NULL.
 *
 * `length`: how many bytes; may be 0, then the pointer must not be read.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const uint8_t *zt_secret_bytes(const zt_secret *secret, size_t *length);

/**
 * Which version it is; never "the current one". Borrowed from `secret`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_secret_version(const zt_secret *secret);

/**
 * For how many milliseconds it had outlived its TTL when it was handed out, as may be while the vault cannot answer and its
 * row allows it (`max_stale_s`); -1 when it had not, and for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
int64_t zt_secret_stale_ms(const zt_secret *secret);

/**
 * How the vault proved that no detour is possible, in the words of the audit log. Borrowed from `secret`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_secret_path_proof(const zt_secret *secret);

/**
 * Frees it. NULL is allowed. The pointer of zt_secret_bytes ends here.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_secret_free(zt_secret *secret);

/**
 * The same secret, copied into the program's own buffer: the cheapest form for callers from other languages. The copy is
 * the program's: wipe it with zt_wipe, or what the language has, as soon as it is used.
 *
 * `buffer`: room for `capacity` bytes; NULL when `capacity` is 0. `length`: how many bytes the secret has; written also
 * when the answer is BUFFER_TOO_SMALL, and then nothing else is. Key Vault's values have at most 25,600 bytes. Each call
 * is a release that policy decides and the audit log records, also one with a buffer that is too small.
 * Answers: as zt_secret_get, and BUFFER_TOO_SMALL.
 * Threads: any, also at once. Blocks: as zt_secret_get. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_secret_read(const zt_session *session,
                         const char *reference,
                         uint8_t *buffer,
                         size_t capacity,
                         size_t *length,
                         zt_error **err);

/**
 * Overwrites `length` bytes with zeros in a way that no compiler leaves out. NULL is allowed when `length` is 0.
 *
 * Threads: any, on memory that nobody else uses meanwhile. Blocks: never. @since 1
 */
ZT_API void zt_wipe(void *bytes, size_t length);

/**
 * A handle for a secret that is read often. Nothing is asked yet, neither policy nor vault.
 *
 * `reference`: the row's id. `handle`: new; free it with zt_secret_handle_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_secret_handle(const zt_session *session,
                                   const char *reference,
                                   zt_secret_handle **handle,
                                   zt_error **err);

/**
 * The secret, as zt_secret_get gives it.
 *
 * `secret`: new; free it with zt_secret_free as soon as the value is used.
 * Answers: as zt_secret_get.
 * Threads: any, also at once. Blocks: as zt_secret_get. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_secret_handle_get(const zt_secret_handle *handle, zt_secret **secret, zt_error **err);

/**
 * The secret, copied into the program's own buffer, as zt_secret_read does it.
 *
 * `buffer`: room for `capacity` bytes; NULL when `capacity` is 0. `length`: how many bytes the secret has; written also
 * when the answer is BUFFER_TOO_SMALL, and then nothing else is.
 * Answers: as zt_secret_get, and BUFFER_TOO_SMALL.
 * Threads: any, also at once. Blocks: as zt_secret_get. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_secret_handle_read(const zt_secret_handle *handle,
                                uint8_t *buffer,
                                size_t capacity,
                                size_t *length,
                                zt_error **err);

/**
 * Frees it. NULL is allowed. Secrets that came from it stay, and its session is not needed for it.
 *
 * Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
 */
ZT_API void zt_secret_handle_free(zt_secret_handle *handle);

/**
 * How this process is: tables, keys, every slot and vault, memory, audit log; what `zt status --json` prints. Names, ages,
 * counts and last errors, never a value of a secret, a token or a claim. Answers also after zt_runtime_close.
 *
 * `json`: a JSON object; a new text, free it with zt_text_free. docs/src/operations.md has its fields.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_status_json(const zt_runtime *runtime,
                                 zt_text **json,
                                 zt_error **err);

/**
 * What this process counts, for a page that Prometheus scrapes: its text format, version 0.0.4. Names of states, vaults, sinks
 * and tenants, never of a secret. Answers also after zt_runtime_close.
 *
 * `metrics`: a new text; free it with zt_text_free. docs/src/operations.md has every name.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_metrics_text(const zt_runtime *runtime,
                                  zt_text **metrics,
                                  zt_error **err);

/**
 * Wipes what is cached for a row of Secret_References, also what was said of it: the next reader asks the vault. The record
 * is on disk before it is done.
 *
 * Answers: OK, NOT_FOUND when no row is called so, AUDIT_UNAVAILABLE, CLOSED, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_invalidate(const zt_runtime *runtime,
                                const char *reference,
                                zt_error **err);

/**
 * Takes in a delivery of Event Grid about secrets (new version, near expiry, expired): what knows such a secret asks its
 * vault now, once a second at most. An event is a hint and proves nothing: a forged one costs a call.
 *
 * `body`: `length` bytes, the body of the request; NULL when `length` is 0. `delivery`: what became of it, a JSON object:
 * `taken` has a `secret` and a `change` for each event about a secret of the tables, `ignored` counts the others,
 * `validation_code` is a string when a new subscription asks for it as `validationResponse`, else null. A new text, free
 * it with zt_text_free.
 * Answers: OK, INVALID_ARGUMENT (also for what is no delivery), AUDIT_UNAVAILABLE, CLOSED.
 * Threads: any, also at once. Blocks: maybe on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_secret_event(const zt_runtime *runtime,
                                  const uint8_t *body,
                                  size_t length,
                                  zt_text **delivery,
                                  zt_error **err);

/**
 * Fetches secrets before they are read, all at once, and waits at most `timeout_ms`: what a job needs, while it starts.
 * Nothing is handed out, and only what this session may read is fetched. A fetch that is not back in time goes on.
 *
 * `references`: `count` strings, ids of rows; NULL when `count` is 0. `ready`: how many are there now, or NULL. `failed`:
 * a JSON object with a member for each of the others: the reference, and an object with `status`, `code` and `message`; a
 * new text, free it with zt_text_free; or NULL.
 * Answers: OK (also when some failed), TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE, CLOSED, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the vault, at most `timeout_ms`, and on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_session_warm(const zt_session *session,
                          const char *const *references,
                          size_t count,
                          uint64_t timeout_ms,
                          size_t *ready,
                          zt_text **failed,
                          zt_error **err);

/**
 * A sealer for a row of Output_Storage, such as "loan_scores_delta". Its row of Encryption_Rules says which columns are
 * sealed and under which key. The caller needs `data.seal` on the output.
 *
 * `sealer`: new; free it with zt_sealer_free, which wipes the data key.
 * Answers: OK, DENIED, NOT_FOUND, VAULT_UNAVAILABLE, VAULT_INTEGRITY, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
 * INVALID_ARGUMENT (also for an output that is stored plain).
 * Threads: any, also at once. Blocks: on the vault and the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_new(const zt_session *session,
                        const char *output,
                        zt_sealer **sealer,
                        zt_error **err);

/**
 * The batch with its columns sealed, and one column more, `_zt_key`, that holds the wrapped data key: rows may be split,
 * reordered and appended, and still open. Every column of the rule must be there: one that was renamed would stay plain.
 *
 * `sealed`: new; free it with zt_batch_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_seal(const zt_sealer *sealer,
                         const zt_batch *batch,
                         zt_batch **sealed,
                         zt_error **err);

/**
 * Frees it and wipes its data key. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_sealer_free(zt_sealer *sealer);

/**
 * An opener for batches of a row of Output_Storage that are sealed under the data keys of `sealed`. The caller needs
 * `data.open` on the output; that the keys were released stands in the audit log before this answers.
 *
 * `opener`: new; free it with zt_opener_free, which wipes the data keys.
 * Answers: as zt_sealer_new, and SEAL_INTEGRITY when a key was changed or is another.
 * Threads: any, also at once. Blocks: on the vault and the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_opener_new(const zt_session *session,
                        const char *output,
                        const zt_batch *sealed,
                        zt_opener **opener,
                        zt_error **err);

/**
 * The batch with its columns as they were before they were sealed, without `_zt_key`.
 *
 * `plain`: new; free it with zt_batch_free.
 * Answers: OK, SEAL_INTEGRITY for a cell that was changed, moved or cut (the message names row and column, never the
 * value), INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_opener_unseal(const zt_opener *opener,
                           const zt_batch *sealed,
                           zt_batch **plain,
                           zt_error **err);

/**
 * Frees it and wipes its data keys. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_opener_free(zt_opener *opener);

/**
 * The bytes, which may hold NULs and do not end with one. Borrowed from `bytes`; never read when zt_bytes_len is 0. NULL for
 * NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const uint8_t *zt_bytes_data(const zt_bytes *bytes);

/**
 * How many they are; 0 for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD size_t zt_bytes_len(const zt_bytes *bytes);

/**
 * Wipes and frees them. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_bytes_free(zt_bytes *bytes);

/**
 * Seals bytes as a file of the sealer's output. They open under `name` alone. Name and length can be seen in what is sealed.
 *
 * `name`: 1 to 1,024 bytes without control characters. `bytes`: `length` bytes; NULL when `length` is 0. `sealed`: new; free
 * it with zt_bytes_free.
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_seal_bytes(const zt_sealer *sealer,
                               const char *name,
                               const uint8_t *bytes,
                               size_t length,
                               zt_bytes **sealed,
                               zt_error **err);

/**
 * Seals the file at `source` into one at `target`, of any length; about 4 MiB are in memory. It is written beside its place,
 * mode 0600, and moved there when it is whole: after an error nothing is there that was not before.
 *
 * `name`: what the file opens under, as for zt_sealer_seal_bytes; NULL for the name of the file at `source`. `replaces`:
 * whether a file at `target` is replaced. `length`: how many bytes were sealed, or NULL.
 * Answers: OK, NOT_FOUND when there is no file at `source`, INVALID_ARGUMENT (also for what cannot be read or written).
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_seal_file(const zt_sealer *sealer,
                              const char *name,
                              const char *source,
                              const char *target,
                              bool replaces,
                              uint64_t *length,
                              zt_error **err);

/**
 * Seals a stream: what `read` gives goes sealed to `write`. What was written before an error is of no use.
 *
 * `name`: as for zt_sealer_seal_bytes. `length`: how many bytes were sealed, or NULL.
 * Answers: OK, CALLBACK_FAILED, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: as the callbacks do. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_seal_stream(const zt_sealer *sealer,
                                const char *name,
                                zt_read_fn read,
                                void *read_data,
                                zt_write_fn write,
                                void *write_data,
                                uint64_t *length,
                                zt_error **err);

/**
 * An opener for a sealed file of a row of Output_Storage, from its first bytes. The caller needs `data.open` on all of the
 * output: every column and row, clear. That the key was released stands in the audit log before this answers.
 *
 * `header`: the first `length` bytes of the file: ZT_FILE_HEADER_MOST, or all of it when it has fewer; more are passed over.
 * `opener`: new; free it with zt_file_opener_free, which wipes the data key.
 * Answers: OK, DENIED, OBLIGATION_UNMET for a right to some columns or rows, NOT_FOUND, SEAL_INTEGRITY when this is no sealed
 * file, or of another output or key, VAULT_UNAVAILABLE, VAULT_INTEGRITY, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
 * INVALID_ARGUMENT (also for an output that is stored plain).
 * Threads: any, also at once. Blocks: on the vault and the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_new(const zt_session *session,
                             const char *output,
                             const uint8_t *header,
                             size_t length,
                             zt_file_opener **opener,
                             zt_error **err);

/**
 * The same from the file at `source`, of which the header is read.
 *
 * Answers: as zt_file_opener_new; NOT_FOUND also when there is no file at `source`.
 * Threads: any, also at once. Blocks: on the vault and the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_from_file(const zt_session *session,
                                   const char *output,
                                   const char *source,
                                   zt_file_opener **opener,
                                   zt_error **err);

/**
 * The name that the file was sealed as, which it opens under. Nobody has vouched for it before the file is open: do not make
 * a path of it unchecked. Borrowed from `opener`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const char *zt_file_opener_name(const zt_file_opener *opener);

/**
 * The bytes of a sealed file, as they were before they were sealed. Nothing is given out after an error.
 *
 * `name`: what it was sealed as. `sealed`: all `length` bytes of the file; NULL when `length` is 0. `plain`: new; free it
 * with zt_bytes_free, which wipes it.
 * Answers: OK, SEAL_INTEGRITY for a file that was changed, cut or extended, was sealed under another name, or by another
 * sealer; INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_unseal_bytes(const zt_file_opener *opener,
                                      const char *name,
                                      const uint8_t *sealed,
                                      size_t length,
                                      zt_bytes **plain,
                                      zt_error **err);

/**
 * Unseals the file at `source` into one at `target`. It is written beside its place, mode 0600, and moved there when all of
 * it is verified: after an error nothing is there that was not before.
 *
 * `name`: what it was sealed as; NULL for the name of the file at `target`. `replaces`: whether a file at `target` is
 * replaced. `length`: how many bytes the plain file has, or NULL.
 * Answers: as zt_file_opener_unseal_bytes, and NOT_FOUND when there is no file at `source`.
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_unseal_file(const zt_file_opener *opener,
                                     const char *name,
                                     const char *source,
                                     const char *target,
                                     bool replaces,
                                     uint64_t *length,
                                     zt_error **err);

/**
 * Unseals a stream: what `read` gives, from the first byte of the file, goes unsealed to `write`. No byte is written before
 * its segment of 64 KiB is verified; but after an error what was written is not the file, and must be thrown away.
 *
 * `name`: what it was sealed as. `length`: how many bytes were written, or NULL.
 * Answers: as zt_file_opener_unseal_bytes, and CALLBACK_FAILED.
 * Threads: any, also at once. Blocks: as the callbacks do. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_unseal_stream(const zt_file_opener *opener,
                                       const char *name,
                                       zt_read_fn read,
                                       void *read_data,
                                       zt_write_fn write,
                                       void *write_data,
                                       uint64_t *length,
                                       zt_error **err);

/**
 * Frees it and wipes its data key. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_file_opener_free(zt_file_opener *opener);

/**
 * Seals a batch of Arrow: the columns of the rule become text or bytes, and one column more, `_zt_key`, is a dictionary of
 * text. Other columns stay as they are. Every type comes back exactly from zt_opener_unseal_arrow; unions, run-end encoding
 * and list views cannot be sealed.
 *
 * `schema`, `array`: a struct of columns without missing rows. Both are consumed, whatever the answer: they are moved out of
 * their places first, `release` there is NULL afterwards, and zt calls the callbacks that stood there. That of `schema` is
 * called before this returns, and so is that of `array` after an error. After OK the columns that stay as they are share the
 * memory of `array`, all of which then lives until the output is released: its callback may run then, on that thread.
 * What is NULL or released already is not consumed, and answered with INVALID_ARGUMENT.
 * `store`: ZT_STORE_TEXT or ZT_STORE_BYTES. `sealed_schema`, `sealed_array`: places that hold nothing to release, or those
 * of `schema` and `array` again; written on OK only, and released by the program through their own callbacks.
 *
 * Pointers, lengths, numbers of buffers and children, offsets, text and keys of dictionaries are checked and answered with
 * INVALID_ARGUMENT where they do not fit. What cannot be checked: where a pointer leads, how long a buffer really is, and the
 * `metadata`, which has no length. Take no structs from whom you do not trust as much as code in this process.
 *
 * Answers: OK, INVALID_ARGUMENT.
 * Threads: any, also at once, each with structs of its own. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_seal_arrow(const zt_sealer *sealer,
                               struct ArrowSchema *schema,
                               struct ArrowArray *array,
                               int32_t store,
                               struct ArrowSchema *sealed_schema,
                               struct ArrowArray *sealed_array,
                               zt_error **err);

/**
 * An opener for batches of Arrow of a row of Output_Storage that are sealed under the data keys of `array`: as zt_opener_new.
 *
 * `schema`, `array`: sealed columns with `_zt_key`. Both are borrowed and stay the program's: nothing of them is kept, and
 * they can be given to zt_opener_unseal_arrow afterwards. They are checked as there. `opener`: new; free it with
 * zt_opener_free.
 * Answers: as zt_opener_new.
 * Threads: any, also at once; nobody may change or release the structs meanwhile. Blocks: on the vault and the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_arrow_opener_new(const zt_session *session,
                              const char *output,
                              const struct ArrowSchema *schema,
                              const struct ArrowArray *array,
                              zt_opener **opener,
                              zt_error **err);

/**
 * The batch of Arrow with its columns as they were before they were sealed, each of its own type, without `_zt_key`, as far
 * as the decision of the opener shows them. The bytes of the opened columns are zt's until they are released; then they are
 * freed, and not wiped.
 *
 * `schema`, `array`: consumed, as for zt_sealer_seal_arrow. `plain_schema`, `plain_array`: as its outputs.
 * Answers: OK, SEAL_INTEGRITY for a cell that was changed, moved or cut (the message names row and column, never the
 * value), OBLIGATION_UNMET for more rows than the policy shows at once, INVALID_ARGUMENT.
 * Threads: any, also at once, each with structs of its own. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_opener_unseal_arrow(const zt_opener *opener,
                                 struct ArrowSchema *schema,
                                 struct ArrowArray *array,
                                 struct ArrowSchema *plain_schema,
                                 struct ArrowArray *plain_array,
                                 zt_error **err);

/**
 * Computes from these rows the metrics that the model's rows of Alert_Rules ask for, and delivers the alerts that fire.
 * The caller needs `metric.report` on the model.
 *
 * `model`: its name, such as "car_loan_scorer". `evaluation`: the state of each rule, a JSON object; a new text, free it
 * with zt_text_free. docs/src/monitoring.md has its fields.
 * Answers: OK (also when alerts fire), DENIED, NOT_FOUND, ALERTS_UNAVAILABLE (the alert stands in the audit log),
 * TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE, INVALID_ARGUMENT, INVALID_METADATA (reference data that cannot be used).
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_log_batch(const zt_session *session,
                       const char *model,
                       const zt_batch *batch,
                       zt_text **evaluation,
                       zt_error **err);

/**
 * The newest `count` records of the audit log, oldest first: a JSON array of objects.
 *
 * The caller of `session` needs `audit.read` on `audit:log`. Everything recorded before the call is on disk and in the
 * answer.
 *
 * `records`: a new text; free it with zt_text_free.
 * Answers: OK, DENIED, AUDIT_INTEGRITY, AUDIT_UNAVAILABLE, TOKEN_EXPIRED, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_audit_tail(const zt_session *session, size_t count, zt_text **records, zt_error **err);

/**
 * The same for who runs the process: nobody is asked for a right, so it must not answer a remote caller. Near misses are left
 * out.
 *
 * `records`: a new text; free it with zt_text_free.
 * Answers: OK, AUDIT_UNAVAILABLE, CLOSED, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_audit_tail(const zt_runtime *runtime,
                                size_t count,
                                zt_text **records,
                                zt_error **err);

/**
 * Whether every log of an audit folder is what was written and signed. Needs no runtime and no right but to read the files,
 * changes nothing, and may run while the log is being written.
 *
 * `folder`: a path, such as ".zt/audit". `key`: an audit key to trust, PEM, as `zt audit key` prints it; then every log that has
 * ended must be signed under it. NULL holds the folder against itself alone. `is_intact`: whether there is no finding; may
 * be NULL. `report`: a JSON object, as `zt audit verify --json` prints it: `intact`, `writers`, `segments`, `records`,
 * `unsigned`, `heads`, `recoveries`, `notes`, and `findings`, each with `file`, `line`, `seq`, `byte_offset`, `what` and
 * `message`; docs/src/audit-log.md has the kinds. A new text; free it with zt_text_free.
 * Answers: OK (also when it is not intact), AUDIT_UNAVAILABLE when the folder or a file cannot be read, INVALID_ARGUMENT.
 * Threads: any, also at once. Blocks: on the disk, for all of the log. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_audit_verify(const char *folder,
                          const char *key,
                          bool *is_intact,
                          zt_text **report,
                          zt_error **err);

/**
 * Waits until the operation has ended, and answers as the function without `_async` would have: the result can be taken
 * then. Asking again gives the same answer. Its callback may still be about to run.
 *
 * `timeout_ms`: how long to wait; 0 only looks.
 * Answers: OK, PENDING when it has not ended in time, CANCELLED for one that was cancelled, is past its deadline or belongs to
 * the process that this one was forked from, and what its own function answers; INVALID_ARGUMENT, also where a zt_log_fn would
 * wait.
 * Threads: any, also at once. Blocks: at most `timeout_ms`. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_operation_wait(const zt_operation *operation,
                            uint64_t timeout_ms,
                            zt_error **err);

/**
 * Whether it has ended, by whatever; true for NULL, and in a forked child for an operation of its parent.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD bool zt_operation_is_done(const zt_operation *operation);

/**
 * Gives it up. What has not ended answers CANCELLED from now on, and its callback runs; what has ended stays as it is. What it
 * asked for may be done and recorded all the same. A close is not given up: this does nothing to it. NULL is allowed.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
void zt_operation_cancel(const zt_operation *operation);

/**
 * Frees the handle. The operation goes on, its callback runs, and a result that nobody took is freed. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
 */
ZT_API void zt_operation_free(zt_operation *operation);

/**
 * The runtime that zt_open_async made. It is taken once.
 *
 * `runtime`: a new handle; end it with zt_runtime_close, then zt_runtime_free.
 * Answers: OK, PENDING when the operation has not ended, the failure of the operation, INVALID_ARGUMENT (also for a result of
 * another kind, and one that was taken already).
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_operation_runtime(const zt_operation *operation,
                               zt_runtime **runtime,
                               zt_error **err);

/**
 * The session that zt_authenticate_async or zt_runtime_workload_async made. It is taken once.
 *
 * `session`: new; free it with zt_session_free.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_operation_session(const zt_operation *operation, zt_session **session, zt_error **err);

/**
 * The secret that zt_secret_get_async made. It is taken once.
 *
 * `secret`: new; free it with zt_secret_free as soon as the value is used.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_operation_secret(const zt_operation *operation, zt_secret **secret, zt_error **err);

/**
 * The sealer that zt_sealer_new_async made. It is taken once.
 *
 * `sealer`: new; free it with zt_sealer_free.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_operation_sealer(const zt_operation *operation, zt_sealer **sealer, zt_error **err);

/**
 * The opener that zt_opener_new_async made. It is taken once.
 *
 * `opener`: new; free it with zt_opener_free.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_operation_opener(const zt_operation *operation, zt_opener **opener, zt_error **err);

/**
 * The opener that zt_file_opener_new_async made. It is taken once.
 *
 * `file_opener`: new; free it with zt_file_opener_free.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_operation_file_opener(const zt_operation *operation,
                                   zt_file_opener **file_opener,
                                   zt_error **err);

/**
 * The text that zt_log_batch_async made. It is taken once.
 *
 * `text`: new; free it with zt_text_free.
 * Answers: as zt_operation_runtime.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_operation_text(const zt_operation *operation, zt_text **text, zt_error **err);

/**
 * zt_open_with as an operation, which zt_operation_runtime takes the result of.
 *
 * `deadline_ms`: after so long it gives up and ends with CANCELLED; 0 for never. What the disk or the processor is busy with then
 * is done all the same, for nobody. `done`: told of the end; NULL where zt_operation_wait is enough. `user_data`: given to it.
 * `operation`: a new handle; free it with zt_operation_free, at any time. NULL where `done` is not.
 * Answers: OK when it was started, INVALID_ARGUMENT, CONFIG for a setting that does not exist; the operation answers as
 * zt_open_with.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_open_async(const char *folder,
                        const zt_open_options *options,
                        uint64_t deadline_ms,
                        zt_done_fn done,
                        void *user_data,
                        zt_operation **operation,
                        zt_error **err);

/**
 * zt_open_with_credential as an operation, which zt_operation_runtime takes the result of.
 *
 * `get_token`, `user_data`, `release`: as for zt_open_with_credential; `release` is told once in any case: when this answers
 * anything but OK, when the operation fails or is given up, and else at the end of the runtime's last handle. `done_data`: given
 * to `done`. The others are as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT, CONFIG for a setting that does not exist; the operation answers as
 * zt_open_with_credential.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_open_with_credential_async(const char *folder,
                                        const zt_open_options *options,
                                        zt_token_fn get_token,
                                        void *user_data,
                                        zt_release_fn release,
                                        uint64_t deadline_ms,
                                        zt_done_fn done,
                                        void *done_data,
                                        zt_operation **operation,
                                        zt_error **err);

/**
 * zt_reload as an operation, without a result.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_reload.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_reload_async(const zt_runtime *runtime,
                          uint64_t deadline_ms,
                          zt_done_fn done,
                          void *user_data,
                          zt_operation **operation,
                          zt_error **err);

/**
 * zt_runtime_close as an operation, without a result. A close that has begun goes on to its end, so that this operation tells
 * whether the log was written: it has no deadline but `timeout_ms`, and zt_operation_cancel does nothing to it.
 *
 * `timeout_ms`: how long to wait for the disk. The others are as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_runtime_close.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_close_async(const zt_runtime *runtime,
                                 uint64_t timeout_ms,
                                 zt_done_fn done,
                                 void *user_data,
                                 zt_operation **operation,
                                 zt_error **err);

/**
 * zt_authenticate as an operation, which zt_operation_session takes the result of. The token is copied, and wiped at the end.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_authenticate.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_authenticate_async(const zt_runtime *runtime,
                                const char *token,
                                uint64_t deadline_ms,
                                zt_done_fn done,
                                void *user_data,
                                zt_operation **operation,
                                zt_error **err);

/**
 * zt_runtime_workload as an operation, which zt_operation_session takes the result of.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_runtime_workload.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_runtime_workload_async(const zt_runtime *runtime,
                                    uint64_t deadline_ms,
                                    zt_done_fn done,
                                    void *user_data,
                                    zt_operation **operation,
                                    zt_error **err);

/**
 * zt_secret_get as an operation, which zt_operation_secret takes the result of. A value in the cache comes sooner from
 * zt_secret_get itself, which waits for a miss alone.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_secret_get.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_secret_get_async(const zt_session *session,
                              const char *reference,
                              uint64_t deadline_ms,
                              zt_done_fn done,
                              void *user_data,
                              zt_operation **operation,
                              zt_error **err);

/**
 * zt_sealer_new as an operation, which zt_operation_sealer takes the result of.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_sealer_new.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_sealer_new_async(const zt_session *session,
                              const char *output,
                              uint64_t deadline_ms,
                              zt_done_fn done,
                              void *user_data,
                              zt_operation **operation,
                              zt_error **err);

/**
 * zt_opener_new as an operation, which zt_operation_opener takes the result of. `sealed` is not needed any more when this
 * returns.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_opener_new.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_opener_new_async(const zt_session *session,
                              const char *output,
                              const zt_batch *sealed,
                              uint64_t deadline_ms,
                              zt_done_fn done,
                              void *user_data,
                              zt_operation **operation,
                              zt_error **err);

/**
 * zt_file_opener_new as an operation, which zt_operation_file_opener takes the result of.
 *
 * `header`, `length`: read during the call only. The others are as for zt_open_async.
 * Answers: OK when it was started, SEAL_INTEGRITY, INVALID_ARGUMENT; the operation answers as zt_file_opener_new.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_file_opener_new_async(const zt_session *session,
                                   const char *output,
                                   const uint8_t *header,
                                   size_t length,
                                   uint64_t deadline_ms,
                                   zt_done_fn done,
                                   void *user_data,
                                   zt_operation **operation,
                                   zt_error **err);

/**
 * zt_log_batch as an operation, which zt_operation_text takes the result of. `batch` is not needed any more when this
 * returns.
 *
 * `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
 * Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_log_batch.
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_log_batch_async(const zt_session *session,
                             const char *model,
                             const zt_batch *batch,
                             uint64_t deadline_ms,
                             zt_done_fn done,
                             void *user_data,
                             zt_operation **operation,
                             zt_error **err);

/**
 * Hands events up to `level` to the program. It replaces the callback that was there, which runs no more when this has
 * returned: then its `user_data` may be freed.
 *
 * `level`: ZT_LOG_OFF to ZT_LOG_TRACE. `log`: NULL for no events. `user_data`: given to each call.
 * Answers: OK, INVALID_ARGUMENT (also inside of the callback, and when a Rust program that links this library has a
 * subscriber of its own, which has the events already).
 * Threads: any. Blocks: on callbacks that are running. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_log_to(int32_t level, zt_log_fn log, void *user_data, zt_error **err);

/**
 * Ends the events of the callback that has this `user_data`, which runs no more when this has returned. Where one with another
 * `user_data` has replaced it, nothing is done: whoever cleans up late never silences whoever came after it. Two callbacks
 * that both have NULL are not told apart.
 *
 * Answers: OK, INVALID_ARGUMENT inside of the callback.
 * Threads: any. Blocks: on callbacks that are running. @since 1
 */
ZT_API
ZT_NODISCARD
zt_status zt_log_off(const void *user_data,
                     zt_error **err);

/**
 * Its characters, UTF-8, with a NUL at the end. Borrowed from `text`; "" for NULL.
 *
 * Threads: any. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_text_data(const zt_text *text);

/**
 * Its length in bytes, without the NUL; 0 for NULL.
 *
 * Threads: any. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD size_t zt_text_len(const zt_text *text);

/**
 * Frees it. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_text_free(zt_text *text);

/**
 * The status that the function answered with; 0 for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD zt_status zt_error_status(const zt_error *error);

/**
 * The status as people write it: "ZT-1001". Borrowed from `error`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_code(const zt_error *error);

/**
 * What happened and where: for the log of this process, not for a remote caller. Borrowed from `error`; "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_message(const zt_error *error);

/**
 * What to do about it, or NULL when zt does not know. Borrowed from `error`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_help(const zt_error *error);

/**
 * What lies below, such as the operating system's own words, or NULL. Borrowed from `error`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_cause(const zt_error *error);

/**
 * Every problem of the metadata tables, one a line, behind an INVALID_METADATA; else NULL. Borrowed from `error`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_report(const zt_error *error);

/**
 * The one text that a remote caller may see: it helps to act and tells an attacker nothing. Borrowed from `error`;
 * "" for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD const char *zt_error_public_message(const zt_error *error);

/**
 * The HTTP status that a service should answer its remote caller with; 500 for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD int32_t zt_error_http_status(const zt_error *error);

/**
 * The header `WWW-Authenticate` of that answer, or NULL where its status needs none. It says to the caller's client what is
 * missing. Borrowed from `error`.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API
ZT_NODISCARD
const char *zt_error_challenge(const zt_error *error);

/**
 * The header `Retry-After` of that answer, in whole seconds, or -1 when it is not known when to try again.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD int64_t zt_error_retry_after_s(const zt_error *error);

/**
 * In how many milliseconds to try again, or -1 when that is not known.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD int64_t zt_error_retry_ms(const zt_error *error);

/**
 * Whether the same call may succeed later without any change; false for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD bool zt_error_is_transient(const zt_error *error);

/**
 * Whether the policy said no; false for NULL.
 *
 * Threads: any, also at once. Blocks: never. @since 1
 */
ZT_API ZT_NODISCARD bool zt_error_is_denied(const zt_error *error);

/**
 * Frees it. NULL is allowed.
 *
 * Threads: any, once, after the last use. Blocks: never. @since 1
 */
ZT_API void zt_error_free(zt_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ZT_H */
