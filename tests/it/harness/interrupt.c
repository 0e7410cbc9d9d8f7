/* Interrupts a process at a chosen change of the file system. Preloaded, it counts the libc
 * calls that change something below a directory, and at the N-th kills the process or lets
 * the call fail. interrupt.rs is its Rust side.
 *
 * INTERRUPT_BELOW    the directory, absolute and without symbolic links
 * INTERRUPT_JOURNAL  a file outside of it that gets one line per counted call
 * INTERRUPT_AT       N, from 1; without it everything is only counted
 * INTERRUPT_HOW      kill    SIGKILL before the call
 *                    tear    half of a write, then SIGKILL; before any other call
 *                    nospace from this call on whatever needs space fails with ENOSPC
 *                    error   only this call fails, with EIO
 *                    readonly from this call on each fails with EROFS
 *                    sigint  SIGINT and a pause before the call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum how { COUNT, KILL, TEAR, NOSPACE, ERROR, READONLY, INTERRUPT };

static const char *below;
static size_t below_length;
static int journal = -1;
static long at;
static enum how how;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("INTERRUPT_JOURNAL");
    const char *number = getenv("INTERRUPT_AT");
    const char *name = getenv("INTERRUPT_HOW");
    below = getenv("INTERRUPT_BELOW");
    if (!below || !path)
        return;
    below_length = strlen(below);
    /* Straight to the kernel: our own files are not counted. */
    journal = (int)syscall(SYS_openat, AT_FDCWD, path,
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0)
        abort();
    if (!number || !name)
        return;
    at = atol(number);
    how = strcmp(name, "kill") == 0      ? KILL
          : strcmp(name, "tear") == 0    ? TEAR
          : strcmp(name, "nospace") == 0 ? NOSPACE
          : strcmp(name, "error") == 0   ? ERROR
          : strcmp(name, "readonly") == 0 ? READONLY
          : strcmp(name, "sigint") == 0  ? INTERRUPT
                                         : COUNT;
    if (how == COUNT || at < 1)
        abort();
}

static _Noreturn void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

/* What the caller does with a call. */
enum verdict { GO_ON, HALF, FAIL };

/* Counts a call on PATH if that is below the directory. */
static enum verdict count(const char *call, const char *path, int needs_space) {
    char line[PATH_MAX + 64];
    if (journal < 0 || strncmp(path, below, below_length) != 0 || path[below_length] != '/')
        return GO_ON;
    long number = atomic_fetch_add(&calls, 1) + 1;
    int length = snprintf(line, sizeof line, "%s %s\n", call, path + below_length + 1);
    if (length > 0)
        syscall(SYS_write, journal, line, (size_t)length);
    switch (how) {
    case KILL:
        if (number == at)
            die();
        break;
    case TEAR:
        if (number == at) {
            if (strstr(call, "write"))
                return HALF;
            die();
        }
        break;
    case NOSPACE:
        if (number >= at && needs_space) {
            errno = ENOSPC;
            return FAIL;
        }
        break;
    case ERROR:
        if (number == at) {
            errno = EIO;
            return FAIL;
        }
        break;
    case READONLY:
        if (number >= at) {
            errno = EROFS;
            return FAIL;
        }
        break;
    case INTERRUPT:
        if (number == at) {
            syscall(SYS_kill, getpid(), SIGINT);
            /* Long enough that another thread has acted on it. */
            usleep(100 * 1000);
        }
        break;
    case COUNT:
        break;
    }
    return GO_ON;
}

/* The same for a path that is relative to DIRECTORY. */
static enum verdict count_at(const char *call, int directory, const char *path, int needs_space) {
    char whole[2 * PATH_MAX];
    char link[64];
    if (path[0] == '/')
        return count(call, path, needs_space);
    if (directory == AT_FDCWD) {
        if (!getcwd(whole, PATH_MAX))
            return GO_ON;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        ssize_t length = readlink(link, whole, PATH_MAX - 1);
        if (length < 0)
            return GO_ON;
        whole[length] = 0;
    }
    size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
    return count(call, whole, needs_space);
}

