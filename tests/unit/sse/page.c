/* page.c: what a client reads: a response's head, chunks and gzip, and the events of a stream, by
 * the rules of WHATWG HTML §9.2.6. */
#include "sse/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

/* --- the response ---------------------------------------------------------------------------- */

const char *page_header(struct page *page, const char *name)
{
    static char value[256];
    size_t length = strlen(name);

    for (const char *line = page->head; line != NULL; line = strstr(line, "\r\n")) {
        line += strncmp(line, "\r\n", 2) == 0 ? 2 : 0;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 2, "\r"),
                     line + length + 2);
            return value;
        }
    }
    return NULL;
}

static void add(char **to, size_t *length, const void *bytes, size_t n)
{
    *to = realloc(*to, *length + n + 1);
    ck_assert_ptr_nonnull(*to);
    if (n > 0)
        memcpy(*to + *length, bytes, n);
    *length += n;
    (*to)[*length] = '\0';
}

/* Removes the framing of whole chunks. */
static void dechunk(struct page *page, const char *at, const char *end)
{
    while (at < end) {
        char *after;
        unsigned long size = strtoul(at, &after, 16);

        if (memmem(at, (size_t)(end - at), "\r\n", 2) == NULL)
            return;
        ck_assert(strncmp(after, "\r\n", 2) == 0);
        after += 2;
        if ((size_t)(end - after) < size + 2)
            return;
        ck_assert(memcmp(after + size, "\r\n", 2) == 0);
        page->is_complete = size == 0;
        add(&page->body, &page->body_length, after, size);
        at = after + size + 2;
    }
}

/* What has come so far must be readable: each event ends at a flush. */
static void inflate_body(struct page *page)
{
    z_stream stream = {0};
    char *text = NULL;
    size_t length = 0;
    char part[1000];

    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (unsigned char *)page->body;
    stream.avail_in = (unsigned)page->body_length;
    do {
        int result;

        stream.next_out = (unsigned char *)part;
        stream.avail_out = sizeof part;
        result = inflate(&stream, Z_SYNC_FLUSH);
        ck_assert_msg(result == Z_OK || result == Z_BUF_ERROR, "inflate: %d", result);
        add(&text, &length, part, sizeof part - stream.avail_out);
    } while (stream.avail_out == 0);
    ck_assert_uint_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    free(page->body);
    page->body = text;
    page->body_length = length;
}

/* --- the events ------------------------------------------------------------------------------ */

struct event_buffers {
    char *data;
    size_t data_length;
    char *type;
    char *id;
};

static void dispatch(struct page *page, struct event_buffers *event)
{
    free(page->last_id);
    page->last_id = strdup(event->id != NULL ? event->id : "");
    if (event->data_length > 0) {
        event->data[event->data_length - 1] = '\0'; /* its last LF */
        page->events = realloc(page->events, (page->n_events + 1) * sizeof *page->events);
        page->events[page->n_events++] =
            (struct event){strdup(event->type != NULL ? event->type : "message"), event->data,
                           strdup(page->last_id)};
    } else {
        free(event->data);
    }
    free(event->type);
    event->data = event->type = NULL;
    event->data_length = 0;
}

static void take_field(struct page *page, struct event_buffers *event, const char *name,
                       const char *value)
{
    if (strcmp(name, "data") == 0) {
        add(&event->data, &event->data_length, value, strlen(value));
        add(&event->data, &event->data_length, "\n", 1);
    } else if (strcmp(name, "event") == 0) {
        free(event->type);
        event->type = strdup(value);
    } else if (strcmp(name, "id") == 0) {
        free(event->id);
        event->id = strdup(value);
    } else if (strcmp(name, "retry") == 0) {
        free(page->retry);
        page->retry = strdup(value);
    } else {
        ck_abort_msg("an unknown field: %s", name);
    }
}

static void take_line(struct page *page, struct event_buffers *event, char *line)
{
    char *colon = strchr(line, ':');

    if (*line == '\0') {
        dispatch(page, event);
    } else if (colon == line) {
        page->n_comments++;
    } else {
        const char *value = "";

        if (colon != NULL) {
            *colon = '\0';
            value = colon[1] == ' ' ? colon + 2 : colon + 1;
        }
        take_field(page, event, line, value);
    }
}

static void parse_events(struct page *page)
{
    struct event_buffers event = {0};
    char *text = page->body;

    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, "\r\n");
        bool is_pair = text[length] == '\r' && text[length + 1] == '\n';

        if (text[length] == '\0')
            break;
        text[length] = '\0';
        take_line(page, &event, text);
        text += length + (is_pair ? 2 : 1);
    }
    free(event.data);
    free(event.type);
    free(event.id);
}

static void forget(struct page *page)
{
    for (size_t i = 0; i < page->n_events; i++) {
        free(page->events[i].type);
        free(page->events[i].data);
        free(page->events[i].id);
    }
    free(page->events);
    free(page->head);
    free(page->body);
    page->events = NULL;
    page->head = page->body = NULL;
    page->n_events = page->body_length = page->n_comments = 0;
}

void page_read(struct page *page)
{
    const char *end = page->received != NULL ? strstr(page->received, "\r\n\r\n") : NULL;
    const char *encoding;

    if (page->length == page->length_read)
        return;
    page->length_read = page->length;
    forget(page);
    if (end == NULL)
        return;
    ck_assert_int_eq(sscanf(page->received, "HTTP/1.1 %d ", &page->status), 1);
    page->head = strndup(page->received, (size_t)(end - page->received));
    end += 4;
    encoding = page_header(page, "Transfer-Encoding");
    if (encoding != NULL && strcmp(encoding, "chunked") == 0)
        dechunk(page, end, page->received + page->length);
    else
        add(&page->body, &page->body_length, end,
            page->length - (size_t)(end - page->received));
    encoding = page_header(page, "Content-Encoding");
    if (encoding != NULL && page->body != NULL)
        inflate_body(page);
    if (page->status == 200)
        parse_events(page);
}

const struct event *page_next(struct page *page)
{
    page_read(page);
    return page->n_read < page->n_events ? &page->events[page->n_read++] : NULL;
}

const struct event *page_expect(struct page *page, const char *type, const char *data)
{
    const struct event *event = page_next(page);

    ck_assert_msg(event != NULL, "not received: %s; the response is %s", data,
                  page->received != NULL ? page->received : "nothing");
    ck_assert_str_eq(event->type, type);
    ck_assert_msg(strncmp(event->data, data, strlen(data)) == 0, "received %s instead of %s",
                  event->data, data);
    return event;
}

void page_expect_number(struct page *page, int number)
{
    const struct event *event = page_expect(page, "message", "{\"id\":\"");
    char data[64];

    snprintf(data, sizeof data, "\"type\":\"notification\",\"data\":{\"n\":%d}", number);
    ck_assert_msg(strstr(event->data, data) != NULL, "%s is not in %s", data, event->data);
    ck_assert_msg(strncmp(event->data + strlen("{\"id\":\""), event->id, strlen(event->id)) ==
                      0,
                  "%s has the id %s", event->data, event->id);
}

void page_expect_nothing(struct page *page)
{
    const struct event *event = page_next(page);

    ck_assert_msg(event == NULL, "received beyond that: %s", event != NULL ? event->data : "");
}

const char *page_session(const struct event *welcome)
{
    static char session[128];
    const char *at = strstr(welcome->data, "\"session_id\":\"");

    ck_assert_ptr_nonnull(at);
    at += strlen("\"session_id\":\"");
    snprintf(session, sizeof session, "%.*s", (int)strcspn(at, "\""), at);
    return session;
}
