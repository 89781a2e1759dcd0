/* announce.c: sends user_connected and user_disconnected. Not here: when a user has come or gone
 * (members.c, beat.c). */
#include "core/presence/announce.h"

#include "core/loop_state.h"
#include "core/sending/encode.h"
#include "core/sending/total_order.h"

static ws_message *encode(const ws_manager *manager, enum announcement announcement,
                          ws_conn_id id, const char *user_id, const char *room)
{
    char name[CONNECTION_NAME_SIZE];
    struct buffer data;
    ws_message *message = NULL;

    buffer_init(&data, &manager->memory);
    buffer_add_text(&data, "{\"connection_id\":");
    buffer_add_json_string(&data, name, connection_name_write(manager->process, id, name));
    buffer_add_text(&data, ",\"user_id\":");
    buffer_add_json_string_or_null(&data, user_id);
    buffer_add_text(&data, "}");
    if (!data.failed)
        message = encode_event(
            &manager->memory,
            &(struct event_fields){
                .type = announcement == USER_CAME ? "user_connected" : "user_disconnected",
                .data = data.data,
                .data_length = data.length,
                .timestamp_ms = manager_clock(manager),
                .user_id = user_id,
                .room = room,
            },
            &id, announcement == USER_CAME ? 1 : 0);
    buffer_free(&data);
    return message;
}

static size_t count_recipients(ws_manager *manager, struct target target)
{
    const struct group *group;

    if (target.kind == GROUP_EVERYONE)
        return manager->n_connections;
    group = registry_find(&manager->registry, target.kind, target.name);
    return group != NULL ? group_count(group) : 0;
}

/* A token bucket with the deliveries of PRESENCE_BURST_MS. An event is admitted while any are
 * left, and may overdraw the bucket: an audience larger than the bucket then gets some of the
 * events. */
bool announce_admit(const ws_loop *loop, size_t n_recipients)
{
    ws_manager *manager = loop->manager;
    int64_t a_second = manager->options.max_presence_deliveries;
    int64_t most = a_second * PRESENCE_BURST_MS;
    /* All loops use the host's clock, but a loop that slept still has an earlier time. */
    uint64_t now_ms = loop->clock.host_ms;

    manager_assert_locked(manager);
    if (most == 0)
        return true;
    if (now_ms > manager->presence_ms) {
        uint64_t passed_ms = now_ms - manager->presence_ms;

        if (passed_ms > 1000)
            passed_ms = 1000;
        manager->presence_left += a_second * (int64_t)passed_ms;
        if (manager->presence_left > most || passed_ms == 1000)
            manager->presence_left = most;
        manager->presence_ms = now_ms;
    }
    if (manager->presence_left <= 0)
        return false;
    manager->presence_left -= (int64_t)n_recipients * PRESENCE_PARTS;
    return true;
}

static bool admit(const ws_loop *loop, struct target target)
{
    bool admitted;

    manager_lock(loop->manager);
    admitted = announce_admit(loop, count_recipients(loop->manager, target));
    manager_unlock(loop->manager);
    return admitted;
}

void announce_clock_set_back(ws_manager *manager, uint64_t step_ms, uint64_t now_ms)
{
    manager_lock(manager);
    if (manager->presence_ms > now_ms)
        manager->presence_ms -=
            manager->presence_ms - now_ms < step_ms ? manager->presence_ms - now_ms : step_ms;
    manager_unlock(manager);
}

void announce_user(ws_loop *loop, enum announcement announcement, ws_conn_id id,
                   const char *user_id)
{
    ws_manager *manager = loop->manager;
    struct target target = {GROUP_EVERYONE, NULL};
    ws_message *message;

    if (manager->options.presence_events == WS_PRESENCE_OFF)
        return;
    if (manager->options.presence_events == WS_PRESENCE_ROOM)
        target = (struct target){GROUP_ROOM, manager->options.presence_room};
    if (!admit(loop, target)) {
        counter_add(&loop->counters, COUNTER_drop_presence, 1);
        return;
    }
    message = encode(manager, announcement, id, user_id, target.name);
    if (message == NULL) {
        counter_add_shared(&manager->counters, COUNTER_drop_no_memory, 1);
        return;
    }
    send_presence(manager, target, message);
    ws_message_unref(message);
}
