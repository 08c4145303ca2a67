/*
 * Records, in one order, what a process does to the files below a folder, and what it sends.
 *
 * Loaded with LD_PRELOAD. ESCRR_RECORD_BELOW is the folder, ESCRR_RECORD_LOG the file that
 * records are added to. Every call that is recorded runs alone, under one lock, so that the
 * order of the records is the order of the calls. What a raw system call or a mapping does
 * goes unseen: whoever reads the record compares its end with the files.
 *
 * ESCRR_RECORD_REFUSE=n:errno lets the disk give up in the middle: from the n-th change below the
 * folder on each one ends with that error, as on a disk that is full or has become read-only.
 *
 * A record: eight words of 64 bits (kind, inode, offset, size, flags, length of the path, length
 * of the data, process), then the path, then the data. Kinds are in record.rs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, MKDIR, WRITE, RESIZE, ALLOCATE, SYNC, RENAME, UNLINK, RMDIR, SEND, SAY, UNSEEN };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int log_fd = -1;
static char below[PATH_MAX];
static long changes, refuse_from = LONG_MAX;
static int refuse_with;

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("ESCRR_RECORD_BELOW"), *log = getenv("ESCRR_RECORD_LOG");
    if (!folder || !log || !realpath(folder, below)) return;
    const char *refuse = getenv("ESCRR_RECORD_REFUSE");
    if (refuse && sscanf(refuse, "%ld:%d", &refuse_from, &refuse_with) != 2) abort();
    int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* Out of the way of whoever counts on small numbers. */
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    close(fd);
}

/* From here on only the thread that ends the process goes on: no record is left half written. */
__attribute__((destructor)) static void stop(void) { pthread_mutex_lock(&lock); }

static void put(const void *bytes, size_t length) {
    for (const char *at = bytes; length > 0;) {
        ssize_t done = syscall(SYS_write, log_fd, at, length);
        if (done <= 0) abort();
        at += done, length -= done;
    }
}

static void record(int kind, uint64_t inode, uint64_t offset, uint64_t size, uint64_t flags,
                   const char *path, const struct iovec *data, int parts, size_t length) {
    size_t path_length = path ? strlen(path) : 0;
    uint64_t head[8] = {kind, inode, offset, size, flags, path_length, length, getpid()};
    put(head, sizeof head);
    put(path, path_length);
    for (int i = 0; i < parts && length > 0; i++) {
        size_t part = data[i].iov_len < length ? data[i].iov_len : length;
        put(data[i].iov_base, part);
        length -= part;
    }
}

/* The path of what is below the folder, from there on; null for everything else. */
static const char *inside(const char *path) {
    size_t length = strlen(below);
    if (strncmp(path, below, length) || (path[length] && path[length] != '/')) return NULL;
    return path + length;
}

static const char *path_of(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, PATH_MAX - 1);
    if (length <= 0) return NULL;
    buffer[length] = 0;
    return inside(buffer);
}

/* The same for a name in a folder; the folder is resolved, the name itself is not. */
static const char *path_at(int folder, const char *name, char *buffer) {
    char joined[2 * PATH_MAX], base[PATH_MAX] = "";
    if (name[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, base, PATH_MAX - 1);
            if (length <= 0) return NULL;
        }
    }
    snprintf(joined, sizeof joined, "%s/%s", base, name);
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/') joined[--end] = 0;
    char *slash = strrchr(joined, '/');
    char last[NAME_MAX + 1];
    snprintf(last, sizeof last, "%s", slash + 1);
    *slash = 0;
    if (!realpath(joined[0] ? joined : "/", buffer)) return NULL;
    size_t length = strlen(buffer);
    snprintf(buffer + length, PATH_MAX - length, "/%s", last);
    return inside(buffer);
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

static uint64_t inode_at(int folder, const char *name) {
    struct stat found;
    return fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) ? 0 : found.st_ino;
}

/* Recorded calls begin and end with these; errno stays what the call made it. */
#define BEGIN pthread_mutex_lock(&lock)
#define END(result) do { TOLD(pthread_mutex_unlock(&lock)); return result; } while (0)
#define TOLD(what) do { int kept_ = errno; what; errno = kept_; } while (0)

