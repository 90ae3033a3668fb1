/*
 * The library loaded by hand, used, closed and loaded again. Links no libzt; needs POSIX and glibc.
 *
 * argv: the library's file, the world's folder. The environment has ZT_MAYA.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zt.h>

static void *library;

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return found;
}

/* A pointer to a function out of one to an object, as POSIX wants it. */
#define LOAD(function, name)                                                                                           \
    do {                                                                                                               \
        void *found = symbol(name);                                                                                    \
        memcpy(&(function), &found, sizeof found);                                                                     \
    } while (0)

static int use(const char *folder) {
    uint32_t (*abi)(void);
    zt_status (*open)(const char *, zt_runtime **, zt_error **);
    zt_status (*authenticate)(const zt_runtime *, const char *, uint64_t, zt_done_fn, void *, zt_operation **, zt_error **);
    zt_status (*wait)(const zt_operation *, uint64_t, zt_error **);
    void (*free_operation)(zt_operation *);
    void (*free_runtime)(zt_runtime *);
    zt_runtime *zt = NULL;
    zt_operation *operation = NULL;
    int right;
    LOAD(abi, "zt_abi_version");
    LOAD(open, "zt_open");
    LOAD(authenticate, "zt_authenticate_async");
    LOAD(wait, "zt_operation_wait");
    LOAD(free_operation, "zt_operation_free");
    LOAD(free_runtime, "zt_runtime_free");
    right = abi() == ZT_ABI_VERSION && open(folder, &zt, NULL) == ZT_STATUS_OK &&
            authenticate(zt, getenv("ZT_MAYA"), 0, NULL, NULL, &operation, NULL) == ZT_STATUS_OK &&
            wait(operation, 60000, NULL) == ZT_STATUS_OK;
    /* Its threads are still ending when the library is closed. */
    free_operation(operation);
    free_runtime(zt);
    return right;
}

int main(int argc, char **argv) {
    int round;
    for (round = 0; argc == 3 && round < 5; round++) {
        library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        if (!use(argv[2]) || dlclose(library) != 0) {
            return 1;
        }
        library = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
        if (library == NULL) {
            return 3;
        }
        dlclose(library);
    }
    printf("loaded %d times\n", round);
    return round == 5 ? 0 : 1;
}
