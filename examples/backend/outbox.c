/* outbox.c: events of the API, kept in the database until they are stored elsewhere.
 * The API decides what they contain. */
#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "server/parts/monotonic_clock.h"

enum {
    ROWS_AT_ONCE = 64,
    PAGES_AT_ONCE = 16,  /* some milliseconds of a turn, in which the database is locked */
    FIRST_PAUSE_MS = 20, /* also while Redis is full: it soon takes many at once again */
    LONGEST_PAUSE_MS = 1000,
    KEY_NUMBER_SIZE = 24
};

/* The user data of an event that was emitted. */
struct receipt {
    struct outbox *outbox;
    int64_t row;
};

/* Events are stored in the order in which they were emitted. */
static void on_stored(int result, const char *id, void *user_data)
{
    struct receipt *receipt = user_data;

    (void)id;
    if (result == WS_OK)
        atomic_store(&receipt->outbox->stored, receipt->row);
    free(receipt);
}

static int send_event(ws_manager *manager, const struct outbox_row *row, ws_event *event)
{
    int result;

    if (row->user_id == NULL)
        return ws_manager_emit_event(manager, event);
    result = ws_event_set_user_id(event, row->user_id);
    return result == WS_OK ? ws_manager_send_to_user(manager, row->user_id, event, NULL, 0)
                           : result;
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
    if (result == WS_OK && row->key != NULL)
        result = ws_event_set_key(event, row->key);
    if (result == WS_OK)
        result = ws_event_set_sequence(event, row->producer, (uint64_t)row->id);
    if (result == WS_OK)
        result = ws_event_set_stored_callback(event, on_stored, receipt);
    if (result == WS_OK)
        result = send_event(outbox->manager, row, event);
    if (result != WS_OK)
        free(receipt);
    ws_event_free(event);
    return result;
}

/* False if this row, and so all after it, must wait. */
static bool take_row(const struct outbox_row *row, void *user_data)
{
    struct outbox *outbox = user_data;
    int result = emit_row(outbox, row);

    if (result == WS_ERR_BACKPRESSURE || result == WS_ERR_NO_MEMORY) {
        atomic_store(&outbox->is_stuck, true);
        return false;
    }
    if (result != WS_OK) {
        static struct log_pause pause;

        if (log_pause_take(&pause))
            log_line(WS_LOG_ERROR, "event %lld (%s) of the outbox is skipped: %s",
                     (long long)row->id, row->type, ws_strerror(result));
    }
    outbox->emitted = row->id;
    return true;
}

enum store_result outbox_send(struct outbox *outbox)
{
    enum store_result result = STORE_OK;
    size_t count = ROWS_AT_ONCE;

    atomic_store(&outbox->is_stuck, false);
    for (int i = 0; i < PAGES_AT_ONCE && result == STORE_OK && count == ROWS_AT_ONCE; i++)
        result = store_outbox_list(outbox->store, outbox->node, outbox->emitted, ROWS_AT_ONCE,
                                   take_row, outbox, &count);
    if (result != STORE_OK || count == ROWS_AT_ONCE)
        atomic_store(&outbox->is_stuck, true);
    return result;
}

/* What an event is about: its SKU, or the id of an order or a client, in `number`; NULL:
 * neither. */
static const char *key_of(const cJSON *data, char number[KEY_NUMBER_SIZE])
{
    const cJSON *sku = cJSON_GetObjectItemCaseSensitive(data, "sku");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(data, "id");

    if (cJSON_IsString(sku))
        return ws_name_is_valid(sku->valuestring) ? sku->valuestring : NULL;
    if (!cJSON_IsNumber(id))
        return NULL;
    snprintf(number, KEY_NUMBER_SIZE, "%.0f", id->valuedouble);
    return number;
}

enum store_result outbox_add(struct outbox *outbox, const char *type, const char *user_id,
                             const cJSON *data)
{
    char number[KEY_NUMBER_SIZE];
    char *json = cJSON_PrintUnformatted(data);
    struct outbox_row row = {
        .producer = outbox->producer,
        .type = type,
        .user_id = user_id,
        .key = key_of(data, number),
        .data = json,
    };
    enum store_result result = STORE_MEMORY;

    if (json != NULL)
        result = store_outbox_add(outbox->store, outbox->node, &row);
    cJSON_free(json);
    return result;
}

