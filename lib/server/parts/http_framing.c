/* http_framing.c: checks that a request's head is unambiguous about the request's end and its
 * host (RFC 9112 §3.2, §6). The bytes were checked before (base/http_head.c). */
#include "server/parts/http_framing.h"

#include <string.h>
#include <strings.h>

#include "base/http_target.h"

struct count {
    size_t fields;
    size_t values; /* elements of a comma-separated list */
    size_t chunked;
    bool ends_with_chunked;
};

static int refuse(const char **message, int status, const char *text)
{
    *message = text;
    return status;
}

/* Counts the elements of a list; empty ones do not count (RFC 9110 §5.6.1). */
static void count_codings(const char *list, struct count *count)
{
    for (;;) {
        size_t length;

        list += strspn(list, " \t,");
        if (*list == '\0')
            return;
        length = strcspn(list, " \t,");
        count->ends_with_chunked =
            length == strlen("chunked") && strncasecmp(list, "chunked", length) == 0;
        count->values++;
        count->chunked += count->ends_with_chunked;
        list += length;
    }
}

static struct count count_fields(const struct http_request *request, const char *name)
{
    struct count count = {0};

    for (size_t i = 0; i < request->n_fields; i++) {
        if (strcasecmp(http_request_field_name(request, i), name) == 0) {
            count.fields++;
            count_codings(http_request_field_value(request, i), &count);
        }
    }
    return count;
}

/* RFC 9112 §6.1 and §6.3: unless "chunked" is the last coding, the body has no end. Other codings
 * are not supported. */
static int check_transfer_encoding(const struct http_request *request,
                                   const struct count *codings, const char **message)
{
    if (request->parser.http_minor == 0)
        return refuse(message, HTTP_STATUS_BAD_REQUEST,
                      "Transfer-Encoding is not allowed in HTTP/1.0");
    if (!codings->ends_with_chunked || codings->chunked > 1)
        return refuse(message, HTTP_STATUS_BAD_REQUEST,
                      "chunked must be the last transfer coding and occur only once");
    if (codings->fields > 1)
        return refuse(message, HTTP_STATUS_BAD_REQUEST,
                      "there are two Transfer-Encoding headers");
    if (codings->values > 1)
        return refuse(message, HTTP_STATUS_NOT_IMPLEMENTED, "unknown transfer coding");
    /* Others may read a list with empty elements differently. */
    if (strcasecmp(http_request_header(request, "Transfer-Encoding"), "chunked") != 0)
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "the Transfer-Encoding is ambiguous");
    return 0;
}

static int check_length(const struct http_request *request, const char **message)
{
    const char *length = http_request_header(request, "Content-Length");

    if (*length == '\0' || length[strspn(length, "0123456789")] != '\0')
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "the Content-Length is not a number");
    if (request->parser.content_length > HTTP_BODY_LIMIT)
        return refuse(message, HTTP_STATUS_PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB");
    return 0;
}

static int check_body(const struct http_request *request, const char **message)
{
    struct count codings = count_fields(request, "Transfer-Encoding");
    size_t lengths = count_fields(request, "Content-Length").fields;
    int status = 0;

    if (codings.fields + lengths > 1 && lengths > 0)
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "the body's length is given twice");
    if (codings.fields > 0)
        status = check_transfer_encoding(request, &codings, message);
    else if (lengths > 0)
        status = check_length(request, message);
    /* The parser must have found the same. */
    if (status == 0 && (codings.fields > 0) != ((request->parser.flags & F_CHUNKED) != 0))
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "the body's length is ambiguous");
    return status;
}

static int check_host(const struct http_request *request, const char **message)
{
    const char *host = http_request_header(request, "Host");
    size_t hosts = count_fields(request, "Host").fields;

    if (hosts > 1 || (hosts == 0 && request->parser.http_minor > 0))
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "exactly one Host header is required");
    if (host != NULL && !http_host_valid(host))
        return refuse(message, HTTP_STATUS_BAD_REQUEST, "the Host header names no host");
    return 0;
}

int http_framing_check(const struct http_request *request, const char **message)
{
    int status = check_host(request, message);

    return status != 0 ? status : check_body(request, message);
}
