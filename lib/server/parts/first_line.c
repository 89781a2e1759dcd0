/* first_line.c: the beginning of a request's first line, as received. */
#include "server/parts/first_line.h"

#include <string.h>

/* Takes a byte before the first line; false if it begins that line. Anything but an empty line ends
 * the request: it is refused there. */
static bool skip_empty_line(struct first_line *line, char byte)
{
    bool is_line_feed = byte == '\n';

    if (line->has_cr) {
        line->has_cr = false;
        line->is_complete = !is_line_feed;
        return true;
    }
    line->has_cr = byte == '\r';
    line->is_complete = is_line_feed;
    return line->has_cr || is_line_feed;
}

void first_line_add(struct first_line *line, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !line->is_complete; i++) {
        bool is_end = bytes[i] == '\r' || bytes[i] == '\n';

        if (line->length == 0 && skip_empty_line(line, bytes[i]))
            continue;
        if (!is_end)
            line->text[line->length++] = bytes[i];
        line->is_complete = line->length == FIRST_LINE_KEPT || is_end;
    }
}

bool first_line_is_head(const struct first_line *line)
{
    return strncmp(line->text, "HEAD ", strlen("HEAD ")) == 0;
}

static bool begins(const struct first_line *line, const char *text)
{
    return strncmp(line->text, text, strlen(text)) == 0;
}

enum first_line_protocol first_line_protocol(const struct first_line *line)
{
    if (begins(line, "\x16")) /* a record of a handshake (RFC 8446 §5.1) */
        return FIRST_LINE_TLS;
    if (begins(line, "PRI * HTTP/2.0")) /* RFC 9113 §3.4 */
        return FIRST_LINE_HTTP_2;
    return FIRST_LINE_OTHER;
}

/* Bytes that do not begin like a request may be a token, or a body whose end was misjudged. */
static bool has_method(const struct first_line *line)
{
    size_t length = strspn(line->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return length > 0 && line->text[length] == ' ';
}

int first_line_shown(const struct first_line *line)
{
    const char *version = strstr(line->text, " HTTP/");
    size_t length = strcspn(line->text, "?#");

    if (!has_method(line))
        return 0;
    return version != NULL && (size_t)(version - line->text) < length
               ? (int)(version - line->text)
               : (int)length;
}
