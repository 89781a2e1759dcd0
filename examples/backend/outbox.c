/* outbox.c: the events of one transaction, made before the commit and emitted after it.
 * What an event's data is, is the API's. */
#include "outbox.h"

#include <stdlib.h>

#include <ws_manager/emit.h>

#include "log.h"

bool outbox_add(struct outbox *outbox, outbox_emit *emit, const cJSON *data)
{
    char *json = cJSON_PrintUnformatted(data);

    if (json == NULL) {
        return false;
    }
    if (outbox->count == outbox->capacity) {
        size_t capacity = outbox->capacity > 0 ? 2 * outbox->capacity : 8;
        struct outbox_event *events = realloc(outbox->events, capacity * sizeof *events);

        if (events == NULL) {
            cJSON_free(json);
            return false;
        }
        outbox->events = events;
        outbox->capacity = capacity;
    }
    outbox->events[outbox->count++] = (struct outbox_event){.emit = emit, .json = json};
    return true;
}

void outbox_send(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        int result = outbox->events[i].emit(outbox->events[i].json);

        if (result != WS_OK) {
            log_line(WS_LOG_ERROR, "an event was not sent: %s", ws_strerror(result));
        }
    }
}

void outbox_free(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        cJSON_free(outbox->events[i].json);
    }
    free(outbox->events);
    *outbox = (struct outbox){0};
}
