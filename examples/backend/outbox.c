/* outbox.c: events of the API, in the database until they are stored.
 * What an event's data is, is the API's. */
#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"

enum { ROWS_AT_ONCE = 64 };

/* Goes with an event that is on its way. */
struct receipt {
    struct outbox *outbox;
    int64_t row;
};

/* Events are stored in the order in which they were emitted. */
static void on_stored(int result, const char *id, void *user_data)
{
    struct receipt *receipt = user_data;

    (void)id;
    if (result == WS_OK) {
        atomic_store(&receipt->outbox->stored, receipt->row);
    }
    free(receipt);
}

static int send_event(ws_manager *manager, const struct outbox_row *row, ws_event *event)
{
    int result;

    if (row->user_id == NULL) {
        return ws_manager_emit_event(manager, event);
    }
    result = ws_event_set_user_id(event, row->user_id);
    return result == WS_OK ? ws_manager_send_to_user(manager, row->user_id, event) : result;
}

static int emit_row(struct outbox *outbox, const struct outbox_row *row)
{
    struct receipt *receipt = malloc(sizeof *receipt);
    ws_event *event = NULL;
    int result = receipt != NULL ? WS_OK : WS_ERR_NO_MEMORY;

    if (result == WS_OK) {
        *receipt = (struct receipt){outbox, row->id};
        result = ws_event_new(outbox->manager, row->type, row->data, row->length, &event);
    }
    if (result == WS_OK) {
        result = ws_event_set_sequence(event, row->producer, (uint64_t)row->id);
    }
    if (result == WS_OK) {
        result = ws_event_on_stored(event, on_stored, receipt);
    }
    if (result == WS_OK) {
        result = send_event(outbox->manager, row, event);
    }
    if (result != WS_OK) {
        free(receipt);
    }
    ws_event_free(event);
    return result;
}

/* False when the row, and so those behind it, must wait. */
static bool take_row(const struct outbox_row *row, void *user_data)
{
    struct outbox *outbox = user_data;
    int result = emit_row(outbox, row);

    if (result == WS_ERR_BACKPRESSURE || result == WS_ERR_NO_MEMORY) {
        atomic_store(&outbox->is_stuck, true);
        return false;
    }
    if (result != WS_OK) {
        log_line(WS_LOG_ERROR, "an event was not sent: %s", ws_strerror(result));
    }
    outbox->emitted = row->id;
    return true;
}

void outbox_send(struct outbox *outbox)
{
    enum store_result result;
    size_t count;

    atomic_store(&outbox->is_stuck, false);
    do {
        result = store_outbox_list(outbox->store, outbox->node, outbox->emitted, ROWS_AT_ONCE,
                                   take_row, outbox, &count);
    } while (result == STORE_OK && count == ROWS_AT_ONCE);
    if (result != STORE_OK) {
        atomic_store(&outbox->is_stuck, true);
    }
}

enum store_result outbox_add(struct outbox *outbox, const char *type, const char *user_id,
                             const cJSON *data)
{
    char *json = cJSON_PrintUnformatted(data);
    struct outbox_row row = {
        .producer = outbox->producer,
        .type = type,
        .user_id = user_id,
        .data = json,
    };
    enum store_result result = STORE_MEMORY;

    if (json != NULL) {
        result = store_outbox_add(outbox->store, outbox->node, &row);
    }
    cJSON_free(json);
    return result;
}

void outbox_open(struct outbox *outbox, struct store *store, ws_manager *manager,
                 const char *node)
{
    *outbox = (struct outbox){.store = store, .manager = manager, .node = node};
    snprintf(outbox->producer, sizeof outbox->producer, "%s:outbox",
             ws_manager_process_id(manager));
    atomic_store(&outbox->is_stuck, true);
    outbox_settle(outbox);
}

bool outbox_settle(struct outbox *outbox)
{
    int64_t stored = atomic_load(&outbox->stored);
    enum store_result result;

    if (stored <= atomic_load(&outbox->deleted) && !atomic_load(&outbox->is_stuck)) {
        return false;
    }
    if (store_begin(outbox->store, STORE_WRITE) != STORE_OK) {
        return true;
    }
    result = store_outbox_delete(outbox->store, outbox->node, stored);
    if (result == STORE_OK) {
        result = store_commit(outbox->store);
    }
    if (result == STORE_OK) {
        atomic_store(&outbox->deleted, stored);
        outbox_send(outbox);
    }
    store_end(outbox->store);
    return result != STORE_OK || atomic_load(&outbox->is_stuck);
}
