/* listen.c: where a server listens, and the sockets for it. */
#include "server/parts/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/parts/text.h"

enum { BACKLOG = 4096, FIRST_PASSED_FD = 3 };

/* close() that leaves errno as it is; -1. */
static int fail(int fd)
{
    int saved_errno = errno;

    close(fd);
    errno = saved_errno;
    return -1;
}

/* --- the text ------------------------------------------------------------------------ */

static bool parse_unix(const char *path, struct listen_address *listen)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    memcpy(&listen->address, &address, sizeof address);
    listen->length = sizeof address;
    listen->kind = LISTEN_UNIX;
    return true;
}

static bool parse_v6(const char *host, uint16_t port, struct listen_address *listen)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (inet_pton(AF_INET6, host, &address.sin6_addr) != 1)
        return false;
    memcpy(&listen->address, &address, sizeof address);
    listen->length = sizeof address;
    return true;
}

static bool parse_v4(const char *host, uint16_t port, struct listen_address *listen)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return false;
    memcpy(&listen->address, &address, sizeof address);
    listen->length = sizeof address;
    return true;
}

static bool parse_tcp(const char *text, struct listen_address *listen)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    size_t length;
    int64_t port;

    if (colon == NULL || !text_parse_number(colon + 1, 0, UINT16_MAX, &port))
        return false;
    length = (size_t)(colon - text);
    if (length == 0 || length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    listen->kind = LISTEN_TCP;
    if (host[0] != '[' || host[length - 1] != ']')
        return parse_v4(host, (uint16_t)port, listen);
    host[length - 1] = '\0';
    return parse_v6(host + 1, (uint16_t)port, listen);
}

bool listen_parse(const char *text, int index, struct listen_address *listen)
{
    static const char unix_prefix[] = "unix:";

    *listen = (struct listen_address){.shared = -1};
    if (strcmp(text, "systemd") == 0) {
        listen->kind = LISTEN_SYSTEMD;
        listen->index = index;
        return true;
    }
    if (strncmp(text, unix_prefix, strlen(unix_prefix)) == 0)
        return parse_unix(text + strlen(unix_prefix), listen);
    return parse_tcp(text, listen);
}

/* --- sockets ------------------------------------------------------------------------- */

/* A socket bound to the address; -1 with errno. */
static int bind_socket(const struct sockaddr_storage *address, socklen_t length, int options)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* Accepted sockets inherit TCP_NODELAY, which saves a system call for each. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (options != 0 && setsockopt(fd, SOL_SOCKET, options, &on, sizeof on) != 0) ||
        bind(fd, (const struct sockaddr *)address, length) != 0)
        return fail(fd);
    return fd;
}

/* With SO_REUSEPORT, a second server of the same user would silently share the port. A socket
 * without it detects the first one. */
static bool is_free(const struct listen_address *listen)
{
    int fd = bind_socket(&listen->address, listen->length, 0);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* connect() is refused by files of other kinds, too. */
static bool is_socket(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* Whether a socket of a server that has ended was removed. */
static bool has_removed(const struct listen_address *listen)
{
    const struct sockaddr_un *address =
        (const struct sockaddr_un *)(const void *)&listen->address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_dead;

    if (fd < 0)
        return false;
    is_dead = connect(fd, (const struct sockaddr *)address, listen->length) != 0 &&
              errno == ECONNREFUSED;
    close(fd);
    return is_dead && is_socket(address->sun_path) && unlink(address->sun_path) == 0;
}

/* bind(), also where a server that has ended left its socket. False with errno. */
static bool bind_unix(int fd, const struct listen_address *listen)
{
    const struct sockaddr *address = (const struct sockaddr *)&listen->address;

    if (bind(fd, address, listen->length) == 0)
        return true;
    if (errno != EADDRINUSE)
        return false;
    if (!has_removed(listen)) {
        errno = EADDRINUSE;
        return false;
    }
    return bind(fd, address, listen->length) == 0;
}

static bool begin_unix(struct listen_address *listening)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (!bind_unix(fd, listening) || listen(fd, BACKLOG) != 0) {
        fail(fd);
        return false;
    }
    listening->shared = fd;
    return true;
}

/* The protocol of systemd's sd_listen_fds(3). */
static bool begin_systemd(struct listen_address *listen)
{
    const char *process = getenv("LISTEN_PID");
    const char *number = getenv("LISTEN_FDS");
    int fd = FIRST_PASSED_FD + listen->index;
    int64_t pid;
    int64_t count;
    int flags;

    errno = ENOENT;
    if (process == NULL || number == NULL || !text_parse_number(process, 1, INT32_MAX, &pid) ||
        pid != getpid() || !text_parse_number(number, 0, INT32_MAX, &count) ||
        count <= listen->index)
        return false;
    flags = fcntl(fd, F_GETFL);
    listen->length = sizeof listen->address;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        getsockname(fd, (struct sockaddr *)&listen->address, &listen->length) != 0)
        return false;
    listen->shared = fd;
    return true;
}

bool listen_begin(struct listen_address *listen)
{
    switch (listen->kind) {
    case LISTEN_TCP:
        return is_free(listen);
    case LISTEN_UNIX:
        return begin_unix(listen);
    case LISTEN_SYSTEMD:
        return begin_systemd(listen);
    case LISTEN_NONE:
        break;
    }
    return true;
}

int listen_open(struct listen_address *listening)
{
    int fd;

    if (listening->shared >= 0)
        return fcntl(listening->shared, F_DUPFD_CLOEXEC, 0);
    fd = bind_socket(&listening->address, listening->length, SO_REUSEPORT);
    if (fd < 0)
        return -1;
    if (listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&listening->address, &listening->length) != 0)
        return fail(fd);
    return fd;
}

void listen_format(const struct listen_address *listen, const char *scheme, char *url,
                   size_t size)
{
    const void *address = &listen->address;
    const struct sockaddr_in *v4 = address;
    const struct sockaddr_in6 *v6 = address;
    const struct sockaddr_un *local = address;
    char host[INET6_ADDRSTRLEN] = "";

    switch (listen->address.ss_family) {
    case AF_INET6:
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(url, size, "%s://[%s]:%u", scheme, host, ntohs(v6->sin6_port));
        break;
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(url, size, "%s://%s:%u", scheme, host, ntohs(v4->sin_port));
        break;
    case AF_UNIX:
        snprintf(url, size, "unix:%.*s", (int)sizeof local->sun_path, local->sun_path);
        break;
    default:
        snprintf(url, size, "a socket of systemd");
        break;
    }
}

void listen_end(struct listen_address *listen)
{
    const void *address = &listen->address;
    const struct sockaddr_un *local = address;

    if (listen->shared < 0)
        return;
    close(listen->shared);
    listen->shared = -1;
    if (listen->kind == LISTEN_UNIX)
        unlink(local->sun_path);
}
