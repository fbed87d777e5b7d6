/* Stands between the program and its database's files (LD_PRELOAD). It writes down what was there
 * before each write and which writes a sync has made durable, so that a test can take back in a copy
 * what a power cut may have taken; and it can make the disk slow.
 *
 *   DISK_DATABASE  the database; its write-ahead log lies beside it
 *   DISK_RECORD    where it is written down; see `struct record`
 *   DISK_SYNC_MS   how much longer a sync takes
 *   DISK_LIES      while there is a file of this name, syncs do nothing and nobody is told
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What `disk.rs` reads, followed by `kept` bytes that stood at `offset`. A sync has only a file and the
 * number of the last change before it. */
struct record {
    uint64_t is_sync, number, file, offset;
    uint64_t span; /* bytes that are written, none when the file is cut off */
    uint64_t size; /* of the file before */
    uint64_t kept;
};

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static char database[PATH_MAX], log_of_database[PATH_MAX];
static const char *lies;
static int record = -1;
static useconds_t sync_time;
/* Changes are made and written down one by one, so that the record has them in their order. */
static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;
static uint64_t changes;

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    real_pwrite = next("pwrite64");
    real_ftruncate = next("ftruncate64");
    real_fsync = next("fsync");
    real_fdatasync = next("fdatasync");
    const char *path = getenv("DISK_DATABASE"), *to = getenv("DISK_RECORD"), *ms = getenv("DISK_SYNC_MS");
    lies = getenv("DISK_LIES");
    if (ms) sync_time = (useconds_t)atoi(ms) * 1000;
    if (!path) return;
    snprintf(database, sizeof database, "%s", path);
    snprintf(log_of_database, sizeof log_of_database, "%s-wal", path);
    if (to && (record = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) abort();
}

/* 0 for the database, 1 for its write-ahead log, -1 for anything else. */
static int file_of(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    return !strcmp(path, database) ? 0 : !strcmp(path, log_of_database) ? 1 : -1;
}

static void append(struct record what, const void *bytes) {
    struct iovec parts[2] = {{&what, sizeof what}, {(void *)bytes, what.kept}};
    if (writev(record, parts, 2) != (ssize_t)(sizeof what + what.kept)) abort();
}

/* What stands at `offset`, up to `length` bytes. */
static void keep(int fd, int file, uint64_t offset, uint64_t span, uint64_t length) {
    struct stat now;
    char *bytes = malloc(length ? length : 1);
    if (!bytes || fstat(fd, &now)) abort();
    ssize_t kept = pread(fd, bytes, length, (off_t)offset);
    if (kept < 0) abort();
    append((struct record){0, ++changes, (uint64_t)file, offset, span, (uint64_t)now.st_size, (uint64_t)kept}, bytes);
    free(bytes);
}

static ssize_t written(int fd, const void *bytes, size_t length, off_t offset) {
    int file = record < 0 ? -1 : file_of(fd);
    if (file < 0) return real_pwrite(fd, bytes, length, offset);
    pthread_mutex_lock(&one_by_one);
    keep(fd, file, (uint64_t)offset, length, length);
    ssize_t done = real_pwrite(fd, bytes, length, offset);
    pthread_mutex_unlock(&one_by_one);
    return done;
}

static int cut_off(int fd, off_t size) {
    int file = record < 0 ? -1 : file_of(fd);
    if (file < 0) return real_ftruncate(fd, size);
    pthread_mutex_lock(&one_by_one);
    struct stat now;
    if (fstat(fd, &now)) abort();
    keep(fd, file, (uint64_t)size, 0, now.st_size > size ? (uint64_t)(now.st_size - size) : 0);
    int done = real_ftruncate(fd, size);
    pthread_mutex_unlock(&one_by_one);
    return done;
}

static int synced(int fd, int (*sync)(int)) {
    int file = file_of(fd);
    if (file < 0) return sync(fd);
    /* What is written while it runs may be left out. */
    pthread_mutex_lock(&one_by_one);
    uint64_t before = changes;
    pthread_mutex_unlock(&one_by_one);
    if (sync_time) usleep(sync_time);
    if (lies && !access(lies, F_OK)) return 0;
    int failed = sync(fd);
    if (!failed && record >= 0) {
        pthread_mutex_lock(&one_by_one);
        append((struct record){.is_sync = 1, .number = before, .file = (uint64_t)file}, "");
        pthread_mutex_unlock(&one_by_one);
    }
    return failed;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return written(fd, bytes, length, offset); }
int ftruncate(int fd, off_t size) { return cut_off(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut_off(fd, size); }
int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }
