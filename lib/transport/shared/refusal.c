/* refusal.c: the HTTP answer to a request that does not open a WebSocket, and the log line for any
 * refused request. */
#include "transport/shared/refusal.h"

#include <stdio.h>
#include <string.h>

#include "transport/shared/shared_part.h"
#include "transport/shared/status.h"

/* --- the answer ------------------------------------------------------------------------------ */

static const char *extra_headers(int status)
{
    switch (status) {
    case 401:
        return "WWW-Authenticate: Bearer\r\n";
    case 405:
        return "Allow: GET\r\n";
    case 426:
        return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    case 503:
        return "Retry-After: 5\r\n";
    default:
        return "";
    }
}

void refusal_write(const struct refusal *refusal, const struct request *request,
                   struct buffer *buffer)
{
    const char *name = status_name(refusal->status);
    const char *reason = refusal->reason != NULL ? refusal->reason : name;
    const char *separator = refusal->advice != NULL ? "; " : "";
    const char *advice = refusal->advice != NULL ? refusal->advice : "";

    buffer_add_text(buffer, "HTTP/1.1 ");
    buffer_add_number(buffer, (uint64_t)refusal->status);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, refusal->status == 426 ? "\r\nConnection: Upgrade, close\r\n"
                                                   : "\r\nConnection: close\r\n");
    buffer_add_text(buffer, extra_headers(refusal->status));
    buffer_add_text(buffer, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    buffer_add_number(buffer, strlen(reason) + strlen(separator) + strlen(advice) + 1);
    buffer_add_text(buffer, "\r\n\r\n");
    if (request != NULL && request_is_head(request))
        return;
    buffer_add_text(buffer, reason);
    buffer_add_text(buffer, separator);
    buffer_add_text(buffer, advice);
    buffer_add_text(buffer, "\n");
}

/* --- the log --------------------------------------------------------------------------------- */

enum { FIELD_MAX = 160, REQUEST_TEXT_SIZE = 768 };

/* Appends ', NAME "VALUE"'. Quotes in the value are replaced, so that they do not look like its
 * end. */
static void add_field(const struct request *request, const char *name, char *text)
{
    const char *value = request_header(request, name, 0);
    size_t length = strlen(text);

    if (value == NULL)
        return;
    snprintf(text + length, REQUEST_TEXT_SIZE - length, ", %s \"%.*s", name, FIELD_MAX, value);
    for (char *at = text + length + strlen(name) + 4; *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    length = strlen(text);
    snprintf(text + length, REQUEST_TEXT_SIZE - length, "\"");
}

/* Whether the line begins like a request. If it does not, it may be the rest of a body (when a
 * proxy saw another end of it) or a token, and is not logged. */
static bool has_method(const char *line)
{
    size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return length > 0 && line[length] == ' ';
}

/* The length of the method and path of a request line. */
static size_t loggable_length(const char *line)
{
    const char *version = strstr(line, " HTTP/");
    size_t length = strcspn(line, "?#");

    return version != NULL && (size_t)(version - line) < length ? (size_t)(version - line)
                                                                : length;
}

static void describe(const struct request *request, char *text)
{
    if (has_method(request->line))
        snprintf(text, REQUEST_TEXT_SIZE, " (%.*s", (int)loggable_length(request->line),
                 request->line);
    else
        snprintf(text, REQUEST_TEXT_SIZE, " (%zu bytes", request->line_length);
    if (request->piece == REQUEST_COMPLETE && !request->text.failed) {
        add_field(request, "Host", text);
        add_field(request, "Origin", text);
        add_field(request, "User-Agent", text);
    }
    strcat(text, ")");
}

void refusal_log(const ws_loop *loop, int code, const char *reason,
                 const struct request *request)
{
    const ws_manager *manager = loop->manager;
    char text[REQUEST_TEXT_SIZE + 2] = "";
    char with[32] = "";
    uint32_t n_left_out;

    loop_assert_thread(loop);
    if (manager->options.log == NULL || !log_limit_take(&shared_part_of(loop)->logged_refusals,
                                                        loop->timers.now_ms, &n_left_out))
        return;
    if (n_left_out > 0)
        manager_log(manager, WS_LOG_INFO, "%u more handshakes were refused in the meantime",
                    n_left_out);
    if (request != NULL && request->line_length > 0)
        describe(request, text);
    if (code != 0)
        snprintf(with, sizeof with, " with %d", code);
    manager_log(manager, WS_LOG_INFO, "handshake refused%s: %.256s%s", with,
                reason != NULL ? reason : status_name(code > 4000 ? code - 4000 : code), text);
}
