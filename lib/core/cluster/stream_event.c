/* stream_event.c: converts events of the stream between processes into messages. */
#include "core/cluster/stream_event.h"

#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/sending/encode.h"

bool cluster_event_kind(const ws_cluster_event *event, enum group_kind *kind)
{
    switch (event->scope) {
    case WS_SCOPE_EVERYONE:
        *kind = GROUP_EVERYONE;
        return true;
    case WS_SCOPE_USER:
        *kind = GROUP_USER;
        break;
    case WS_SCOPE_ROOM:
        *kind = GROUP_ROOM;
        break;
    default:
        return false;
    }
    return event->target != NULL && name_text_valid(event->target);
}

/* The stream is untrusted input. The object must have a first member, so that an id can be
 * written before it. */
bool cluster_event_valid(const ws_cluster_event *event, enum group_kind *kind)
{
    return event->text != NULL && event->length > 2 && event->length <= MESSAGE_MAX_BYTES &&
           event->text[0] == '{' && event->text[1] == '"' && cluster_event_kind(event, kind) &&
           json_valid(event->text, event->length, JSON_LEVELS);
}

static size_t count_names(const char *names)
{
    size_t count = 1;

    for (; *names != '\0'; names++)
        count += *names == ' ';
    return count;
}

/* Reads the connections that the event excludes, by message_exclusion(). All of them belong to
 * the process that sent the event, so the first determines is_foreign. NULL if memory ran
 * out. */
static ws_conn_id *read_excluded(const ws_manager *manager, const char *names, size_t *count,
                                 bool *is_foreign)
{
    ws_conn_id *excluded =
        memory_alloc(&manager->memory, count_names(names) * sizeof *excluded);

    *count = 0;
    if (excluded == NULL)
        return NULL;
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        char name[CONNECTION_NAME_SIZE] = "";
        bool foreign;
        ws_conn_id id;

        if (length < sizeof name)
            memcpy(name, names, length);
        id = message_exclusion(manager->process, name, &foreign);
        if (*count == 0)
            *is_foreign = foreign;
        if (foreign == *is_foreign)
            excluded[(*count)++] = id;
        names += length;
        names += *names == ' ';
    }
    return excluded;
}

ws_message *cluster_event_message(const ws_manager *manager, const ws_cluster_event *event)
{
    ws_conn_id *excluded = NULL;
    size_t n_excluded = 0;
    bool is_foreign = false;
    ws_message *message;

    if (event->exclude != NULL && event->exclude[0] != '\0') {
        excluded = read_excluded(manager, event->exclude, &n_excluded, &is_foreign);
        if (excluded == NULL)
            return NULL;
    }
    message = encode_stored(&manager->memory, event->text, event->length, excluded, n_excluded);
    memory_free(&manager->memory, excluded);
    if (message != NULL)
        message->is_foreign = is_foreign;
    return message;
}
