/* Makes a place as file systems are that can't do everything. Preloaded, it lets libc calls on
 * what lies below a directory fail, and keeps files that are removed while they are open, as
 * NFS clients do. refuse.rs is its Rust side.
 *
 * REFUSE_BELOW  the directory, absolute and without symbolic links
 * REFUSE        what fails, and with what: "flock=95 read:sync.c1z=5". Behind a colon stands
 *               how the file's path ends; without it all files are meant. The calls:
 *               syncdir  fsync of a directory
 *               sync     fsync and fdatasync of a file
 *               flock    flock
 *               lock     the locks of fcntl
 *               tmpfile  open with O_TMPFILE
 *               open     open, for any purpose
 *               read     read and pread
 *               chown    fchown
 *               chmod    fchmod and chmod
 *               mkdir    mkdir
 * REFUSE_HIDES  how the names begin that removed files get while they are open: ".nfs"
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *below;
static const char *hides;
static const char *rules;
static atomic_ulong hidden;

__attribute__((constructor)) static void begin(void) {
    rules = getenv("REFUSE");
    hides = getenv("REFUSE_HIDES");
    below = getenv("REFUSE_BELOW");
}

static int ends_with(const char *text, const char *end, size_t length) {
    size_t whole = strlen(text);
    return whole >= length && strncmp(text + whole - length, end, length) == 0;
}

static int is_below(const char *path) {
    return below && strncmp(path, below, strlen(below)) == 0;
}

/* Sets errno and returns 1 if CALL on PATH is to fail. */
static int is_refused(const char *call, const char *path) {
    if (!rules || !is_below(path))
        return 0;
    for (const char *rule = rules; *rule; rule += strcspn(rule, " "), rule += strspn(rule, " ")) {
        size_t name = strcspn(rule, ":= ");
        const char *file = rule + name + (rule[name] == ':');
        size_t end = strcspn(file, "= ");
        if (name != strlen(call) || strncmp(rule, call, name) != 0)
            continue;
        if (rule[name] == ':' && !ends_with(path, file, end))
            continue;
        errno = atoi(file + end + 1);
        return 1;
    }
    return 0;
}

/* The path of an open file; its length, or less than 0. */
static ssize_t path_of(int file, char *path) {
    char link[64];
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    errno = error;
    if (length >= 0)
        path[length] = 0;
    return length;
}

static int is_refused_open(const char *call, int file) {
    char path[PATH_MAX];
    return below && path_of(file, path) >= 0 && is_refused(call, path);
}

static int is_refused_at(const char *call, int directory, const char *path) {
    char whole[2 * PATH_MAX];
    if (!below || path[0] == '/')
        return below && is_refused(call, path);
    if (directory == AT_FDCWD ? !getcwd(whole, PATH_MAX) : path_of(directory, whole) < 0)
        return 0;
    size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
    return is_refused(call, whole);
}

static int is_directory(int file) {
    struct stat found;
    return fstat(file, &found) == 0 && S_ISDIR(found.st_mode);
}

/* How often a file is open here, but for one of them. */
static int is_open(const struct stat *it, int but) {
    for (int file = 0; file < 1024; file++) {
        struct stat found;
        int error = errno;
        int is_there = fstat(file, &found) == 0;
        errno = error;
        if (file != but && is_there && found.st_dev == it->st_dev && found.st_ino == it->st_ino)
            return 1;
    }
    return 0;
}

/* Gives a file that is open another name; 0 if it is to be removed. */
static int hide(int directory, const char *path) {
    struct stat found;
    char other[PATH_MAX];
    const char *name = strrchr(path, '/');
    int before = name ? (int)(name - path) + 1 : 0;
    if (!hides || fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(found.st_mode) || !is_open(&found, -1))
        return 0;
    name = path + before;
    if (strncmp(name, hides, strlen(hides)) == 0) {
        errno = EBUSY;
        return -1;
    }
    snprintf(other, sizeof other, "%.*s%s%016lx%08lx", before, path, hides,
             (unsigned long)found.st_ino, atomic_fetch_add(&hidden, 1));
    return renameat(directory, path, directory, other) == 0 ? 1 : -1;
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;
}

