/* recovery_query.c: reads the parameters of a client that recovers from its request. */
#include "transport/shared/recovery_query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_query.h"
#include "base/utf8.h"

enum { N_VALUES = 5 };

/* Decodes a parameter to *to and moves *to behind it; *value is NULL if the parameter is
 * absent. False if its percent-encoding is wrong, or if it is not UTF-8 or contains a NUL. */
static bool read_parameter(const char *query, const char *name, char **to, const char *end,
                           char **value)
{
    ptrdiff_t length = http_query_next(&query, name, *to, (size_t)(end - *to));

    *value = NULL;
    if (length == HTTP_QUERY_ABSENT)
        return true;
    if (length < 0 || memchr(*to, '\0', (size_t)length) != NULL ||
        !utf8_valid(*to, (size_t)length))
        return false;
    *value = *to;
    *to += length + 1;
    return true;
}

static size_t count_names(const char *list)
{
    size_t count = 1;

    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

/* Compares names; equal names are ordered by their place in the list. */
static int compare_names(const void *one, const void *other)
{
    const char *a = *(char *const *)one;
    const char *b = *(char *const *)other;
    int order = strcmp(a, b);

    return order != 0 ? order : (a > b) - (a < b);
}

/* Keeps the first of each name, in the list's order. `sorted` has room for all names. */
static size_t drop_repeated(char **names, char **sorted, size_t n_names)
{
    size_t n_kept = 0;

    memcpy(sorted, names, n_names * sizeof *names);
    qsort(sorted, n_names, sizeof *sorted, compare_names);
    for (size_t i = n_names; i-- > 1;)
        if (strcmp(sorted[i], sorted[i - 1]) == 0)
            *sorted[i] = '\0';
    for (size_t i = 0; i < n_names; i++)
        if (*names[i] != '\0')
            names[n_kept++] = names[i];
    return n_kept;
}

/* Splits a list at its commas; empty names are skipped. */
static int split_rooms(struct recovery_query *said, char *list, size_t max_rooms,
                       ws_connect_options *options)
{
    size_t most = count_names(list);
    size_t n_names = 0;
    char *rest = NULL;

    said->rooms = memory_alloc(said->memory, 2 * most * sizeof *said->rooms);
    if (said->rooms == NULL)
        return WS_ERR_NO_MEMORY;
    for (char *room = strtok_r(list, ",", &rest); room != NULL;
         room = strtok_r(NULL, ",", &rest))
        said->rooms[n_names++] = room;
    if (n_names > max_rooms)
        return WS_ERR_TOO_MANY_ROOMS;
    options->n_rooms = drop_repeated(said->rooms, said->rooms + most, n_names);
    options->rooms = (const char *const *)said->rooms;
    return WS_OK;
}

/* A number, which is 0 if the text is none. */
static uint32_t read_count(const char *text)
{
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9'; text++) {
        number = 10 * number + (uint64_t)(*text - '0');
        if (number > UINT32_MAX)
            number = UINT32_MAX;
    }
    return *text == '\0' ? (uint32_t)number : 0;
}

int recovery_query_read(struct recovery_query *said, const ws_allocator *memory,
                        const char *query, size_t max_rooms, ws_connect_options *options)
{
    char *after;
    char *rooms;
    char *former;
    char *state;
    char *last;
    char *to;
    char *end;

    *said = (struct recovery_query){.memory = memory};
    if (query[0] == '\0')
        return WS_OK;
    said->text = memory_alloc(memory, strlen(query) + N_VALUES); /* each has a NUL */
    if (said->text == NULL)
        return WS_ERR_NO_MEMORY;
    to = said->text;
    end = to + strlen(query) + N_VALUES;
    if (!read_parameter(query, "after", &to, end, &after) ||
        !read_parameter(query, "connection_id", &to, end, &former) ||
        !read_parameter(query, "rooms", &to, end, &rooms) ||
        !read_parameter(query, "state", &to, end, &state) ||
        !read_parameter(query, "last", &to, end, &last))
        return WS_ERR_INVALID;
    options->with_state =
        state != NULL && (strcmp(state, "1") == 0 || strcmp(state, "true") == 0);
    options->last_events = last != NULL ? read_count(last) : 0;
    options->after = after;
    options->former_connection_id = former;
    return rooms != NULL ? split_rooms(said, rooms, max_rooms, options) : WS_OK;
}

void recovery_query_free(struct recovery_query *said)
{
    memory_free(said->memory, said->rooms);
    memory_free(said->memory, said->text);
}
