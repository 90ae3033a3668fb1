/*
 * Where the value of a secret lies in this process: once while it is held, nowhere when all is closed. Needs Linux.
 *
 * argv: the world's folder. The environment has ZT_SCORE. The value that is looked for stands here under a mask alone and is
 * compared byte by byte, so that this program makes no copy of its own. Prints how often it was found at each step.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zt.h>

#define MASK 0x5a
#define SPANS 4096

/* zt-needle-bureau-3f0c, each byte with MASK. */
static const volatile unsigned char MASKED[] = {0x20, 0x2e, 0x77, 0x34, 0x3f, 0x3f, 0x3e, 0x36, 0x3f, 0x77, 0x38,
                                                0x2f, 0x28, 0x3f, 0x3b, 0x2f, 0x77, 0x69, 0x3c, 0x6a, 0x39};

struct span {
    uintptr_t start;
    uintptr_t end;
    char name[64];
};

static struct span spans[SPANS];

static int stands_at(const volatile unsigned char *bytes) {
    size_t at;
    for (at = 0; at < sizeof MASKED; at++) {
        if ((bytes[at] ^ MASK) != MASKED[at]) {
            return 0;
        }
    }
    return 1;
}

/* Every span that may be read, as the kernel lists them; what the kernel itself puts in is left out. */
static size_t readable(void) {
    char line[512];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL) {
        return 0;
    }
    while (found < SPANS && fgets(line, sizeof line, maps) != NULL) {
        struct span *span = &spans[found];
        char rights[8] = "";
        span->name[0] = '\0';
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %*s %63s", &span->start, &span->end, rights, span->name) >= 3 &&
            rights[0] == 'r' && strncmp(span->name, "[v", 2) != 0) {
            found++;
        }
    }
    fclose(maps);
    return found;
}

static int copies(const char *when) {
    size_t count = readable();
    size_t at;
    int found = 0;
    for (at = 0; at < count; at++) {
        uintptr_t here;
        const uintptr_t end = spans[at].end - sizeof MASKED;
        for (here = spans[at].start; here <= end; here++) {
            const volatile unsigned char *bytes = (const volatile unsigned char *)here;
            if ((bytes[0] ^ MASK) == MASKED[0] && stands_at(bytes)) {
                fprintf(stderr, "%s: in %s, %" PRIuPTR " bytes from its start\n", when,
                        spans[at].name[0] == '\0' ? "a nameless span" : spans[at].name, here - spans[at].start);
                found++;
            }
        }
    }
    return count == 0 ? -1 : found;
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *caller = NULL;
    zt_session *job = NULL;
    zt_secret *secret = NULL;
    unsigned char *own = malloc(64);
    size_t length = 0;
    int before, held, copied, cached, closed;
    if (argc != 2 || own == NULL || zt_open(argv[1], &zt, NULL) != ZT_STATUS_OK ||
        zt_authenticate(zt, getenv("ZT_SCORE"), &caller, NULL) != ZT_STATUS_OK ||
        zt_session_claiming(caller, 201, 2, &job, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    before = copies("before");
    if (zt_secret_get(job, "bureau-api-key", &secret, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    held = copies("held");
    if (zt_secret_read(job, "bureau-api-key", own, 64, &length, NULL) != ZT_STATUS_OK) {
        return 2;
    }
    copied = copies("copied");
    zt_wipe(own, 64);
    zt_secret_free(secret);
    cached = copies("cached");
    zt_session_free(job);
    zt_session_free(caller);
    if (zt_runtime_close(zt, 5000, NULL) != ZT_STATUS_OK) {
        return 3;
    }
    zt_runtime_free(zt);
    closed = copies("closed");
    free(own);
    printf("before %d, held %d, copied %d, cached %d, closed %d\n", before, held, copied, cached, closed);
    return 0;
}