static int is_refused_opening(int directory, const char *path, int flags) {
    if ((flags & O_TMPFILE) == O_TMPFILE && is_refused_at("tmpfile", directory, path))
        return 1;
    return is_refused_at("open", directory, path);
}

#define OPEN(name)                                                                           \
    int name(const char *path, int flags, ...) {                                             \
        va_list arguments;                                                                   \
        va_start(arguments, flags);                                                          \
        mode_t mode = mode_of(flags, arguments);                                             \
        va_end(arguments);                                                                   \
        if (is_refused_opening(AT_FDCWD, path, flags))                                       \
            return -1;                                                                       \
        return REAL(name)(path, flags, mode);                                                \
    }

#define OPENAT(name)                                                                         \
    int name(int directory, const char *path, int flags, ...) {                              \
        va_list arguments;                                                                   \
        va_start(arguments, flags);                                                          \
        mode_t mode = mode_of(flags, arguments);                                             \
        va_end(arguments);                                                                   \
        if (is_refused_opening(directory, path, flags))                                      \
            return -1;                                                                       \
        return REAL(name)(directory, path, flags, mode);                                     \
    }

#define SYNC(name)                                                                           \
    int name(int file) {                                                                     \
        if (is_refused_open(is_directory(file) ? "syncdir" : "sync", file))                  \
            return -1;                                                                       \
        return REAL(name)(file);                                                             \
    }

#define PREAD(name, offset_type)                                                             \
    ssize_t name(int file, void *bytes, size_t size, offset_type offset) {                   \
        if (is_refused_open("read", file))                                                   \
            return -1;                                                                       \
        return REAL(name)(file, bytes, size, offset);                                        \
    }

#define FCNTL(name)                                                                          \
    int name(int file, int command, ...) {                                                   \
        va_list arguments;                                                                   \
        va_start(arguments, command);                                                        \
        void *argument = va_arg(arguments, void *);                                          \
        va_end(arguments);                                                                   \
        int is_lock = command == F_SETLK || command == F_SETLKW || command == F_GETLK ||     \
                      command == F_OFD_SETLK || command == F_OFD_SETLKW;                     \
        if (is_lock && is_refused_open("lock", file))                                        \
            return -1;                                                                       \
        return REAL(name)(file, command, argument);                                          \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
SYNC(fsync)
SYNC(fdatasync)
PREAD(pread, off_t)
PREAD(pread64, off64_t)
FCNTL(fcntl)
FCNTL(fcntl64)

ssize_t read(int file, void *bytes, size_t size) {
    if (is_refused_open("read", file))
        return -1;
    return REAL(read)(file, bytes, size);
}

int flock(int file, int operation) {
    if (operation != LOCK_UN && is_refused_open("flock", file))
        return -1;
    return REAL(flock)(file, operation);
}

int fchown(int file, uid_t user, gid_t group) {
    if (is_refused_open("chown", file))
        return -1;
    return REAL(fchown)(file, user, group);
}

int fchmod(int file, mode_t mode) {
    if (is_refused_open("chmod", file))
        return -1;
    return REAL(fchmod)(file, mode);
}

int chmod(const char *path, mode_t mode) {
    if (is_refused_at("chmod", AT_FDCWD, path))
        return -1;
    return REAL(chmod)(path, mode);
}

int mkdir(const char *path, mode_t mode) {
    if (is_refused_at("mkdir", AT_FDCWD, path))
        return -1;
    return REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    switch (hide(AT_FDCWD, path)) {
    case 0:
        return REAL(unlink)(path);
    case 1:
        return 0;
    default:
        return -1;
    }
}

int unlinkat(int directory, const char *path, int flags) {
    switch (flags & AT_REMOVEDIR ? 0 : hide(directory, path)) {
    case 0:
        return REAL(unlinkat)(directory, path, flags);
    case 1:
        return 0;
    default:
        return -1;
    }
}

/* What was hidden goes with the last who has it open. */
int close(int file) {
    char path[PATH_MAX];
    struct stat found;
    int is_last = hides && path_of(file, path) > 0 && strrchr(path, '/') &&
                  strncmp(strrchr(path, '/') + 1, hides, strlen(hides)) == 0 &&
                  fstat(file, &found) == 0 && !is_open(&found, file);
    int outcome = REAL(close)(file);
    if (is_last)
        REAL(unlink)(path);
    return outcome;
}