/* One change more; true if the disk does not take it. */
static int refused(void) {
    if (++changes < refuse_from) return 0;
    errno = refuse_with;
    return 1;
}

static int file(int fd, char *path, const char **found) {
    struct stat stat;
    *found = log_fd >= 0 && !fstat(fd, &stat) && (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode))
                 ? path_of(fd, path) : NULL;
    return *found != NULL;
}

static int network(int fd) {
    int domain = 0;
    socklen_t length = sizeof domain;
    return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) && (domain == AF_INET || domain == AF_INET6);
}

static void wrote(int fd, const char *path, off_t offset, const struct iovec *data, int parts, ssize_t done) {
    uint64_t inode = inode_of(fd);
    int flags = fcntl(fd, F_GETFL);
    if (offset < 0 || flags & O_APPEND) offset = lseek(fd, 0, SEEK_CUR) - done;
    record(WRITE, inode, offset, done, 0, path, data, parts, done);
    if (flags & O_DSYNC) record(SYNC, inode, 0, 0, 0, path, NULL, 0, 0);
}

/* One write of any kind; an offset below zero means where the descriptor stands. */
static ssize_t out(int fd, const struct iovec *data, int parts, off_t offset) {
    char buffer[PATH_MAX];
    const char *path;
    BEGIN;
    if (file(fd, buffer, &path) && refused()) END(-1);
    ssize_t done = offset < 0 ? syscall(SYS_writev, fd, data, parts)
                              : syscall(SYS_pwritev, fd, data, parts, offset, 0);
    if (done > 0 && log_fd >= 0) {
        int kept = errno;
        if (file(fd, buffer, &path)) wrote(fd, path, offset, data, parts, done);
        else if (fd == STDOUT_FILENO) record(SAY, 0, 0, done, 0, NULL, data, parts, done);
        else if (network(fd)) record(SEND, 0, 0, done, fd, NULL, data, parts, done);
        errno = kept;
    }
    END(done);
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec part = {(void *)data, length};
    return out(fd, &part, 1, -1);
}
ssize_t writev(int fd, const struct iovec *data, int parts) { return out(fd, data, parts, -1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    struct iovec part = {(void *)data, length};
    return out(fd, &part, 1, offset);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }
ssize_t pwritev64(int fd, const struct iovec *data, int parts, off64_t offset) { return out(fd, data, parts, offset); }
ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t offset) { return out(fd, data, parts, offset); }

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    BEGIN;
    ssize_t done = syscall(SYS_sendmsg, fd, message, flags);
    if (done > 0 && log_fd >= 0)
        TOLD(if (network(fd)) record(SEND, 0, 0, done, fd, NULL, message->msg_iov, message->msg_iovlen, done));
    END(done);
}
ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    struct iovec part = {(void *)data, length};
    struct msghdr message = {.msg_name = (void *)to, .msg_namelen = to ? size : 0, .msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(fd, &message, flags);
}
ssize_t send(int fd, const void *data, size_t length, int flags) { return sendto(fd, data, length, flags, NULL, 0); }

/* Whoever copies inside the kernel is told to do it by hand, where it can be seen. */
ssize_t copy_file_range(int in, off64_t *from, int to, off64_t *at, size_t length, unsigned flags) {
    (void)in, (void)from, (void)to, (void)at, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int to, int in, off64_t *from, size_t length) {
    (void)to, (void)in, (void)from, (void)length;
    errno = ENOSYS;
    return -1;
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    BEGIN;
    int kept = errno;
    const char *path = log_fd >= 0 && flags & (O_CREAT | O_TRUNC) ? path_at(folder, name, buffer) : NULL;
    int there = path && inode_at(folder, name);
    errno = kept;
    if (path && !there && refused()) END(-1);
    int fd = syscall(SYS_openat, folder, name, flags, mode);
    if (fd >= 0 && path)
        TOLD(if (!there) record(CREATE, inode_of(fd), 0, 0, 0, path, NULL, 0, 0);
             else if (flags & O_TRUNC) record(RESIZE, inode_of(fd), 0, 0, 0, path, NULL, 0, 0));
    END(fd);
}
#define MODE(flags) ({ mode_t mode_ = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode_ = va_arg(rest, int); va_end(rest); } mode_; })
int open(const char *name, int flags, ...) { return opened(AT_FDCWD, name, flags, MODE(flags)); }
int open64(const char *name, int flags, ...) { return opened(AT_FDCWD, name, flags, MODE(flags)); }
int openat(int folder, const char *name, int flags, ...) { return opened(folder, name, flags, MODE(flags)); }
int openat64(int folder, const char *name, int flags, ...) { return opened(folder, name, flags, MODE(flags)); }