/* The same for an open file. */
static enum verdict count_open(const char *call, int file, int needs_space) {
    char link[64];
    char path[PATH_MAX];
    int error = errno;
    if (journal < 0)
        return GO_ON;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = error;
    if (length < 0)
        return GO_ON;
    path[length] = 0;
    return count(call, path, needs_space);
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;
}

#define CHANGES (O_CREAT | O_TRUNC)

#define OPEN(name)                                                                           \
    int name(const char *path, int flags, ...) {                                             \
        va_list arguments;                                                                   \
        va_start(arguments, flags);                                                          \
        mode_t mode = mode_of(flags, arguments);                                             \
        va_end(arguments);                                                                   \
        if (flags & CHANGES && count_at("open", AT_FDCWD, path, 1) == FAIL)                  \
            return -1;                                                                       \
        return REAL(name)(path, flags, mode);                                                \
    }

#define OPENAT(name)                                                                         \
    int name(int directory, const char *path, int flags, ...) {                              \
        va_list arguments;                                                                   \
        va_start(arguments, flags);                                                          \
        mode_t mode = mode_of(flags, arguments);                                             \
        va_end(arguments);                                                                   \
        if (flags & CHANGES && count_at("open", directory, path, 1) == FAIL)                 \
            return -1;                                                                       \
        return REAL(name)(directory, path, flags, mode);                                     \
    }

#define PWRITE(name, offset_type)                                                            \
    ssize_t name(int file, const void *bytes, size_t size, offset_type offset) {             \
        switch (count_open("pwrite", file, 1)) {                                             \
        case FAIL:                                                                           \
            return -1;                                                                       \
        case HALF:                                                                           \
            REAL(name)(file, bytes, size / 2, offset);                                       \
            die();                                                                           \
        case GO_ON:                                                                          \
            break;                                                                           \
        }                                                                                    \
        return REAL(name)(file, bytes, size, offset);                                        \
    }

#define FTRUNCATE(name, offset_type)                                                         \
    int name(int file, offset_type size) {                                                   \
        if (count_open("ftruncate", file, 0) == FAIL)                                        \
            return -1;                                                                       \
        return REAL(name)(file, size);                                                       \
    }

#define SYNC(name)                                                                           \
    int name(int file) {                                                                     \
        if (count_open(#name, file, 0) == FAIL)                                              \
            return -1;                                                                       \
        return REAL(name)(file);                                                             \
    }

#define PATH(name)                                                                           \
    int name(const char *path) {                                                             \
        if (count_at(#name, AT_FDCWD, path, 0) == FAIL)                                      \
            return -1;                                                                       \
        return REAL(name)(path);                                                             \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)
SYNC(fsync)
SYNC(fdatasync)
PATH(unlink)
PATH(rmdir)

ssize_t write(int file, const void *bytes, size_t size) {
    switch (count_open("write", file, 1)) {
    case FAIL:
        return -1;
    case HALF:
        REAL(write)(file, bytes, size / 2);
        die();
    case GO_ON:
        break;
    }
    return REAL(write)(file, bytes, size);
}

ssize_t writev(int file, const struct iovec *parts, int number) {
    switch (count_open("writev", file, 1)) {
    case FAIL:
        return -1;
    case HALF:
        REAL(writev)(file, parts, number / 2);
        die();
    case GO_ON:
        break;
    }
    return REAL(writev)(file, parts, number);
}

int mkdir(const char *path, mode_t mode) {
    if (count_at("mkdir", AT_FDCWD, path, 1) == FAIL)
        return -1;
    return REAL(mkdir)(path, mode);
}

int unlinkat(int directory, const char *path, int flags) {
    if (count_at("unlink", directory, path, 0) == FAIL)
        return -1;
    return REAL(unlinkat)(directory, path, flags);
}

/* Counted by where the file goes. */
int rename(const char *from, const char *to) {
    if (count_at("rename", AT_FDCWD, to, 0) == FAIL)
        return -1;
    return REAL(rename)(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    if (count_at("rename", to_directory, to, 0) == FAIL)
        return -1;
    return REAL(renameat)(from_directory, from, to_directory, to);
}

int link(const char *from, const char *to) {
    if (count_at("link", AT_FDCWD, to, 0) == FAIL)
        return -1;
    return REAL(link)(from, to);
}
