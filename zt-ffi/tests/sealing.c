/*
 * Sealed files from C: in memory, on the disk, as streams; and the audit log as a service reads it. Needs POSIX.
 *
 * argv: the world's folder, an empty folder. The environment has ZT_SCORE, ZT_INES, ZT_MAYA. The audit log is spoilt at the
 * end.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "checks.h"

#define OUTPUT "loan_scores_delta"
#define SIZE 140001 /* two segments and a part */

static unsigned char plain[SIZE];
static const char *scratch;

static const char *at(const char *name) {
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static void put(const char *name, const unsigned char *bytes, size_t length) {
    FILE *file = fopen(at(name), "wb");
    CHECK(file != NULL && fwrite(bytes, 1, length, file) == length);
    if (file != NULL) {
        fclose(file);
    }
}

/* Whether the file holds the plain bytes. */
static int holds_plain(const char *name) {
    static unsigned char found[SIZE + 1];
    FILE *file = fopen(at(name), "rb");
    size_t length = 0;
    if (file == NULL) {
        return 0;
    }
    length = fread(found, 1, sizeof found, file);
    fclose(file);
    return length == SIZE && memcmp(found, plain, SIZE) == 0;
}

static int is_there(const char *name) {
    struct stat status;
    return lstat(at(name), &status) == 0;
}

static int files(void) {
    int count = 0;
    DIR *folder = opendir(scratch);
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count - 2;
}

static size_t shorter(size_t a, size_t b) {
    return a < b ? a : b;
}

static zt_bytes *sealed_by(const zt_sealer *sealer, const char *name) {
    zt_bytes *sealed = NULL;
    CHECK(zt_sealer_seal_bytes(sealer, name, plain, SIZE, &sealed, NULL) == ZT_STATUS_OK);
    return sealed;
}

static zt_file_opener *opener_of(const zt_session *session, const zt_bytes *sealed) {
    zt_file_opener *opener = NULL;
    size_t length = shorter(zt_bytes_len(sealed), ZT_FILE_HEADER_MOST);
    CHECK(zt_file_opener_new(session, OUTPUT, zt_bytes_data(sealed), length, &opener, NULL) == ZT_STATUS_OK);
    return opener;
}

static void in_memory(const zt_sealer *sealer, const zt_session *ines) {
    zt_error *err = NULL;
    zt_bytes *sealed = sealed_by(sealer, "report.bin");
    zt_bytes *nothing = NULL;
    zt_bytes *opened = NULL;
    zt_file_opener *opener = opener_of(ines, sealed);
    size_t length = zt_bytes_len(sealed);
    unsigned char *damaged = malloc(length + 1);
    CHECK(length > SIZE && memcmp(zt_bytes_data(sealed), "zt1file\n", 8) == 0);
    CHECK(same(zt_file_opener_name(opener), "report.bin"));
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", zt_bytes_data(sealed), length, &opened, &err) == ZT_STATUS_OK);
    CHECK(zt_bytes_len(opened) == SIZE && memcmp(zt_bytes_data(opened), plain, SIZE) == 0);
    zt_bytes_free(opened);
    opened = NULL;

    CHECK(zt_file_opener_unseal_bytes(opener, "other.bin", zt_bytes_data(sealed), length, &opened, &err) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "`report.bin`"));
    memcpy(damaged, zt_bytes_data(sealed), length);
    damaged[length - 1] ^= 1;
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, length, &opened, &err) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "last segment of the file, 3"));
    damaged[length - 1] ^= 1;
    damaged[length] = 0;
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, length + 1, &opened, NULL) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, length - 70000, &opened, NULL) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, 7, &opened, NULL) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", NULL, 0, &opened, NULL) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", NULL, 7, &opened, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, SIZE_MAX, &opened, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_bytes(opener, NULL, damaged, length, &opened, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_bytes(NULL, "report.bin", damaged, length, &opened, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", damaged, length, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(opened == NULL);
    free(damaged);

    /* Nothing is a file too, with a name of its own. */
    CHECK(zt_sealer_seal_bytes(sealer, "empty", NULL, 0, &nothing, &err) == ZT_STATUS_OK);
    CHECK(zt_file_opener_unseal_bytes(opener, "empty", zt_bytes_data(nothing), zt_bytes_len(nothing), &opened, &err) ==
          ZT_STATUS_OK);
    CHECK(opened != NULL && zt_bytes_len(opened) == 0);
    zt_bytes_free(opened);
    zt_bytes_free(nothing);
    nothing = NULL;
    CHECK(zt_sealer_seal_bytes(sealer, "", plain, 1, &nothing, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "1 to 1024 bytes"));
    CHECK(zt_sealer_seal_bytes(sealer, NULL, plain, 1, &nothing, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_bytes(sealer, "x", NULL, 1, &nothing, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_bytes(sealer, "x", plain, SIZE_MAX, &nothing, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`bytes`"));
    CHECK(zt_sealer_seal_bytes(sealer, "x", plain, 1, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_bytes(NULL, "x", plain, 1, &nothing, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(nothing == NULL);
    zt_file_opener_free(opener);
    zt_bytes_free(sealed);
}

static void openers(const zt_session *job, const zt_session *ines, const zt_session *maya, const zt_sealer *sealer) {
    zt_error *err = NULL;
    zt_sealer *other = NULL;
    zt_bytes *sealed = sealed_by(sealer, "report.bin");
    zt_bytes *foreign;
    zt_bytes *opened = NULL;
    zt_file_opener *opener = opener_of(ines, sealed);
    zt_file_opener *none = NULL;
    const unsigned char *header = zt_bytes_data(sealed);
    size_t length = zt_bytes_len(sealed);
    CHECK(zt_sealer_new(job, OUTPUT, &other, NULL) == ZT_STATUS_OK);
    foreign = sealed_by(other, "report.bin");
    CHECK(zt_file_opener_unseal_bytes(opener, "report.bin", zt_bytes_data(foreign), zt_bytes_len(foreign), &opened, &err) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "opener") && opened == NULL);

    CHECK(zt_file_opener_new(maya, OUTPUT, header, length, &none, &err) == ZT_STATUS_DENIED);
    CHECK(says(&err, ZT_STATUS_DENIED, ""));
    CHECK(zt_file_opener_new(job, OUTPUT, header, length, &none, NULL) == ZT_STATUS_DENIED); /* the writer need not read */
    CHECK(zt_file_opener_new(ines, OUTPUT, plain, SIZE, &none, &err) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "not a sealed file"));
    CHECK(zt_file_opener_new(ines, OUTPUT, header, 40, &none, NULL) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_new(ines, OUTPUT, NULL, 0, &none, NULL) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(zt_file_opener_new(ines, OUTPUT, NULL, 8, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_new(ines, OUTPUT, header, SIZE_MAX, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_new(ines, NULL, header, length, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_new(NULL, OUTPUT, header, length, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_new(ines, OUTPUT, header, length, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_new(ines, "no_such_output", header, length, &none, NULL) == ZT_STATUS_DENIED);
    CHECK(zt_file_opener_from_file(ines, OUTPUT, at("nowhere"), &none, &err) == ZT_STATUS_NOT_FOUND);
    CHECK(says(&err, ZT_STATUS_NOT_FOUND, "nowhere"));
    CHECK(zt_file_opener_from_file(ines, OUTPUT, NULL, &none, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(none == NULL);
    zt_file_opener_free(opener);
    zt_bytes_free(foreign);
    zt_bytes_free(sealed);
    zt_sealer_free(other);
}

static void on_the_disk(const zt_sealer *sealer, const zt_session *ines) {
    zt_error *err = NULL;
    zt_file_opener *opener = NULL;
    struct stat status;
    uint64_t length = 7;
    FILE *file;
    int count;
    put("model.bin", plain, SIZE);
    CHECK(zt_sealer_seal_file(sealer, NULL, at("model.bin"), at("model.zt"), false, &length, &err) == ZT_STATUS_OK);
    CHECK(length == SIZE && files() == 2);
    CHECK(stat(at("model.zt"), &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size > SIZE);
    CHECK(zt_sealer_seal_file(sealer, NULL, at("model.bin"), at("model.zt"), false, NULL, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "exists already"));
    CHECK(zt_sealer_seal_file(sealer, NULL, at("model.bin"), at("model.zt"), true, NULL, &err) == ZT_STATUS_OK);
    length = 7;
    CHECK(zt_sealer_seal_file(sealer, NULL, at("nowhere"), at("new.zt"), false, &length, &err) == ZT_STATUS_NOT_FOUND);
    CHECK(says(&err, ZT_STATUS_NOT_FOUND, "nowhere"));
    CHECK(zt_sealer_seal_file(sealer, NULL, scratch, at("new.zt"), false, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_file(sealer, NULL, at("model.bin"), at("no/folder"), false, &length, NULL) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_file(sealer, "", at("model.bin"), at("new.zt"), false, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_file(sealer, NULL, NULL, at("new.zt"), false, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_file(sealer, NULL, at("model.bin"), NULL, false, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_sealer_seal_file(NULL, NULL, at("model.bin"), at("new.zt"), false, &length, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(length == 7 && files() == 2);

    CHECK(zt_file_opener_from_file(ines, OUTPUT, at("model.zt"), &opener, &err) == ZT_STATUS_OK);
    CHECK(same(zt_file_opener_name(opener), "model.bin"));
    CHECK(zt_file_opener_unseal_file(opener, "model.bin", at("model.zt"), at("opened"), false, &length, &err) == ZT_STATUS_OK);
    CHECK(length == SIZE && holds_plain("opened"));
    CHECK(stat(at("opened"), &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(zt_file_opener_unseal_file(opener, NULL, at("model.zt"), at("other.bin"), false, NULL, &err) ==
          ZT_STATUS_SEAL_INTEGRITY); /* another name */
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "`other.bin`") && !is_there("other.bin"));
    CHECK(zt_file_opener_unseal_file(opener, NULL, at("model.zt"), at("model.bin"), false, NULL, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "exists already"));
    CHECK(zt_file_opener_unseal_file(opener, NULL, at("model.zt"), at("model.bin"), true, NULL, &err) == ZT_STATUS_OK);

    /* The last segment is changed: the first ones are good, and yet nothing is there, and what was there stays. */
    file = fopen(at("model.zt"), "r+b");
    CHECK(file != NULL && fseek(file, -1, SEEK_END) == 0 && fputc('x', file) != EOF && fclose(file) == 0);
    count = files();
    CHECK(zt_file_opener_unseal_file(opener, "model.bin", at("model.zt"), at("half"), false, &length, &err) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "segment") && !is_there("half"));
    CHECK(zt_file_opener_unseal_file(opener, "model.bin", at("model.zt"), at("opened"), true, NULL, NULL) ==
          ZT_STATUS_SEAL_INTEGRITY);
    CHECK(holds_plain("opened") && files() == count);
    CHECK(zt_file_opener_unseal_file(opener, NULL, at("nowhere"), at("half"), false, NULL, NULL) == ZT_STATUS_NOT_FOUND);
    CHECK(zt_file_opener_unseal_file(opener, NULL, NULL, at("half"), false, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_file(opener, NULL, at("model.zt"), NULL, false, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_file_opener_unseal_file(NULL, NULL, at("model.zt"), at("half"), false, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(files() == count);
    zt_file_opener_free(opener);
}

/* A stream in memory, in parts of `part` bytes; it gives up at `limit` with `answer`. */
struct stream {
    unsigned char *bytes;
    size_t length;
    size_t at;
    size_t part;
    size_t limit;
    int64_t answer;
    int calls_after_end;
    int is_over;
};

static int64_t reads(void *user_data, uint8_t *buffer, size_t capacity) {
    struct stream *stream = user_data;
    size_t count = shorter(shorter(stream->part, capacity), stream->length - stream->at);
    stream->calls_after_end += stream->is_over;
    if (stream->at >= stream->limit) {
        stream->is_over = 1;
        return stream->answer;
    }
    memcpy(buffer, stream->bytes + stream->at, count);
    stream->at += count;
    stream->is_over = count == 0;
    return (int64_t)count;
}

static int64_t writes(void *user_data, const uint8_t *bytes, size_t length) {
    struct stream *stream = user_data;
    stream->calls_after_end += stream->is_over;
    if (stream->at >= stream->limit || length > stream->length - stream->at) {
        stream->is_over = 1;
        return stream->answer;
    }
    memcpy(stream->bytes + stream->at, bytes, length);
    stream->at += length;
    return 0;
}

static struct stream stream_of(unsigned char *bytes, size_t length, size_t part) {
    struct stream stream = {NULL, 0, 0, 0, SIZE_MAX, -28, 0, 0};
    stream.bytes = bytes;
    stream.length = length;
    stream.part = part;
    return stream;
}

static void as_streams(const zt_sealer *sealer, const zt_session *ines) {
    static unsigned char sealed[SIZE + 8192];
    static unsigned char opened[SIZE];
    const size_t parts[] = {4001, SIZE_MAX};
    zt_error *err = NULL;
    zt_file_opener *opener = NULL;
    uint64_t length;
    size_t i;
    for (i = 0; i < 2; i++) {
        struct stream from = stream_of(plain, SIZE, parts[i]);
        struct stream to = stream_of(sealed, sizeof sealed, 0);
        struct stream back;
        struct stream out = stream_of(opened, sizeof opened, 0);
        length = 0;
        CHECK(zt_sealer_seal_stream(sealer, "stream", reads, &from, writes, &to, &length, &err) == ZT_STATUS_OK);
        CHECK(length == SIZE && to.at > SIZE && from.calls_after_end == 0);
        CHECK(zt_file_opener_new(ines, OUTPUT, sealed, to.at, &opener, &err) == ZT_STATUS_OK);
        back = stream_of(sealed, to.at, parts[i]);
        CHECK(zt_file_opener_unseal_stream(opener, "stream", reads, &back, writes, &out, &length, &err) == ZT_STATUS_OK);
        CHECK(length == SIZE && out.at == SIZE && memcmp(opened, plain, SIZE) == 0 && back.calls_after_end == 0);
        /* The reader gives up in the middle, or lies; the writer has no room. */
        back = stream_of(sealed, to.at, parts[i]);
        back.limit = 1;
        out = stream_of(opened, sizeof opened, 0);
        length = 7;
        if (parts[i] != SIZE_MAX) {
            CHECK(zt_file_opener_unseal_stream(opener, "stream", reads, &back, writes, &out, &length, &err) ==
                  ZT_STATUS_CALLBACK_FAILED);
            CHECK(says(&err, ZT_STATUS_CALLBACK_FAILED, "`read` gave up: it answered -28"));
        }
        back = stream_of(sealed, to.at, parts[i]);
        back.limit = 0;
        back.answer = INT64_MAX;
        CHECK(zt_file_opener_unseal_stream(opener, "stream", reads, &back, writes, &out, &length, NULL) ==
              ZT_STATUS_CALLBACK_FAILED);
        back = stream_of(sealed, to.at, parts[i]);
        out = stream_of(opened, 65536, 0);
        out.answer = 5;
        CHECK(zt_file_opener_unseal_stream(opener, "stream", reads, &back, writes, &out, &length, &err) ==
              ZT_STATUS_CALLBACK_FAILED);
        CHECK(says(&err, ZT_STATUS_CALLBACK_FAILED, "`write` gave up: it answered 5"));
        CHECK(length == 7 && out.calls_after_end == 0);
        /* A stream that ends too early is cut, not failed. */
        back = stream_of(sealed, to.at - 9, parts[i]);
        out = stream_of(opened, sizeof opened, 0);
        CHECK(zt_file_opener_unseal_stream(opener, "stream", reads, &back, writes, &out, NULL, NULL) ==
              ZT_STATUS_SEAL_INTEGRITY);
        from = stream_of(plain, SIZE, parts[i]);
        to = stream_of(sealed, 100, 0);
        CHECK(zt_sealer_seal_stream(sealer, "stream", reads, &from, writes, &to, &length, NULL) == ZT_STATUS_CALLBACK_FAILED);
        CHECK(zt_sealer_seal_stream(sealer, "stream", NULL, &from, writes, &to, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
        CHECK(zt_sealer_seal_stream(sealer, "stream", reads, &from, NULL, &to, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
        CHECK(zt_sealer_seal_stream(sealer, NULL, reads, &from, writes, &to, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
        CHECK(zt_sealer_seal_stream(NULL, "stream", reads, &from, writes, &to, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
        CHECK(zt_file_opener_unseal_stream(opener, "stream", NULL, &back, writes, &out, NULL, NULL) ==
              ZT_STATUS_INVALID_ARGUMENT);
        CHECK(zt_file_opener_unseal_stream(NULL, "stream", reads, &back, writes, &out, NULL, NULL) ==
              ZT_STATUS_INVALID_ARGUMENT);
        zt_file_opener_free(opener);
        opener = NULL;
    }
}

/* Some audit key; it signed nothing here. */
static const char foreign_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
                                  "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
                                  "-----END PUBLIC KEY-----\n";

static void reading_the_log(const zt_runtime *zt, const char *audit) {
    zt_error *err = NULL;
    zt_text *text = NULL;
    bool is_intact = false;
    CHECK(zt_runtime_audit_tail(zt, 1000, &text, &err) == ZT_STATUS_OK);
    CHECK(zt_text_data(text)[0] == '[' && has(zt_text_data(text), "data.seal") && has(zt_text_data(text), "data.open"));
    CHECK(has(zt_text_data(text), "user:maya") && !has(zt_text_data(text), "near_misses\":[\""));
    zt_text_free(text);
    text = NULL;
    CHECK(zt_runtime_audit_tail(zt, 0, &text, NULL) == ZT_STATUS_OK && same(zt_text_data(text), "[]"));
    zt_text_free(text);
    text = NULL;
    CHECK(zt_runtime_audit_tail(NULL, 1, &text, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_runtime_audit_tail(zt, 1, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);

    CHECK(zt_audit_verify(audit, NULL, &is_intact, &text, &err) == ZT_STATUS_OK);
    CHECK(is_intact && has(zt_text_data(text), "\"intact\":true") && has(zt_text_data(text), "\"findings\":[]"));
    CHECK(has(zt_text_data(text), "\"is_alive\":true"));
    zt_text_free(text);
    text = NULL;
    CHECK(zt_audit_verify(audit, "no key", NULL, &text, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "PEM"));
    CHECK(zt_audit_verify(at("nowhere"), NULL, NULL, &text, &err) == ZT_STATUS_AUDIT_UNAVAILABLE);
    CHECK(says(&err, ZT_STATUS_AUDIT_UNAVAILABLE, "nowhere"));
    CHECK(zt_audit_verify(NULL, NULL, NULL, &text, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_audit_verify(audit, NULL, NULL, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(text == NULL);
}

/* One byte of one record. */
static void spoil(const char *audit) {
    char path[2048] = "";
    struct dirent *entry;
    DIR *folder = opendir(audit);
    FILE *file;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (has(entry->d_name, ".jsonl")) {
            snprintf(path, sizeof path, "%s/%s", audit, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    file = fopen(path, "r+b");
    CHECK(file != NULL && fseek(file, -300, SEEK_END) == 0 && fputc('\n', file) != EOF && fclose(file) == 0);
}

static void after_the_end(const zt_runtime *zt, const char *audit) {
    zt_error *err = NULL;
    zt_text *text = NULL;
    bool is_intact = false;
    CHECK(zt_runtime_audit_tail(zt, 1, &text, &err) == ZT_STATUS_CLOSED);
    CHECK(says(&err, ZT_STATUS_CLOSED, "") && text == NULL);
    CHECK(zt_audit_verify(audit, NULL, &is_intact, &text, &err) == ZT_STATUS_OK && is_intact);
    zt_text_free(text);
    CHECK(zt_audit_verify(audit, foreign_key, &is_intact, &text, &err) == ZT_STATUS_OK && !is_intact);
    CHECK(has(zt_text_data(text), "\"findings\":[{"));
    zt_text_free(text);
    spoil(audit);
    CHECK(zt_audit_verify(audit, NULL, NULL, &text, &err) == ZT_STATUS_OK);
    CHECK(has(zt_text_data(text), "\"intact\":false") && has(zt_text_data(text), "\"what\":\"changed\""));
    zt_text_free(text);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *job;
    zt_session *ines;
    zt_session *maya;
    zt_sealer *sealer = NULL;
    char audit[1024];
    size_t i;
    if (argc != 3) {
        return 2;
    }
    scratch = argv[2];
    snprintf(audit, sizeof audit, "%s/.zt/audit", argv[1]);
    for (i = 0; i < SIZE; i++) {
        plain[i] = (unsigned char)(i * 31 + i / 251);
    }
    zt_bytes_free(NULL);
    zt_file_opener_free(NULL);
    CHECK(zt_bytes_data(NULL) == NULL && zt_bytes_len(NULL) == 0 && same(zt_file_opener_name(NULL), ""));
    CHECK(zt_open(argv[1], &zt, NULL) == ZT_STATUS_OK);
    job = the_job(zt);
    ines = sign_in(zt, "ZT_INES");
    maya = sign_in(zt, "ZT_MAYA");
    CHECK(zt_sealer_new(job, OUTPUT, &sealer, NULL) == ZT_STATUS_OK);
    in_memory(sealer, ines);
    openers(job, ines, maya, sealer);
    on_the_disk(sealer, ines);
    as_streams(sealer, ines);
    reading_the_log(zt, audit);
    zt_session_free(job);
    zt_session_free(ines);
    zt_session_free(maya);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    after_the_end(zt, audit);
    zt_runtime_free(zt);
    zt_sealer_free(sealer);
    return told();
}
