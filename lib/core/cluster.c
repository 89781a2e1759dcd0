/* cluster.c: what a carrier of events between processes calls, and what it is asked for. */
#include "core/cluster.h"

#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/encode.h"
#include "core/options.h"
#include "core/publish.h"
#include "protocol/json/answer.h"

enum { FETCHED_AT_ONCE = 256 };

struct fetch_request {
    ws_conn_id connection;
    uint64_t after;
};

int ws_manager_set_cluster(ws_manager *manager, const ws_cluster *cluster, void *data)
{
    ws_cluster copy = {.size = sizeof copy};

    if (manager == NULL)
        return WS_ERR_INVALID;
    if (cluster == NULL) {
        manager->has_cluster = false;
        return WS_OK;
    }
    if (!options_copy(&copy, sizeof copy, cluster) || copy.publish == NULL ||
        copy.fetch == NULL)
        return WS_ERR_INVALID;
    if (manager->has_cluster || manager->n_loops > 0 || manager->position > 0)
        return WS_ERR_ALREADY;
    manager->cluster = copy;
    manager->cluster_data = data;
    manager->has_cluster = true;
    return WS_OK;
}

int ws_cluster_new_epoch(char *epoch)
{
    return epoch_draw(epoch) ? WS_OK : WS_ERR_SYSTEM;
}

/* --- events as messages -------------------------------------------------------------------------- */

static bool kind_of(const ws_cluster_event *event, enum group_kind *kind)
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

/* It comes from outside of the process: others may write to the stream too. An id can be put in front
 * of an object's first member. */
static bool event_valid(const ws_cluster_event *event, enum group_kind *kind)
{
    return event->text != NULL && event->length > 2 && event->length <= MESSAGE_MAX_BYTES &&
           event->text[0] == '{' && event->text[1] == '"' && kind_of(event, kind) &&
           json_valid(event->text, event->length, JSON_MAX_DEPTH + 1);
}

static size_t count_names(const char *names)
{
    size_t count = 1;

    for (; *names != '\0'; names++)
        count += *names == ' ';
    return count;
}

/* What stands for the connections that it excludes. Those of one event are all of the process that sent it,
 * so the first tells whose they are. NULL if memory ran out. */
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

/* The message of an event, complete but for its id; NULL if memory ran out. */
static ws_message *make_message(const ws_manager *manager, const ws_cluster_event *event)
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

/* --- delivery ------------------------------------------------------------------------------------ */

static int64_t wall_clock(const ws_manager *manager)
{
    return manager->options.clock(manager->options.user_data);
}

static bool is_next(ws_manager *manager, uint64_t position)
{
    bool next;

    manager_lock(manager);
    next = manager->cluster_started && position == manager->position + 1;
    manager_unlock(manager);
    return next;
}

/* Nobody gets it, but the positions go on. */
static void pass_over(ws_manager *manager, uint64_t position)
{
    manager_log(manager, WS_LOG_WARN, "event %llu of the stream can't be understood",
                (unsigned long long)position);
    manager_lock(manager);
    manager->position++;
    manager_unlock(manager);
}

int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event)
{
    ws_message *message;
    enum group_kind kind;
    int result;

    if (manager == NULL || event == NULL || !is_next(manager, event->position))
        return WS_ERR_INVALID;
    if (!event_valid(event, &kind)) {
        pass_over(manager, event->position);
        return WS_OK;
    }
    message = make_message(manager, event);
    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    result =
        send_event(manager, (struct target){kind, event->target}, message, wall_clock(manager));
    ws_message_unref(message);
    return result;
}

void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                               uint64_t position)
{
    struct receipt *given = receipt;
    char id[EVENT_ID_SIZE] = "";

    if (given == NULL)
        return;
    if (result == WS_OK && position > 0) {
        manager_lock(manager);
        event_id_write(manager->epoch, position, id);
        manager_unlock(manager);
    }
    given->stored(result, id, given->stored_data);
    memory_free(&manager->memory, given);
}

/* --- beginning ----------------------------------------------------------------------------------- */

static bool positions_valid(uint64_t position, const ws_cluster_event *events, size_t n_events)
{
    if (n_events > position)
        return false;
    for (size_t i = 0; i < n_events; i++)
        if (events[i].position != position - n_events + 1 + i)
            return false;
    return true;
}

