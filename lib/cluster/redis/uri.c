/* uri.c: where Redis is and who we are there, read from one text. */
#include "cluster/redis/uri.h"

#include <string.h>

#include "base/digits.h"

enum { DEFAULT_PORT = 6379, DEFAULT_TIMEOUT_MS = 5000, MAX_TIMEOUT_MS = 3600000 };

const char uri_no_memory[] = "out of memory";

/* A part of the text that was not read yet. */
struct part {
    const char *at;
    const char *end;
};

static bool take(struct part *part, const char *prefix)
{
    size_t length = strlen(prefix);

    if ((size_t)(part->end - part->at) < length || memcmp(part->at, prefix, length) != 0)
        return false;
    part->at += length;
    return true;
}

/* What stands before the first of that character, which is taken too; false if there is none. */
static bool split(struct part *part, char at, struct part *before)
{
    const char *found = memchr(part->at, at, (size_t)(part->end - part->at));

    if (found == NULL)
        return false;
    *before = (struct part){part->at, found};
    part->at = found + 1;
    return true;
}

static bool is_empty(const struct part *part)
{
    return part->at == part->end;
}

/* The part with its %XX decoded; none may be a NUL or another control character. */
static const char *decode(const struct part *part, const ws_allocator *memory, char **text)
{
    char *out = memory_alloc(memory, (size_t)(part->end - part->at) + 1);

    *text = out;
    if (out == NULL)
        return uri_no_memory;
    for (const char *at = part->at; at < part->end; at++) {
        int byte = (unsigned char)*at;

        if (byte == '%') {
            int high = part->end - at > 2 ? hexadecimal_digit(at[1]) : -1;
            int low = high >= 0 ? hexadecimal_digit(at[2]) : -1;

            if (low < 0)
                return "a % is not followed by two hexadecimal digits";
            byte = high * 16 + low;
            at += 2;
        }
        if (byte < 0x20)
            return "there is a control character in it";
        *out++ = (char)byte;
    }
    *out = '\0';
    return NULL;
}

/* Digits alone, from `min` to `max`. */
static bool read_number(const struct part *part, uint64_t min, uint64_t max, uint64_t *number)
{
    *number = 0;
    for (const char *at = part->at; at < part->end; at++) {
        if (*at < '0' || *at > '9' || *number > max)
            return false;
        *number = *number * 10 + (uint64_t)(*at - '0');
    }
    return !is_empty(part) && *number >= min && *number <= max;
}

static const char *read_credentials(struct uri *uri, const ws_allocator *memory,
                                    struct part *part)
{
    const char *error = NULL;
    struct part user;

    if (!split(part, ':', &user))
        return "there is no : before the password";
    if (!is_empty(&user))
        error = decode(&user, memory, &uri->user);
    return error != NULL ? error : decode(part, memory, &uri->password);
}

static const char *read_path(const struct part *part, const ws_allocator *memory, char **path)
{
    if (*path != NULL)
        return "a parameter is there twice";
    return is_empty(part) ? "the path of a file is empty" : decode(part, memory, path);
}

static const char *read_parameter(struct uri *uri, const ws_allocator *memory,
                                  struct part *part)
{
    if (take(part, "timeout_ms="))
        return read_number(part, 1, MAX_TIMEOUT_MS, &uri->timeout_ms)
                   ? NULL
                   : "timeout_ms is a number from 1 to 3600000";
    if (uri->is_tls && take(part, "ca="))
        return read_path(part, memory, &uri->ca);
    if (uri->is_tls && take(part, "cert="))
        return read_path(part, memory, &uri->cert);
    if (uri->is_tls && take(part, "key="))
        return read_path(part, memory, &uri->key);
    return "a parameter is not timeout_ms or, with rediss://, ca, cert or key";
}

static const char *read_parameters(struct uri *uri, const ws_allocator *memory,
                                   struct part *part)
{
    const char *error = NULL;
    struct part parameter;

    while (error == NULL && split(part, '&', &parameter))
        error = read_parameter(uri, memory, &parameter);
    if (error == NULL)
        error = read_parameter(uri, memory, part);
    if (error == NULL && (uri->cert == NULL) != (uri->key == NULL))
        error = "cert and key belong together";
    return error;
}

static const char *read_host(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    struct part host = *part;
    struct part port = {NULL, NULL};
    uint64_t number = DEFAULT_PORT;
    const char *error;

    if (take(part, "[")) {
        if (!split(part, ']', &host))
            return "there is no ] behind the address";
        if (!is_empty(part) && !take(part, ":"))
            return "only a port can follow the address";
        port = *part;
    } else if (split(part, ':', &host)) {
        port = *part;
    }
    if (!is_empty(&port) && !read_number(&port, 1, UINT16_MAX, &number))
        return "the port is a number from 1 to 65535";
    if (is_empty(&host))
        return "there is no host";
    uri->port = (uint16_t)number;
    error = decode(&host, memory, &uri->host);
    return error;
}

static const char *read_database(struct uri *uri, const ws_allocator *memory,
                                 const struct part *part)
{
    uint64_t number;

    if (is_empty(part))
        return NULL;
    if (!read_number(part, 0, INT32_MAX, &number))
        return "the database is a number";
    return decode(part, memory, &uri->database);
}

/* What stands behind the credentials, without the parameters. */
static const char *read_place(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    struct part host;
    const char *error;

    if (uri->is_unix)
        return is_empty(part) || *part->at != '/' ? "there is no absolute path"
                                                  : decode(part, memory, &uri->host);
    if (!split(part, '/', &host)) {
        host = *part;
        part->at = part->end;
    }
    error = read_host(uri, memory, &host);
    return error != NULL ? error : read_database(uri, memory, part);
}

const char *uri_read(struct uri *uri, const ws_allocator *memory, const char *text)
{
    struct part rest = {text, text + strlen(text)};
    struct part before;
    const char *error = NULL;

    *uri = (struct uri){.timeout_ms = DEFAULT_TIMEOUT_MS};
    uri->is_unix = take(&rest, "redis+unix://");
    uri->is_tls = !uri->is_unix && take(&rest, "rediss://");
    if (!uri->is_unix && !uri->is_tls && !take(&rest, "redis://"))
        return "it begins with none of redis://, rediss:// and redis+unix://";
    if (split(&rest, '@', &before))
        error = read_credentials(uri, memory, &before);
    if (error == NULL && split(&rest, '?', &before)) {
        error = read_parameters(uri, memory, &rest);
        rest = before;
    }
    return error != NULL ? error : read_place(uri, memory, &rest);
}

void uri_free(struct uri *uri, const ws_allocator *memory)
{
    memory_free(memory, uri->host);
    memory_free(memory, uri->user);
    memory_free(memory, uri->password);
    memory_free(memory, uri->database);
    memory_free(memory, uri->ca);
    memory_free(memory, uri->cert);
    memory_free(memory, uri->key);
    *uri = (struct uri){0};
}
