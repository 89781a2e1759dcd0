/* uri.c: any text as the URI of a Redis: what is refused is told why, what is taken means the same
 * when it is written anew, and nothing behind the authority changes who is spoken to. Not here: what Redis says (redis.c). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/redis.h>

#include "cluster/redis/uri.h"
#include "fuzz/support/input.h"

/* With each byte that is not a letter or a digit as %XX. */
static void write_part(FILE *out, const char *part)
{
    for (; part != NULL && *part != '\0'; part++)
        fprintf(out, isalnum((unsigned char)*part) ? "%c" : "%%%02X", (unsigned char)*part);
}

static void write_file(FILE *out, const char *name, const char *path)
{
    if (path != NULL) {
        fprintf(out, "&%s=", name);
        write_part(out, path);
    }
}

static char *write_anew(const struct uri *uri)
{
    size_t length;
    char *text;
    FILE *out = open_memstream(&text, &length);

    ck_assert_ptr_nonnull(out);
    fputs(uri->is_unix ? "redis+unix://" : uri->is_tls ? "rediss://" : "redis://", out);
    write_part(out, uri->user);
    fputs(uri->password != NULL ? ":" : "", out);
    write_part(out, uri->password);
    fputs(uri->password != NULL ? "@" : "", out);
    fputs(uri->is_unix ? "/" : "", out);
    fputs(strchr(uri->host, ':') != NULL && !uri->is_unix ? "[" : "", out);
    write_part(out, uri->is_unix ? uri->host + 1 : uri->host);
    fputs(strchr(uri->host, ':') != NULL && !uri->is_unix ? "]" : "", out);
    if (!uri->is_unix)
        fprintf(out, ":%u/%s", uri->port, uri->database != NULL ? uri->database : "");
    fprintf(out, "?timeout_ms=%llu", (unsigned long long)uri->timeout_ms);
    write_file(out, "ca", uri->ca);
    write_file(out, "cert", uri->cert);
    write_file(out, "key", uri->key);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void expect_same(const struct uri *uri, const ws_allocator *memory)
{
    char *text = write_anew(uri);
    struct uri again;

    ck_assert_msg(uri_read(&again, memory, text) == NULL, "%s", text);
    ck_assert_str_eq(again.host, uri->host);
    ck_assert_pstr_eq(again.user, uri->user);
    ck_assert_pstr_eq(again.password, uri->password);
    ck_assert_pstr_eq(again.database, uri->database);
    ck_assert_uint_eq(again.timeout_ms, uri->timeout_ms);
    ck_assert_uint_eq(again.port, uri->port);
    ck_assert_int_eq(again.is_unix, uri->is_unix);
    ck_assert_int_eq(again.is_tls, uri->is_tls);
    ck_assert_pstr_eq(again.ca, uri->ca);
    ck_assert_pstr_eq(again.cert, uri->cert);
    ck_assert_pstr_eq(again.key, uri->key);
    uri_free(&again, memory);
    free(text);
}

/* What stands behind the authority changes neither who is spoken to nor what is sent there: credentials
 * end at the last @ before the first /, ? or # (RFC 3986, 3.2). */
static void expect_authority(const struct uri *uri, const ws_allocator *memory,
                             const char *text)
{
    const char *authority = strstr(text, "://") + 3;
    size_t length = strcspn(authority, "/?#");
    char *alone = strndup(text, (size_t)(authority - text) + length);
    struct uri again;

    ck_assert_ptr_nonnull(alone);
    ck_assert_int_eq(uri->password != NULL, memchr(authority, '@', length) != NULL);
    if (!uri->is_unix) {
        ck_assert_ptr_null(uri_read(&again, memory, alone));
        ck_assert_str_eq(again.host, uri->host);
        ck_assert_uint_eq(again.port, uri->port);
        ck_assert_pstr_eq(again.user, uri->user);
        ck_assert_pstr_eq(again.password, uri->password);
        uri_free(&again, memory);
    }
    free(alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *text = strndup((const char *)data, length);
    char problem[128] = "";
    ws_allocator memory;
    struct uri uri;
    const char *error;

    ck_assert_ptr_nonnull(text);
    memory_allocator_init(&memory);
    error = uri_read(&uri, &memory, text);
    /* It would read the files. */
    if (!uri.is_tls) {
        ck_assert_int_eq(ws_redis_check_uri(text, problem, sizeof problem),
                         error == NULL ? WS_OK : WS_ERR_INVALID);
        ck_assert_str_eq(problem, error == NULL ? "" : error);
    }
    if (error == NULL) {
        expect_same(&uri, &memory);
        expect_authority(&uri, &memory, text);
    }
    uri_free(&uri, &memory);
    free(text);
    return 0;
}
