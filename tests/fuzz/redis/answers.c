/* answers.c: the fuzz target's own Redis. */
#include "fuzz/redis/answers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/scripts.h"

enum { MAX_ENTRIES = 64, MAX_DEPTH = 4, APPEND_HEAD = 3, EVENT_ARGUMENTS = 5 };

/* The words of a request: EVAL or EVALSHA, the script or its digest, the number of keys, the keys,
 * the arguments. */
enum { SCRIPT = 1, N_KEYS = 2, FIRST_KEY = 3 };

struct entry {
    char *id;
    char *event;
};

static struct entry entries[MAX_ENTRIES]; /* the entries at positions from 1 on */
static size_t n_entries;

/* The answer to EXEC, also if the queued command was answered as the fuzzer chose. */
struct range {
    bool is_backwards;
    size_t from;
    size_t max;
};

static struct range range;

void answers_begin(void)
{
    n_entries = 0;
    range = (struct range){false, 1, 1};
}

void answers_end(void)
{
    for (size_t i = 0; i < n_entries; i++) {
        free(entries[i].id);
        free(entries[i].event);
    }
}

static void write_bulk(FILE *out, const char *text)
{
    fprintf(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

/* --- correct answers -------------------------------------------------------------------------- */

static const char epoch[] = "abcdefghij";

static void write_attached(FILE *out)
{
    fputs("*4\r\n", out);
    write_bulk(out, epoch);
    fprintf(out, ":%zu\r\n", n_entries);
    write_bulk(out, n_entries > 0 ? strchr(entries[n_entries - 1].id, '-') + 1 : "");
    fprintf(out, ":%zu\r\n", n_entries);
}

static void write_state(FILE *out)
{
    char position[24];

    snprintf(position, sizeof position, "%zu", n_entries);
    fputs("*2\r\n", out);
    write_bulk(out, epoch);
    write_bulk(out, position);
}

static void write_entry(FILE *out, const struct entry *entry)
{
    fputs("*2\r\n", out);
    write_bulk(out, entry->id);
    fputs("*2\r\n", out);
    write_bulk(out, "event");
    write_bulk(out, entry->event);
}

static void write_entries(FILE *out, size_t from, size_t to, bool backwards)
{
    fprintf(out, "*%zu\r\n", from <= to ? to - from + 1 : 0);
    for (size_t i = from; i <= to; i++)
        write_entry(out, &entries[(backwards ? from + to - i : i) - 1]);
}

/* XRANGE or XREVRANGE, between MULTI and EXEC. */
static void queue_range(FILE *out, const redisReply *request)
{
    range.is_backwards = strcmp(request->element[0]->str, "XREVRANGE") == 0;
    range.from = strtoull(request->element[2]->str, NULL, 10);
    range.max = strtoull(request->element[5]->str, NULL, 10);
    fputs("+QUEUED\r\n", out);
}

static void write_range(FILE *out)
{
    size_t from = range.from;
    size_t last = from + range.max - 1;
    size_t to = from > 0 && from < n_entries ? from : n_entries;

    fputs("*2\r\n", out);
    if (range.is_backwards)
        write_entries(out, to > range.max ? to - range.max + 1 : 1, to, true);
    else
        write_entries(out, from, last < n_entries ? last : n_entries, false);
    write_bulk(out, epoch);
}

static void write_read(FILE *out, const redisReply *request)
{
    size_t after = strtoull(request->element[7]->str, NULL, 10);

    if (after >= n_entries) {
        fputs("*-1\r\n", out);
        return;
    }
    fputs("*1\r\n*2\r\n", out);
    write_bulk(out, request->element[6]->str);
    write_entries(out, after + 1, n_entries, false);
}

static void append(FILE *out, const redisReply *request)
{
    size_t n = strtoull(request->element[N_KEYS]->str, NULL, 10) - 2;
    redisReply **arguments = request->element + FIRST_KEY + n + 2;
    const char *nonce = arguments[1]->str;

    if (n_entries + n > MAX_ENTRIES) {
        fputs("-OOM command not allowed\r\n", out);
        return;
    }
    fprintf(out, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        const redisReply *event = arguments[APPEND_HEAD + i * EVENT_ARGUMENTS + 4];
        struct entry *entry = &entries[n_entries++];

        ck_assert_int_gt(asprintf(&entry->id, "%zu-%s", n_entries, nonce), 0);
        entry->event = strdup(event->str);
        fprintf(out, ":%zu\r\n", n_entries);
    }
}

static void write_nodes(FILE *out, const redisReply *request)
{
    bool is_first = request->element[FIRST_KEY + 1]->len == 0;

    fprintf(out, "*%d\r\n", is_first ? 3 : 2);
    write_bulk(out, is_first ? "a" : request->element[FIRST_KEY + 1]->str);
    write_bulk(out, "{\"total_connections\":1,\"rooms\":{\"r\":2}}");
    if (is_first)
        write_bulk(out, "b");
}

static void run_script(FILE *out, const redisReply *request)
{
    const char *script = request->element[SCRIPT]->str;

    if (strcmp(script, script_attach) == 0)
        write_attached(out);
    else if (strcmp(script, script_append) == 0 || strcmp(script, script_append_digest) == 0)
        append(out, request);
    else if (strcmp(script, script_nodes) == 0)
        write_nodes(out, request);
    else
        fputs("$-1\r\n", out);
}

static void answer_well(FILE *out, const redisReply *request)
{
    const char *command = request->element[0]->str;

    if (strcmp(command, "XREAD") == 0)
        write_read(out, request);
    else if (strcmp(command, "HMGET") == 0)
        write_state(out);
    else if (strcmp(command, "MULTI") == 0)
        fputs("+OK\r\n", out);
    else if (strcmp(command, "XRANGE") == 0 || strcmp(command, "XREVRANGE") == 0)
        queue_range(out, request);
    else if (strcmp(command, "HGET") == 0)
        fputs("+QUEUED\r\n", out);
    else if (strcmp(command, "EXEC") == 0)
        write_range(out);
    else
        run_script(out, request);
}

/* --- answers that the fuzzer chooses ---------------------------------------------------------- */

static void write_text(FILE *out, struct fuzz_input *input)
{
    static const char *const known[] = {
        "event",      "room",
        "user",       "exclude",
        "1-1",        "2-7",
        "3",          "0-0",
        "abcdefghij", "jihgfedcba",
        "{\"a\":1}",  "a-1 b",
        "",           "{\"total_connections\":1,\"rooms\":{\"r\":2}}"};
    unsigned which = input_below(input, 2 * sizeof known / sizeof *known);
    struct text text;

    if (which < sizeof known / sizeof *known) {
        write_bulk(out, known[which]);
        return;
    }
    text = input_bytes(input);
    fprintf(out, "$%zu\r\n", text.length);
    fwrite(text.bytes, 1, text.length, out);
    fputs("\r\n", out);
    text_free(&text);
}

static void write_number(FILE *out, struct fuzz_input *input)
{
    static const char *const known[] = {
        "0", "1", "2", "3", "-1", "9223372036854775807", "-9223372036854775808", "1000000"};

    fprintf(out, ":%s\r\n", known[input_below(input, sizeof known / sizeof *known)]);
}

static void write_error(FILE *out, struct fuzz_input *input)
{
    static const char *const known[] = {
        "EPOCH is another one",   "OOM is no room",      "READONLY is it",    "LOADING still",
        "NOSCRIPT there is none", "MOVED 1 127.0.0.1:1", "ASK 1 127.0.0.1:1", "TRYAGAIN later"};

    fprintf(out, "-%s\r\n", known[input_below(input, sizeof known / sizeof *known)]);
}

static void write_anything(FILE *out, struct fuzz_input *input, unsigned depth)
{
    unsigned n;

    switch (input_below(input, depth < MAX_DEPTH ? 9 : 5)) {
    case 0:
        fputs("$-1\r\n", out);
        break;
    case 1:
        write_number(out, input);
        break;
    case 2:
        write_error(out, input);
        break;
    case 3:
        fputs("+OK\r\n", out);
        break;
    case 4:
        write_text(out, input);
        break;
    default:
        n = input_below(input, 5);
        fprintf(out, "*%u\r\n", n);
        for (; n > 0; n--)
            write_anything(out, input, depth + 1);
        break;
    }
}

void answer(FILE *out, const redisReply *request, struct fuzz_input *input)
{
    if (input_below(input, 4) < 3)
        answer_well(out, request);
    else
        write_anything(out, input, 0);
}
