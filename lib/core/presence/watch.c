/* watch.c: gives clients the list of those who are in a room, and the changes that follow. */
#include "core/presence/watch.h"

#include <string.h>

#include "core/costs.h"
#include "core/presence/beat.h"
#include "core/presence/list.h"
#include "protocol/json/answer.h"
#include "protocol/socketio/packet.h"

/* The cost of making a list: users may have long names and states. */
static uint32_t list_cost(const struct presence_room *room)
{
    size_t cost =
        room->n_members / PRESENCE_MEMBERS_PER_UNIT + room->bytes / INPUT_BYTES_PER_UNIT;

    if (room->is_big)
        return 0;
    return cost < UINT32_MAX ? (uint32_t)cost : UINT32_MAX;
}

/* Writes the answer; a client of Socket.IO gets it in a packet. */
static ws_message *make_answer(const struct connection *connection,
                               const struct presence_room *room, struct json_slice ref)
{
    const ws_manager *manager = connection->loop->manager;
    const char *space = connection_space(connection);
    struct buffer text;
    ws_message *message;

    buffer_init(&text, &manager->memory);
    if (space != NULL) {
        socketio_answer_begin(&text, space, "presence", ref);
        ref = (struct json_slice){NULL, 0};
    }
    answer_presence_begin(&text, ref.text, ref.length, *room->name != '\0' ? room->name : NULL);
    presence_add_list(&text, room);
    buffer_add_text(&text, "}");
    if (space != NULL)
        buffer_add_text(&text, SOCKETIO_ANSWER_END);
    message = manager_message(manager, &text);
    if (message != NULL && space != NULL)
        message->form = MESSAGE_PACKET;
    if (message != NULL)
        message->frames.is_own = true;
    return message;
}

static int post_answer(struct posting *posting, struct connection *connection,
                       struct presence_room *room, struct json_slice ref, uint32_t *cost)
{
    int result = loop_reserve(connection->loop, false);
    ws_message *message;

    *cost = list_cost(room);
    if (result != WS_OK)
        return result;
    message = make_answer(connection, room, ref);
    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    presence_note_given(posting->manager->presence, room); /* the client may watch the room */
    connection->pins++;
    posting_push(
        posting, connection->loop,
        &(struct command){.kind = COMMAND_SEND, .connection = connection, .message = message});
    return WS_OK;
}

int presence_answer(struct connection *connection, const char *room, struct json_slice ref,
                    uint32_t *cost)
{
    ws_manager *manager = connection->loop->manager;
    struct presence_room *opened;
    struct posting posting;
    int result;

    *cost = 0;
    posting_begin(&posting, manager);
    result = presence_open_room(manager, room, &opened);
    if (result == WS_OK) {
        presence_choose_form(manager->presence, opened);
        result = post_answer(&posting, connection, opened, ref, cost);
        presence_drop_room(manager->presence, opened);
    }
    presence_keep(connection->loop);
    posting_end(&posting);
    return result;
}

/* Pins the loop's share of the watchers before the list is made: from then on changes are noted.
 * NULL if memory ran out. The lock is held. */
static struct share *pin_watchers(ws_loop *loop, struct presence_room *room, int64_t time_ms)
{
    ws_manager *manager = loop->manager;
    bool is_made = room->list != NULL;
    struct share *share = registry_pin(&manager->registry, GROUP_WATCHERS, room->name, loop);

    manager_assert_locked(manager);
    if (share == NULL)
        return NULL;
    if (!presence_make_list(manager->presence, room, time_ms)) {
        registry_unpin(&manager->registry, share);
        return NULL;
    }
    if (!is_made)
        loop_charge(loop, list_cost(room));
    return share;
}

static int post_watch(struct posting *posting, struct connection *connection,
                      struct presence_room *room, int64_t time_ms)
{
    ws_loop *loop = connection->loop;
    int result = loop_reserve(loop, false);
    struct share *share;

    if (result != WS_OK)
        return result;
    share = pin_watchers(loop, room, time_ms);
    if (share == NULL)
        return WS_ERR_NO_MEMORY;
    connection->pins++;
    posting_push(posting, loop,
                 &(struct command){.kind = COMMAND_WATCH,
                                   .connection = connection,
                                   .share = share,
                                   .message = ws_message_ref(room->list)});
    return WS_OK;
}

int presence_watch(struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    int64_t time_ms = manager_clock(manager);
    struct presence_room *opened;
    struct posting posting;
    int result;

    posting_begin(&posting, manager);
    result = presence_open_room(manager, room, &opened);
    if (result == WS_OK) {
        presence_choose_form(manager->presence, opened);
        result = post_watch(&posting, connection, opened, time_ms);
        presence_drop_room(manager->presence, opened);
    }
    presence_keep(connection->loop);
    posting_end(&posting);
    return result;
}

/* Changes that were posted before are in the loop's inbox still, and reach the client after the
 * list. The last change of each member among them leads to what the list says, or else a further
 * one follows (presence_note_given()). */
int presence_begin_watching(struct connection *connection, const char *room,
                            struct share **watchers, ws_message **list)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    int64_t time_ms = manager_clock(manager);
    struct presence_room *opened;
    int result;

    manager_lock(manager);
    result = presence_open_room(manager, room, &opened);
    if (result == WS_OK) {
        presence_choose_form(manager->presence, opened);
        *watchers = pin_watchers(loop, opened, time_ms);
        if (*watchers != NULL)
            *list = ws_message_ref(opened->list);
        else
            result = WS_ERR_NO_MEMORY;
        presence_drop_room(manager->presence, opened);
    }
    presence_keep(loop);
    manager_unlock(manager);
    return result;
}

void presence_end_beginning(const struct connection *connection, struct share *watchers,
                            ws_message *list)
{
    ws_manager *manager = connection->loop->manager;

    ws_message_unref(list);
    manager_lock(manager);
    presence_unpin(manager, watchers);
    manager_unlock(manager);
}

void presence_unused(ws_manager *manager, const char *room)
{
    struct presence_room *found = presence_find_room(manager->presence, room);

    manager_assert_locked(manager);
    if (found != NULL)
        presence_drop_room(manager->presence, found);
}

void presence_unpin(ws_manager *manager, struct share *share)
{
    char room[WS_NAME_MAX + 1];

    manager_assert_locked(manager);
    if (share->group->kind != GROUP_WATCHERS) {
        registry_unpin(&manager->registry, share);
        return;
    }
    memcpy(room, share->group->name, (size_t)share->group->name_length + 1);
    registry_unpin(&manager->registry, share);
    presence_unused(manager, room);
}
