/* http_cases.c: reads the cases of tests/http. */
#include "support/http_cases.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#define CHUNKED_HEAD                                                                           \
    "POST /api/notifications HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

struct writer {
    char *to;
    size_t length;
    size_t size;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t length)
{
    ck_assert_uint_le(length, writer->size - writer->length);
    memcpy(writer->to + writer->length, bytes, length);
    writer->length += length;
}

/* Decodes one character; returns what follows it. */
static const char *read_character(const char *at, char *c)
{
    static const char names[] = "rnt\\";
    static const char meant[] = "\r\n\t\\";

    *c = *at++;
    if (*c != '\\')
        return at;
    if (*at == 'x') {
        char hex[] = {at[1], at[2], '\0'};

        *c = (char)strtoul(hex, NULL, 16);
        return at + 3;
    }
    ck_assert_msg(*at != '\0' && strchr(names, *at) != NULL, "unknown escape: %s", at);
    *c = meant[strchr(names, *at) - names];
    return at + 1;
}

/* A repeated character, such as <a*300>. */
static const char *write_repeated(struct writer *writer, const char *at)
{
    char *end;
    char c;

    at = read_character(at + 1, &c);
    for (unsigned long n = strtoul(at + 1, &end, 10); n > 0; n--)
        write_bytes(writer, &c, 1);
    ck_assert_int_eq(*end, '>');
    return end + 1;
}

static size_t decode(const char *at, const char *fields, char *to, size_t size)
{
    struct writer writer = {to, 0, size};

    if (*at == '%') {
        write_bytes(&writer, CHUNKED_HEAD, strlen(CHUNKED_HEAD));
        at++;
    }
    while (*at != '\0') {
        char c;

        if (strncmp(at, "{}", 2) == 0) {
            write_bytes(&writer, fields, strlen(fields));
            at += 2;
        } else if (*at == '<') {
            at = write_repeated(&writer, at);
        } else {
            at = read_character(at, &c);
            write_bytes(&writer, &c, 1);
        }
    }
    return writer.length;
}

/* Ends the part of a line at the next bar; returns the next part. */
static char *split(char *part)
{
    char *bar = strstr(part, " | ");

    if (bar == NULL)
        return NULL;
    while (bar > part && bar[-1] == ' ')
        bar--;
    *bar = '\0';
    return strstr(bar + 1, "| ") + 2;
}

static void read_case(char *line, const char *fields, struct http_case *of)
{
    char *name = split(line);
    char *bytes = name != NULL ? split(name) : NULL;
    char *body = bytes != NULL ? split(bytes) : NULL;

    ck_assert_msg(bytes != NULL, "not a case: %s", line);
    of->status = (int)strtol(line, NULL, 10);
    of->is_last = of->status != 0 || strcmp(line, "last") == 0;
    ck_assert_msg(of->is_last || strcmp(line, "ok") == 0, "not a verdict: %s", line);
    snprintf(of->name, sizeof of->name, "%s", name);
    of->length = decode(bytes, fields, of->bytes, sizeof of->bytes);
    of->body_length = body != NULL ? decode(body, "", of->body, sizeof of->body) : 0;
}

size_t http_cases_for_each(const char *file, const char *fields,
                           void (*check)(const struct http_case *of))
{
    FILE *stream = fopen(file, "r");
    static struct http_case of;
    char line[1024];
    size_t count = 0;

    ck_assert_msg(stream != NULL, "cannot read %s", file);
    while (fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        read_case(line, fields, &of);
        check(&of);
        count++;
    }
    fclose(stream);
    return count;
}
