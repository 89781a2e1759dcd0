/* entry.c: reads an entry of the Redis stream as an event. */
#include "cluster/redis/entry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_STRING;
}

static bool is_pair(const redisReply *entry)
{
    return entry != NULL && entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 &&
           is_text(entry->element[0]) && entry->element[1] != NULL &&
           entry->element[1]->type == REDIS_REPLY_ARRAY;
}

static void read_field(const char *name, const redisReply *value, ws_cluster_event *event)
{
    if (strcmp(name, "event") == 0) {
        event->text = value->str;
        event->length = value->len;
    } else if (strcmp(name, "order") == 0) {
        event->scope = WS_SCOPE_PROCESSES;
        event->text = value->str;
        event->length = value->len;
    } else if (strcmp(name, "exclude") == 0) {
        event->exclude = value->str;
    } else if (strcmp(name, "user") == 0) {
        event->scope = WS_SCOPE_USER;
        event->target = value->str;
    } else if (strcmp(name, "room") == 0) {
        event->scope = WS_SCOPE_ROOM;
        event->target = value->str;
    }
}

void entry_read(const redisReply *entry, ws_cluster_event *event, const char **nonce)
{
    const redisReply *fields;
    char *end;

    *event = (ws_cluster_event){.size = sizeof *event, .scope = WS_SCOPE_EVERYONE};
    *nonce = "";
    if (!is_pair(entry))
        return;
    event->position = strtoull(entry->element[0]->str, &end, 10);
    if (*end == '-')
        *nonce = end + 1;
    fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (is_text(fields->element[i]) && is_text(fields->element[i + 1]))
            read_field(fields->element[i]->str, fields->element[i + 1], event);
}

size_t entry_bytes(const redisReply *entry)
{
    size_t bytes = 0;

    if (is_pair(entry))
        for (size_t i = 0; i < entry->element[1]->elements; i++)
            bytes += entry->element[1]->element[i]->len;
    return bytes;
}

redisReply *entry_take(redisReply *array, size_t at)
{
    redisReply *taken;

    if (array == NULL || array->type != REDIS_REPLY_ARRAY || at >= array->elements)
        return NULL;
    taken = array->element[at];
    array->element[at] = NULL;
    return taken;
}
