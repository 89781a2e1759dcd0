/* conformance_cases.c: reads the tables of tests/conformance, whose README.md defines their
 * grammar. Not here: running a case (conformance_test.c). */
#include "websocket/conformance_cases.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "websocket/zlib_peer.h"

#define EXTENSIONS "Sec-WebSocket-Extensions: "

enum { PATH_SIZE = 4096 };

/* --- bytes ----------------------------------------------------------------------------------- */

static const char *add_hex(struct bytes *to, const char *at)
{
    while (isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
        const char digits[] = {at[0], at[1], '\0'};
        const uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);

        bytes_add(to, &byte, 1);
        at += 2;
    }
    return at;
}

static const char *add_quoted(struct bytes *to, const char *at)
{
    const char *end = strchr(at, '"');

    ck_assert_ptr_nonnull(end);
    bytes_add(to, at, (size_t)(end - at));
    return end + 1;
}

static const char *repeat(struct bytes *to, size_t start, const char *at)
{
    const size_t length = to->length - start;
    struct bytes item = {0};
    char *end;

    bytes_add(&item, to->data + start, length);
    for (unsigned long n = strtoul(at, &end, 10); n > 1; n--)
        bytes_add(to, item.data, item.length);
    bytes_free(&item);
    return end;
}

/* Hexadecimal digits or a quoted text, each optionally repeated by "*N". */
static struct bytes parse_bytes(const char *at)
{
    struct bytes bytes = {0};

    bytes_add(&bytes, "", 0);
    while (*at != '\0') {
        size_t start = bytes.length;
        const char *item = at;

        at = *at == '"' ? add_quoted(&bytes, at + 1) : add_hex(&bytes, at);
        if (*at == '*')
            at = repeat(&bytes, start, at + 1);
        ck_assert_msg(at > item && (*at == ' ' || *at == '\0'), "cannot parse: %s", item);
        at += strspn(at, " ");
    }
    return bytes;
}

/* --- lines ----------------------------------------------------------------------------------- */

static struct step *add_step(struct conformance_case *to, bool is_sent)
{
    ck_assert_uint_lt(to->n_steps, CASE_MAX_STEPS);
    to->steps[to->n_steps].is_sent = is_sent;
    return &to->steps[to->n_steps++];
}

static void add_frame(struct conformance_case *to, const char *text)
{
    struct bytes bytes = parse_bytes(text);

    client_frame(&add_step(to, true)->bytes, bytes.data[0], bytes.data + 1, bytes.length - 1);
    bytes_free(&bytes);
}

static void add_fragments(struct bytes *to, unsigned first, unsigned n_frames,
                          const uint8_t *payload, size_t length)
{
    for (unsigned i = 0; i < n_frames; i++) {
        size_t from = length * i / n_frames;
        size_t until = length * (i + 1) / n_frames;

        client_frame(to,
                     (i == 0 ? first : CONTINUATION) | (i + 1 == n_frames ? (unsigned)FIN : 0),
                     payload + from, until - from);
    }
}

/* The first byte, the number of frames in two, and the payload. */
static void add_split(struct conformance_case *to, const struct bytes *bytes,
                      const uint8_t *payload, size_t length)
{
    unsigned n_frames = (unsigned)bytes->data[1] << 8 | bytes->data[2];

    add_fragments(&add_step(to, true)->bytes, bytes->data[0], n_frames, payload, length);
}

static void add_fragmented(struct conformance_case *to, const char *text)
{
    struct bytes bytes = parse_bytes(text);

    add_split(to, &bytes, bytes.data + 3, bytes.length - 3);
    bytes_free(&bytes);
}

static void add_compressed(struct conformance_case *to, const char *text)
{
    struct bytes bytes = parse_bytes(text);
    size_t room = 2 * bytes.length + 100;
    uint8_t *packed = malloc(room);

    add_split(to, &bytes, packed,
              zlib_deflate(to->window_bits, 6, bytes.data + 3, bytes.length - 3, packed, room));
    free(packed);
    bytes_free(&bytes);
}

static void add_expected(struct conformance_case *to, const char *text)
{
    struct step *step = add_step(to, false);
    struct bytes bytes = parse_bytes(text);

    step->opcode = bytes.data[0] & 0x0fu;
    bytes_add(&step->bytes, bytes.data + 1, bytes.length - 1);
    bytes_free(&bytes);
}

static void read_line(struct conformance_case *to, const char *line)
{
    const char *rest = strchr(line, ' ');

    ck_assert_msg(rest != NULL, "cannot parse: %s", line);
    rest++;
    if (strncmp(line, "offer ", 6) == 0)
        snprintf(to->headers, sizeof to->headers, EXTENSIONS "%s\r\n", rest);
    else if (strncmp(line, "answer ", 7) == 0)
        snprintf(to->answer, sizeof to->answer, EXTENSIONS "%s\r\n", rest);
    else if (strncmp(line, "window ", 7) == 0)
        to->window_bits = atoi(rest);
    else if (line[0] == '>')
        add_frame(to, rest);
    else if (line[0] == '!')
        add_step(to, true)->bytes = parse_bytes(rest);
    else if (line[0] == 'f')
        add_fragmented(to, rest);
    else if (line[0] == 'z')
        add_compressed(to, rest);
    else if (line[0] == '<')
        add_expected(to, rest);
    else
        ck_abort_msg("cannot parse: %s", line);
}

static char *next_line(FILE *file, char **line, size_t *capacity)
{
    if (getline(line, capacity, file) < 0)
        return NULL;
    (*line)[strcspn(*line, "\n")] = '\0';
    return *line;
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Check cannot report failures before it runs tests. */
static FILE *open_table(const char *name)
{
    char path[PATH_SIZE];
    FILE *file;

    snprintf(path, sizeof path, CONFORMANCE_DIR "/%s", name);
    file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

size_t conformance_list(const char *table, struct conformance_name *names, size_t n,
                        size_t room)
{
    FILE *file = open_table(table);
    char *line = NULL;
    size_t capacity = 0;

    while (n < room && next_line(file, &line, &capacity) != NULL) {
        if (strncmp(line, "case ", 5) != 0)
            continue;
        names[n].table = table;
        snprintf(names[n++].name, CASE_NAME_SIZE, "%s", line + 5);
    }
    free(line);
    fclose(file);
    return n;
}

void conformance_read(const struct conformance_name *name, struct conformance_case *to)
{
    FILE *file = open_table(name->table);
    bool is_it = false;
    char *line = NULL;
    size_t capacity = 0;

    *to = (struct conformance_case){.window_bits = 15};
    while (next_line(file, &line, &capacity) != NULL) {
        if (strncmp(line, "case ", 5) == 0)
            is_it = strcmp(line + 5, name->name) == 0;
        else if (is_it && line[0] != '#' && line[0] != '\0')
            read_line(to, line);
    }
    ck_assert_uint_gt(to->n_steps, 0);
    free(line);
    fclose(file);
}

void conformance_free(struct conformance_case *of)
{
    for (size_t i = 0; i < of->n_steps; i++)
        bytes_free(&of->steps[i].bytes);
}
