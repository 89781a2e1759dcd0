/* outbox.h: the events of one transaction, made before the commit and emitted after it.
 * What an event's data is, is the API's. */
#ifndef BACKEND_OUTBOX_H
#define BACKEND_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* One of the library's emit_*(). */
typedef int outbox_emit(const char *json);

struct outbox_event {
    outbox_emit *emit;
    char *json;
};

/* All zero is an empty outbox. */
struct outbox {
    struct outbox_event *events;
    size_t count;
    size_t capacity;
};

/* Adds an event; the tree stays the caller's. False when memory is short. */
bool outbox_add(struct outbox *outbox, outbox_emit *emit, const cJSON *data);

/* Emits all, in the order in which they were added. A failure is logged: what is committed
 * stays. */
void outbox_send(struct outbox *outbox);

void outbox_free(struct outbox *outbox);

#endif
