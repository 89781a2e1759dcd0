/* static_files.c: files of one folder, as answers to GET.
 * The content is sent by the connection. */
#include "static_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

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
        if (next < 0 || is_last) {
            return next;
        }
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
            strcmp(path + length - suffix_length, types[i].suffix) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* If-None-Match (RFC 9110, 13.1.2): "*" or a list of entity tags, compared weakly. */
static bool matches_etag(const char *list, const char *etag)
{
    size_t etag_length = strlen(etag);

    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*') {
            return true;
        }
        if (strncmp(list, "W/", 2) == 0) {
            list += 2;
        }
        if (strncmp(list, etag, etag_length) == 0) {
            return true;
        }
        list += strcspn(list, ",");
    }
    return false;
}

static void answer_with_file(int file, const struct stat *status, const char *path,
                             const struct http_request *request, struct http_response *response)
{
    bool is_asset = strncmp(path, "assets/", strlen("assets/")) == 0;
    char etag[ETAG_BYTES];

    snprintf(etag, sizeof etag, "\"%" PRIx64 ".%lx-%" PRIx64 "\"",
             (uint64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
             (uint64_t)status->st_size);
    response->status = HTTP_STATUS_OK;
    response->content_type = content_type(path);
    response->cacheable = true;
    http_response_add_field(response, "ETag", etag);
    /* For a proxy that compresses: it may keep both forms. */
    http_response_add_field(response, "Vary", "Accept-Encoding");
    http_response_add_field(response, "Cache-Control",
                            is_asset ? "public, max-age=31536000, immutable" : "no-cache");
    if (matches_etag(http_request_header(request, "If-None-Match"), etag)) {
        response->status = HTTP_STATUS_NOT_MODIFIED;
        close(file);
        return;
    }
    response->file = file;
    response->file_length = status->st_size;
}

void static_files_serve(const struct static_files *files, const struct http_request *request,
                        struct http_response *response)
{
    const char *target = http_request_path(request);
    char path[PATH_BYTES];
    struct stat status;
    int file = -1;

    errno = ENOENT;
    if (target[0] == '/' &&
        text_percent_decode(target + 1, strlen(target + 1), path,
                            sizeof path - strlen("index.html")) &&
        strchr(path, '\\') == NULL) {
        size_t length = strlen(path);

        if (length == 0 || path[length - 1] == '/') {
            strcpy(path + length, "index.html");
        }
        file = open_beneath(files->folder, path);
    }
    if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        answer_with_file(file, &status, path, request, response);
        return;
    }
    if (file >= 0) {
        close(file);
        errno = ENOENT;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        static struct log_pause pause;

        if (log_may(&pause)) {
            log_line(WS_LOG_WARN, "no file can be opened: %s", strerror(errno));
        }
        http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       "too many open files");
        return;
    }
    http_response_set_status_error(response, HTTP_STATUS_NOT_FOUND, "there is nothing here");
}