/* A call on a descriptor, whether it changes the file, and the record of it if it went well. */
#define ON_FILE(change, call, told) do { char buffer[PATH_MAX]; const char *path; BEGIN; \
    if (change && file(fd, buffer, &path) && refused()) END(-1); \
    long done = call; \
    if (done == 0) { TOLD(if (file(fd, buffer, &path)) told); } \
    END(done); } while (0)
int ftruncate64(int fd, off64_t size) {
    ON_FILE(1, syscall(SYS_ftruncate, fd, size), record(RESIZE, inode_of(fd), 0, size, 0, path, NULL, 0, 0));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
    ON_FILE(1, syscall(SYS_fallocate, fd, mode, offset, size),
            record(ALLOCATE, inode_of(fd), offset, size, mode, path, NULL, 0, 0));
}
int fallocate(int fd, int mode, off_t offset, off_t size) { return fallocate64(fd, mode, offset, size); }
int posix_fallocate64(int fd, off64_t offset, off64_t size) { return fallocate64(fd, 0, offset, size) ? errno : 0; }
int posix_fallocate(int fd, off_t offset, off_t size) { return posix_fallocate64(fd, offset, size); }
int fsync(int fd) { ON_FILE(0, syscall(SYS_fsync, fd), record(SYNC, inode_of(fd), 0, 0, 1, path, NULL, 0, 0)); }
int fdatasync(int fd) { ON_FILE(0, syscall(SYS_fdatasync, fd), record(SYNC, inode_of(fd), 0, 0, 0, path, NULL, 0, 0)); }

void *mmap64(void *at, size_t length, int prot, int flags, int fd, off64_t offset) {
    char buffer[PATH_MAX];
    const char *path;
    void *done = (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);
    if (fd >= 0 && done != MAP_FAILED && flags & MAP_SHARED && prot & PROT_WRITE) {
        BEGIN;
        TOLD(if (file(fd, buffer, &path)) record(UNSEEN, inode_of(fd), 0, 0, 0, path, NULL, 0, 0));
        END(done);
    }
    return done;
}
void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset) { return mmap64(at, length, prot, flags, fd, offset); }

/* A call on a name, and the record of it if it went well. */
static int named(int kind, long number, int folder, const char *name, int mode) {
    char buffer[PATH_MAX];
    BEGIN;
    int kept = errno;
    const char *path = log_fd >= 0 ? path_at(folder, name, buffer) : NULL;
    errno = kept;
    if (path && refused()) END(-1);
    int done = syscall(number, folder, name, mode);
    if (done == 0 && path) TOLD(record(kind, kind == MKDIR ? inode_at(folder, name) : 0, 0, 0, 0, path, NULL, 0, 0));
    END(done);
}
int mkdirat(int folder, const char *name, mode_t mode) { return named(MKDIR, SYS_mkdirat, folder, name, mode); }
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
int unlinkat(int folder, const char *name, int flags) {
    return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, SYS_unlinkat, folder, name, flags);
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int renameat2(int from, const char *name, int to, const char *into, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    BEGIN;
    int kept = errno;
    const char *was = log_fd >= 0 ? path_at(from, name, old) : NULL;
    const char *is = log_fd >= 0 ? path_at(to, into, new) : NULL;
    errno = kept;
    if ((was || is) && refused()) END(-1);
    int done = syscall(SYS_renameat2, from, name, to, into, flags);
    if (done == 0 && (was || is)) {
        struct iovec data = {(void *)is, is ? strlen(is) : 0};
        TOLD(record(was && is ? RENAME : UNSEEN, 0, 0, 0, flags, was, &data, 1, data.iov_len));
    }
    END(done);
}
int renameat(int from, const char *name, int to, const char *into) { return renameat2(from, name, to, into, 0); }
int rename(const char *name, const char *into) { return renameat2(AT_FDCWD, name, AT_FDCWD, into, 0); }
