/* uri.c: any text as the URI of a Redis, or as an error by which a cluster's node redirects: a
 * refusal has a reason, an accepted URI means the same when it is written again, and nothing after
 * the authority changes the server. Not here: other answers of Redis (redis.c). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/redis.h>

#include "cluster/redis/uri.h"
#include "fuzz/support/input.h"

/* With every byte except letters and digits as %XX. */
static void write_part(FILE *out, const char *part)
{
    for (; part != NULL && *part != '\0'; part++)
        fprintf(out, isalnum((unsigned char)*part) ? "%c" : "%%%02X", (unsigned char)*part);
}

static void write_parameter(FILE *out, const char *name, const char *value)
{
    if (value != NULL) {
        fprintf(out, "&%s=", name);
        write_part(out, value);
    }
}

static void write_host(FILE *out, const struct place *place)
{
    bool is_ipv6 = strchr(place->host, ':') != NULL;

    fputs(is_ipv6 ? "[" : "", out);
    write_part(out, place->host);
    fprintf(out, "%s:%u", is_ipv6 ? "]" : "", place->port);
}

static void write_place(FILE *out, const struct uri *uri)
{
    if (uri->is_unix) {
        fputs("/", out);
        write_part(out, uri->hosts[0].host + 1);
        return;
    }
    for (size_t i = 0; i < uri->n_hosts; i++) {
        fputs(i > 0 ? "," : "", out);
        write_host(out, &uri->hosts[i]);
    }
    if (uri->master != NULL) {
        fputs("/", out);
        write_part(out, uri->master);
    }
    fprintf(out, "/%s", uri->database != NULL ? uri->database : "");
}

static char *write_anew(const struct uri *uri)
{
    size_t length;
    char *text;
    FILE *out = open_memstream(&text, &length);

    ck_assert_ptr_nonnull(out);
    fprintf(out, "redis%s%s%s://", uri->is_tls ? "s" : "", uri->is_unix ? "+unix" : "",
            uri->is_sentinel ? "+sentinel" : "");
    write_part(out, uri->user);
    fputs(uri->password != NULL ? ":" : "", out);
    write_part(out, uri->password);
    fputs(uri->password != NULL ? "@" : "", out);
    write_place(out, uri);
    fprintf(out, "?timeout_ms=%llu", (unsigned long long)uri->timeout_ms);
    write_parameter(out, "ca", uri->ca);
    write_parameter(out, "cert", uri->cert);
    write_parameter(out, "key", uri->key);
    write_parameter(out, "sentinel_user", uri->sentinel_user);
    write_parameter(out, "sentinel_password", uri->sentinel_password);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void expect_same(const struct uri *uri, const ws_allocator *memory)
{
    char *text = write_anew(uri);
    struct uri again;

    ck_assert_msg(uri_read(&again, memory, text) == NULL, "%s", text);
    ck_assert_uint_eq(again.n_hosts, uri->n_hosts);
    for (size_t i = 0; i < uri->n_hosts; i++)
        ck_assert(place_equal(&again.hosts[i], &uri->hosts[i]));
    ck_assert_pstr_eq(again.user, uri->user);
    ck_assert_pstr_eq(again.password, uri->password);
    ck_assert_pstr_eq(again.database, uri->database);
    ck_assert_uint_eq(again.timeout_ms, uri->timeout_ms);
    ck_assert_int_eq(again.is_unix, uri->is_unix);
    ck_assert_int_eq(again.is_tls, uri->is_tls);
    ck_assert_pstr_eq(again.ca, uri->ca);
    ck_assert_pstr_eq(again.cert, uri->cert);
    ck_assert_pstr_eq(again.key, uri->key);
    ck_assert_int_eq(again.is_sentinel, uri->is_sentinel);
    ck_assert_pstr_eq(again.master, uri->master);
    ck_assert_pstr_eq(again.sentinel_user, uri->sentinel_user);
    ck_assert_pstr_eq(again.sentinel_password, uri->sentinel_password);
    uri_free(&again, memory);
    free(text);
}

/* The text after the authority changes neither the server nor the credentials: these end at the
 * last @ before the first /, ? or # (RFC 3986, 3.2). */
static void expect_authority(const struct uri *uri, const ws_allocator *memory,
                             const char *text)
{
    const char *authority = strstr(text, "://") + 3;
    size_t length = strcspn(authority, "/?#");
    char *alone = strndup(text, (size_t)(authority - text) + length);
    struct uri again;

    ck_assert_ptr_nonnull(alone);
    ck_assert_int_eq(uri->password != NULL, memchr(authority, '@', length) != NULL);
    if (!uri->is_unix && !uri->is_sentinel) {
        ck_assert_ptr_null(uri_read(&again, memory, alone));
        ck_assert_uint_eq(again.n_hosts, uri->n_hosts);
        for (size_t i = 0; i < uri->n_hosts; i++)
            ck_assert(place_equal(&again.hosts[i], &uri->hosts[i]));
        ck_assert_pstr_eq(again.user, uri->user);
        ck_assert_pstr_eq(again.password, uri->password);
        uri_free(&again, memory);
    }
    free(alone);
}

/* Takes the text for a server's answer: an address that it names can be written and read again. */
static void expect_place(const char *text)
{
    static const struct place from = {"h", 1};
    char written[PLACE_TEXT_SIZE];
    struct place place;
    struct place again;
    char said[PLACE_TEXT_SIZE + 16];

    if (place_read_redirect(&place, text, &from) == REDIRECT_NONE)
        return;
    ck_assert(place_host_valid(place.host));
    ck_assert_uint_gt(place.port, 0);
    place_write(&place, written);
    ck_assert_uint_lt(strlen(written), sizeof written);
    snprintf(said, sizeof said, "MOVED 1 %s:%u", place.host, place.port);
    ck_assert_int_eq(place_read_redirect(&again, said, &from), REDIRECT_MOVED);
    ck_assert(place_equal(&again, &place));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *text = strndup((const char *)data, length);
    char problem[128] = "";
    ws_allocator memory;
    struct uri uri;
    const char *error;

    ck_assert_ptr_nonnull(text);
    expect_place(text);
    memory_allocator_init(&memory);
    error = uri_read(&uri, &memory, text);
    /* The URI would read the files. */
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
