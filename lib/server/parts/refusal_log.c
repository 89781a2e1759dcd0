/* refusal_log.c: logs refused requests that might have become a WebSocket. */
#include "server/parts/refusal_log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/parts/address.h"

enum { FIELD_MAX = 160, REQUEST_BYTES = 768, STATUS_BYTES = 32 };

/* Whether a line of this level is written. Also logs how many were left out. */
static bool may_log(struct server_log *log, int level)
{
    unsigned left_out;

    if (!server_log_may_share(log, level, &left_out))
        return false;
    if (left_out > 0)
        server_log_line(log, WS_LOG_INFO, "%u more were refused in the meantime", left_out);
    return true;
}

bool refusal_is_handshake(const struct http_request *request)
{
    const char *upgrade = http_request_header(request, "Upgrade");

    return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0;
}

/* Appends ', NAME "VALUE"'. A quote in the value must not look like its end. */
static void add_field(const struct http_request *request, const char *name, char *text)
{
    const char *value = http_request_header(request, name);
    size_t length = strlen(text);

    if (value == NULL)
        return;
    snprintf(text + length, REQUEST_BYTES - length, ", %s \"%.*s", name, FIELD_MAX, value);
    for (char *at = text + length + strlen(name) + strlen(",  \""); *at != '\0'; at++)
        if (*at == '"')
            *at = '\'';
    strcat(text, "\"");
}

static const char *format_status(int status, char *text)
{
    text[0] = '\0';
    if (status != 0)
        snprintf(text, STATUS_BYTES, " with %d", status);
    return text;
}

void refusal_log_request(struct server_log *log, const struct http_request *request, int status,
                         const char *reason)
{
    bool has_head = http_request_has_head(request);
    bool is_handshake = has_head && refusal_is_handshake(request);
    int level = is_handshake || !has_head ? WS_LOG_INFO : WS_LOG_DEBUG;
    const struct first_line *line = &request->first_line;
    int shown = first_line_shown(line);
    char hidden[STATUS_BYTES] = "";
    char fields[REQUEST_BYTES + 1] = "";
    char with[STATUS_BYTES];

    if (!may_log(log, level))
        return;
    if (shown == 0)
        snprintf(hidden, sizeof hidden, "%zu bytes", line->length);
    if (has_head) {
        add_field(request, "Host", fields);
        add_field(request, "Origin", fields);
        add_field(request, "User-Agent", fields);
    }
    server_log_line(log, level, "%s refused%s: %s (%s%.*s%s)",
                    is_handshake ? "handshake" : "request", format_status(status, with), reason,
                    hidden, shown, line->text, fields);
}

void refusal_log_address(struct server_log *log, const struct in6_addr *client, int status,
                         const char *reason)
{
    char address[INET6_ADDRSTRLEN];
    char with[STATUS_BYTES];

    if (!may_log(log, WS_LOG_INFO))
        return;
    address_format(client, address);
    server_log_line(log, WS_LOG_INFO, "connection refused%s: %s (address %s)",
                    format_status(status, with), reason, address);
}