void outbox_open(struct outbox *outbox, struct store *store, ws_manager *manager,
                 const char *node)
{
    *outbox = (struct outbox){
        .store = store, .manager = manager, .node = node, .pause_ms = FIRST_PAUSE_MS};
    snprintf(outbox->producer, sizeof outbox->producer, "%s:outbox",
             ws_manager_process_id(manager));
    atomic_store(&outbox->is_stuck, true);
    outbox_settle(outbox, monotonic_ms());
}

bool outbox_is_stored(struct outbox *outbox)
{
    return !atomic_load(&outbox->is_stuck) && atomic_load(&outbox->stored) >= outbox->emitted;
}

/* store_begin() or store_try_begin() */
typedef enum store_result begin_function(struct store *store, enum store_access access);

/* Emits the rows that were not accepted. It only reads, so it works while nobody can write to the
 * database. */
static enum store_result send_again(struct outbox *outbox, begin_function *begin)
{
    enum store_result result = begin(outbox->store, STORE_READ);

    if (result == STORE_OK) {
        result = outbox_send(outbox);
        store_end(outbox->store);
    }
    return result;
}

static enum store_result delete_stored(struct outbox *outbox, begin_function *begin)
{
    int64_t stored = atomic_load(&outbox->stored);
    enum store_result result = begin(outbox->store, STORE_WRITE);

    if (result != STORE_OK)
        return result;
    result =
        store_outbox_delete(outbox->store, outbox->node, atomic_load(&outbox->deleted), stored);
    if (result == STORE_OK)
        result = store_commit(outbox->store);
    if (result == STORE_OK)
        atomic_store(&outbox->deleted, stored);
    store_end(outbox->store);
    return result;
}

static bool has_stored(struct outbox *outbox)
{
    return atomic_load(&outbox->stored) > atomic_load(&outbox->deleted);
}

/* When the next attempt may be made. */
static uint64_t next_try(struct outbox *outbox, enum store_result result, uint64_t now_ms)
{
    uint64_t pause_ms = outbox->pause_ms;

    if (result == STORE_TAKEN)
        return now_ms + FIRST_PAUSE_MS;
    if (result == STORE_OK) {
        outbox->pause_ms = FIRST_PAUSE_MS;
        return atomic_load(&outbox->is_stuck) ? now_ms + FIRST_PAUSE_MS : WS_NO_DEADLINE;
    }
    outbox->pause_ms = pause_ms < LONGEST_PAUSE_MS / 2 ? 2 * pause_ms : LONGEST_PAUSE_MS;
    return now_ms + pause_ms;
}

static uint64_t settle(struct outbox *outbox, uint64_t now_ms, begin_function *begin)
{
    enum store_result result = STORE_OK;
    uint64_t next_ms;

    if (atomic_load(&outbox->is_stuck))
        result = send_again(outbox, begin);
    if (has_stored(outbox) && result != STORE_TAKEN) {
        enum store_result deleted = delete_stored(outbox, begin);

        result = result == STORE_OK ? deleted : result;
    }
    next_ms = next_try(outbox, result, now_ms);
    atomic_store(&outbox->next_try_ms, next_ms == WS_NO_DEADLINE ? 0 : next_ms);
    return next_ms;
}

uint64_t outbox_settle(struct outbox *outbox, uint64_t now_ms)
{
    uint64_t next_ms = atomic_load(&outbox->next_try_ms);

    if (!has_stored(outbox) && !atomic_load(&outbox->is_stuck))
        return WS_NO_DEADLINE;
    if (now_ms < next_ms)
        return next_ms;
    if (atomic_exchange(&outbox->is_settling, true))
        return now_ms + FIRST_PAUSE_MS; /* for what came too late for the other loop */
    next_ms = settle(outbox, now_ms, store_try_begin);
    atomic_store(&outbox->is_settling, false);
    return next_ms;
}

/* A checkpoint may still have the store: there is no later attempt, and no loop that must not
 * wait. */
void outbox_close(struct outbox *outbox)
{
    settle(outbox, monotonic_ms(), store_begin);
}
