/* static_files.c: files of one folder, as answers to GET.
 * The content is sent by the connection. */
#include "static_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content_coding.h"
#include "log.h"
#include "server/parts/origin.h"
#include "server/parts/text.h"

enum { PATH_BYTES = 1024, ETAG_BYTES = 64 };

bool static_files_open(struct static_files *files, const char *folder)
{
    files->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return files->folder >= 0;
}

void static_files_close(struct static_files *files)
{
    close(files->folder);
}

/* Opens a file of the folder, whose path has no leading slash, step by step: no segment may be
 * empty, begin with a dot, or be a symbolic link, so nothing leads out of the folder. -1 with
 * errno. */
static int open_beneath(int folder, const char *path)
{
    int at = folder;

    for (;;) {
        char segment[NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        bool is_last = path[length] == '\0';
        int next;

        if (length == 0 || length > NAME_MAX || path[0] == '.') {
            next = -1;
            errno = ENOENT;
        } else {
            memcpy(segment, path, length);
            segment[length] = '\0';
            /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
            next = openat(at, segment,
                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
                              (is_last ? O_NONBLOCK : O_DIRECTORY));
        }
        if (at != folder) {
            int saved_errno = errno;

            close(at);
            errno = saved_errno;
        }
        if (next < 0 || is_last)
            return next;
        at = next;
        path += length + 1;
    }
}

static const char *content_type(const char *path)
{
    static const struct {
        const char *suffix;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json; charset=utf-8"},
        {".map", "application/json; charset=utf-8"},
        {".webmanifest", "application/manifest+json; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".webp", "image/webp"},
        {".woff2", "font/woff2"},
    };
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t suffix_length = strlen(types[i].suffix);

        if (length > suffix_length &&
            strcmp(path + length - suffix_length, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* If-None-Match (RFC 9110 §13.1.2): "*" or a list of entity tags, compared weakly. */
static bool matches_etag(const char *list, const char *etag)
{
    size_t etag_length = strlen(etag);

    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, etag_length) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

/* --- forms of a file ----------------------------------------------------------------- */

struct form {
    int file;
    enum content_coding coding;
    struct stat status;
};

static const struct {
    const char *name; /* in "Content-Encoding" */
    const char *suffix;
} codings[N_CODINGS] = {[CODING_IDENTITY] = {"", ""},
                        [CODING_GZIP] = {"gzip", ".gz"},
                        [CODING_BROTLI] = {"br", ".br"}};

static bool is_older(const struct stat *one, const struct stat *other)
{
    return one->st_mtim.tv_sec != other->st_mtim.tv_sec
               ? one->st_mtim.tv_sec < other->st_mtim.tv_sec
               : one->st_mtim.tv_nsec < other->st_mtim.tv_nsec;
}

/* A regular file; false with errno. */
static bool open_form(int folder, const char *path, struct form *form)
{
    form->file = open_beneath(folder, path);
    if (form->file < 0)
        return false;
    if (fstat(form->file, &form->status) == 0 && S_ISREG(form->status.st_mode))
        return true;
    close(form->file);
    errno = ENOENT;
    return false;
}

/* Uses a compressed form beside the file instead, if the client accepts it and it is not older
 * than the file. */
static void choose_form(int folder, const char *path, const ws_server_request *request,
                        struct form *form)
{
    enum content_coding list[N_CODINGS];
    struct content_codings accepted;
    char coded_path[PATH_BYTES + sizeof ".br"];
    ws_header header;

    content_codings_init(&accepted);
    for (size_t i = 0; ws_server_request_header_at(request, i, &header) == WS_OK; i++)
        if (strcasecmp(header.name, "Accept-Encoding") == 0)
            content_codings_take(&accepted, header.value);
    content_codings_order(&accepted, list);
    for (size_t i = 0; list[i] != CODING_IDENTITY; i++) {
        struct form coded = {.coding = list[i]};

        snprintf(coded_path, sizeof coded_path, "%s%s", path, codings[list[i]].suffix);
        if (!open_form(folder, coded_path, &coded))
            continue;
        if (!is_older(&coded.status, &form->status)) {
            close(form->file);
            *form = coded;
            return;
        }
        close(coded.file);
    }
}

/* --- answers ------------------------------------------------------------------------- */

/* The WebSocket URLs of the request's host, each after a blank: Safari before 15.5 does not
 * include them in 'self'. Empty for an IPv6 address, which a policy cannot name, and for a host
 * that no browser would write. */
static void name_websockets(const char *host, char *sources, size_t size)
{
    struct origin ours;
    char port[8] = "";

    sources[0] = '\0';
    if (!origin_parse_host(host, &ours) || ours.host[0] == '[')
        return;
    if (ours.port != 0)
        snprintf(port, sizeof port, ":%u", (unsigned)ours.port);
    snprintf(sources, size, " ws://%s%s wss://%s%s", ours.host, port, ours.host, port);
}

/* Pages may use what they need from their own server, and nothing else. */
static void add_policy(const ws_server_request *request, struct http_response *response)
{
    char websockets[2 * (ORIGIN_HOST_BYTES + sizeof " wss://:65535")];
    char policy[sizeof websockets + 320];

    name_websockets(ws_server_request_header(request, "Host"), websockets, sizeof websockets);
    snprintf(policy, sizeof policy,
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
             "font-src 'self'; connect-src 'self'%s; manifest-src 'self'; base-uri 'none'; "
             "form-action 'none'; frame-ancestors 'none'",
             websockets);
    http_response_add_field(response, "Content-Security-Policy", policy);
}

static void answer_with_form(const struct form *form, const char *path,
                             const ws_server_request *request, struct http_response *response)
{
    bool is_asset = strncmp(path, "assets/", strlen("assets/")) == 0;
    char etag[ETAG_BYTES];

    snprintf(etag, sizeof etag, "\"%" PRIx64 ".%lx-%" PRIx64 "%s\"",
             (uint64_t)form->status.st_mtim.tv_sec, form->status.st_mtim.tv_nsec,
             (uint64_t)form->status.st_size, codings[form->coding].suffix);
    response->status = HTTP_STATUS_OK;
    response->content_type = content_type(path);
    http_response_add_field(response, "ETag", etag);
    http_response_add_field(response, "Vary", "Accept-Encoding");
    http_response_add_field(response, "Cache-Control",
                            is_asset ? "public, max-age=31536000, immutable" : "no-cache");
    add_policy(request, response);
    http_response_add_field(response, "Referrer-Policy", "same-origin");
    if (matches_etag(ws_server_request_header(request, "If-None-Match"), etag)) {
        response->status = HTTP_STATUS_NOT_MODIFIED;
        close(form->file);
        return;
    }
    if (form->coding != CODING_IDENTITY)
        http_response_add_field(response, "Content-Encoding", codings[form->coding].name);
    response->file = form->file;
    response->file_length = form->status.st_size;
}

/* The path of a file in the folder, from the request's path; false if no file can have it. */
static bool file_path(const char *target, char path[PATH_BYTES])
{
    size_t length;

    if (target[0] != '/' ||
        !text_percent_decode(target + 1, strlen(target + 1), path,
                             PATH_BYTES - strlen("index.html")) ||
        strchr(path, '\\') != NULL)
        return false;
    length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        strcpy(path + length, "index.html");
    return true;
}

void static_files_serve(const struct static_files *files, const ws_server_request *request,
                        struct http_response *response)
{
    struct form form = {.coding = CODING_IDENTITY};
    char path[PATH_BYTES];

    errno = ENOENT;
    if (file_path(ws_server_request_path(request), path) &&
        open_form(files->folder, path, &form)) {
        choose_form(files->folder, path, request, &form);
        answer_with_form(&form, path, request, response);
        return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        static struct log_pause pause;

        if (log_pause_take(&pause))
            log_line(WS_LOG_WARN, "the static file for %s cannot be opened: %s%s", path,
                     strerror(errno),
                     errno == EMFILE ? "; raise the limit of descriptors (ulimit -n)" : "");
        http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       "the server has too many open files; try again");
        return;
    }
    http_response_set_status_error(response, HTTP_STATUS_NOT_FOUND,
                                   "nothing exists at this path");
}
