/* recovery_query.c: reads the parameters of a client that recovers from its request. */
#include "transport/websocket/recovery_query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "transport/websocket/query.h"

/* Decodes a parameter to *to and moves *to behind it; *value is NULL if the parameter is
 * absent. False if its percent-encoding is wrong, or if it is not UTF-8 or contains a NUL. */
static bool read_parameter(const char *query, const char *name, char **to, char **value)
{
    ptrdiff_t length = query_parameter(query, name, *to);

    *value = NULL;
    if (length == QUERY_ABSENT)
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

int recovery_query_read(struct recovery_query *said, const ws_allocator *memory,
                        const char *query, size_t max_rooms, ws_connect_options *options)
{
    char *after;
    char *rooms;
    char *former;
    char *to;

    *said = (struct recovery_query){.memory = memory};
    if (query[0] == '\0')
        return WS_OK;
    /* The decoded values are not longer than the query. The second half is for the names of
     * other parameters, which are decoded to be compared. */
    said->text = memory_alloc(memory, 2 * (strlen(query) + 3));
    if (said->text == NULL)
        return WS_ERR_NO_MEMORY;
    to = said->text;
    if (!read_parameter(query, "after", &to, &after) ||
        !read_parameter(query, "connection_id", &to, &former) ||
        !read_parameter(query, "rooms", &to, &rooms))
        return WS_ERR_INVALID;
    options->after = after;
    options->former_connection_id = former;
    return rooms != NULL ? split_rooms(said, rooms, max_rooms, options) : WS_OK;
}

void recovery_query_free(struct recovery_query *said)
{
    memory_free(said->memory, said->rooms);
    memory_free(said->memory, said->text);
}