/* Without memory for one, or sense in it, the history begins behind it. The lock is held. */
static void keep(ws_manager *manager, const ws_cluster_event *event, ws_message *message,
                 int64_t now_ms)
{
    struct history_line *line;
    enum group_kind kind;

    manager->position = event->position;
    if (message == NULL || !kind_of(event, &kind) ||
        !history_reserve(&manager->history, kind, event->target, &line)) {
        history_reset(&manager->history, event->position);
        return;
    }
    encode_finish(manager, message, event->position);
    history_append(&manager->history, line, message, now_ms);
}

/* What was read before is no more, or it is unknown what came between. The lock is held. */
static void begin_anew(ws_manager *manager, const char *epoch, uint64_t position,
                       const ws_cluster_event *events, ws_message **messages, size_t n_events,
                       int64_t now_ms)
{
    memcpy(manager->epoch, epoch, sizeof manager->epoch);
    history_reset(&manager->history, position - n_events);
    for (size_t i = 0; i < n_events; i++)
        keep(manager, &events[i], messages[i], now_ms);
    manager->position = position;
}

/* The lock is held. */
static int reserve_everywhere(ws_manager *manager)
{
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        int result =
            manager->loops[i] != NULL ? loop_reserve_n(manager->loops[i], 2, true) : WS_OK;

        if (result != WS_OK)
            return result;
    }
    return WS_OK;
}

/* Each loop learns of the epoch, and who is connected that something was missed. The lock is held. */
static void post_epoch(struct posting *posting, struct detail **details, ws_message *told)
{
    const ws_manager *manager = posting->manager;

    for (uint32_t i = 0; i < manager->n_loops; i++) {
        ws_loop *loop = manager->loops[i];

        if (loop == NULL)
            continue;
        posting_push(posting, loop,
                     &(struct command){.kind = COMMAND_EPOCH, .detail = details[i]});
        details[i] = NULL;
        if (told != NULL && loop->n_connections > 0)
            posting_push(
                posting, loop,
                &(struct command){.kind = COMMAND_EVENT, .message = ws_message_ref(told)});
    }
}

/* {"type":"recovered"} with `complete` false, at a position: those who recover are told so otherwise. */
static ws_message *tell_missed(const ws_manager *manager, const char *epoch, uint64_t position)
{
    char id[EVENT_ID_SIZE];
    struct buffer buffer;
    ws_message *message = NULL;

    event_id_write(epoch, position, id);
    buffer_init(&buffer, &manager->memory);
    answer_recovered(&buffer, false, 0, id);
    if (!buffer.failed)
        message = message_new_copy(&manager->memory, buffer.data, buffer.length, true);
    buffer_free(&buffer);
    if (message == NULL)
        return NULL;
    manager_frame(manager, message);
    message->position = position > 0 ? position : 1;
    return message;
}

/* All that ws_manager_cluster_start() needs memory for, before anything changes. */
struct start {
    struct detail *details[MANAGER_MAX_LOOPS];
    ws_message *told;
    ws_message **messages;
    size_t n_messages;
};

static bool prepare(const ws_manager *manager, struct start *start, const char *epoch,
                    uint64_t position, const ws_cluster_event *events, size_t n_events)
{
    enum group_kind kind;

    for (uint32_t i = 0; i < manager->n_loops; i++) {
        start->details[i] = detail_new(&manager->memory, epoch, EPOCH_LENGTH);
        if (start->details[i] == NULL)
            return false;
    }
    start->told = tell_missed(manager, epoch, position);
    if (start->told == NULL)
        return false;
    if (n_events == 0)
        return true;
    start->messages = memory_zalloc(&manager->memory, n_events * sizeof *start->messages);
    if (start->messages == NULL)
        return false;
    for (start->n_messages = 0; start->n_messages < n_events; start->n_messages++)
        if (event_valid(&events[start->n_messages], &kind))
            start->messages[start->n_messages] =
                make_message(manager, &events[start->n_messages]);
    return true;
}

static void discard(const ws_manager *manager, struct start *start)
{
    for (size_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        memory_free(&manager->memory, start->details[i]);
    for (size_t i = 0; i < start->n_messages; i++)
        if (start->messages[i] != NULL)
            ws_message_unref(start->messages[i]);
    memory_free(&manager->memory, start->messages);
    if (start->told != NULL)
        ws_message_unref(start->told);
}

int ws_manager_cluster_start(ws_manager *manager, const char *epoch, uint64_t position,
                             const ws_cluster_event *events, size_t n_events)
{
    struct start start = {0};
    struct posting posting;
    int64_t now_ms;
    bool goes_on;
    int result;

    if (manager == NULL || epoch == NULL || !epoch_valid(epoch) ||
        (events == NULL && n_events > 0) || !positions_valid(position, events, n_events))
        return WS_ERR_INVALID;
    if (!prepare(manager, &start, epoch, position, events, n_events)) {
        discard(manager, &start);
        return WS_ERR_NO_MEMORY;
    }
    now_ms = wall_clock(manager);
    posting_begin(&posting, manager);
    result = reserve_everywhere(manager);
    if (result == WS_OK) {
        goes_on = manager->cluster_started && strcmp(epoch, manager->epoch) == 0 &&
                  position == manager->position;
        if (!goes_on) {
            begin_anew(manager, epoch, position, events, start.messages, n_events, now_ms);
            manager->cluster_started = true;
            post_epoch(&posting, start.details, start.told);
        }
    }
    posting_end(&posting);
    discard(manager, &start);
    return result;
}

/* --- fetching for one client ----------------------------------------------------------------------- */

void fetched_free(const ws_manager *manager, struct fetched *fetched)
{
    if (fetched == NULL)
        return;
    for (size_t i = 0; i < fetched->count; i++)
        if (fetched->events[i].message != NULL)
            ws_message_unref(fetched->events[i].message);
    memory_free(&manager->memory, fetched);
}

bool cluster_fetch(const struct connection *connection, uint64_t after)
{
    const ws_manager *manager = connection->loop->manager;
    struct fetch_request *request;

    if (!manager->has_cluster)
        return false;
    request = memory_alloc(&manager->memory, sizeof *request);
    if (request == NULL)
        return false;
    *request = (struct fetch_request){connection->id, after};
    if (manager->cluster.fetch(after, FETCHED_AT_ONCE, request, manager->cluster_data) == WS_OK)
        return true;
    memory_free(&manager->memory, request);
    return false;
}

/* One that can't be understood is a hole. False if memory ran out. */
static bool add_fetched(ws_manager *manager, struct fetched *fetched,
                        const ws_cluster_event *event)
{
    struct fetched_event *added = &fetched->events[fetched->count];
    ws_message *message;

    if (event_valid(event, &added->kind)) {
        message = make_message(manager, event);
        if (message == NULL)
            return false;
        if (added->kind != GROUP_EVERYONE)
            strcpy(added->name, event->target);
        manager_lock(manager);
        encode_finish(manager, message, event->position);
        manager_unlock(manager);
        added->message = message;
    }
    fetched->count++;
    return true;
}

/* Only what has no gap behind `after` is of use. */
static size_t count_usable(uint64_t after, const ws_cluster_event *events, size_t n_events)
{
    size_t count = 0;

    while (count < n_events && count < FETCHED_AT_ONCE &&
           events[count].position == after + 1 + count)
        count++;
    return count;
}

/* The client may have gone meanwhile: WS_ERR_NOT_FOUND. */
static int post_fetched(ws_manager *manager, ws_conn_id id, struct fetched *fetched)
{
    struct posting posting;
    struct connection *connection;
    int result = WS_ERR_NOT_FOUND;

    posting_begin(&posting, manager);
    connection = connection_find(manager, id);
    if (connection != NULL)
        result = loop_reserve(connection->loop, false);
    if (result == WS_OK) {
        connection->pins++;
        posting_push(&posting, connection->loop,
                     &(struct command){.kind = COMMAND_FETCHED,
                                       .connection = connection,
                                       .fetched = fetched});
    }
    posting_end(&posting);
    return result;
}

int ws_manager_cluster_fetched(ws_manager *manager, void *request,
                               const ws_cluster_event *events, size_t n_events)
{
    struct fetch_request *asked = request;
    size_t count = count_usable(asked->after, events, n_events);
    struct fetched *fetched =
        memory_zalloc(&manager->memory, sizeof *fetched + count * sizeof fetched->events[0]);
    int result = WS_ERR_NO_MEMORY;

    if (fetched != NULL) {
        fetched->after = asked->after;
        while (fetched->count < count && add_fetched(manager, fetched, &events[fetched->count]))
            ;
        if (fetched->count == count)
            result = post_fetched(manager, asked->connection, fetched);
    }
    if (result != WS_OK)
        fetched_free(manager, fetched);
    /* Without even memory to say that there is nothing, the client's recovery gives up by its timer. */
    if (result == WS_ERR_NO_MEMORY && n_events > 0)
        return result;
    memory_free(&manager->memory, asked);
    return WS_OK;
}
