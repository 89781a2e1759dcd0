/* announce.c: sends user_connected and user_disconnected. Not here: when a user has come or gone
 * (members.c, beat.c). */
#include "core/presence/announce.h"

#include <string.h>

#include "core/loop_state.h"
#include "core/sending/encode.h"
#include "core/sending/total_order.h"

static ws_message *encode(const ws_manager *manager, enum announcement announcement,
                          const struct announced_connection *connection, const char *room,
                          int64_t time_ms)
{
    bool is_own = strcmp(connection->process, manager->process) == 0;
    char name[CONNECTION_NAME_SIZE];
    struct buffer data;
    ws_message *message = NULL;

    buffer_init(&data, &manager->memory);
    buffer_add_text(&data, "{\"connection_id\":");
    buffer_add_json_string(&data, name,
                           connection_name_write(connection->process, connection->id, name));
    buffer_add_text(&data, ",\"user_id\":");
    buffer_add_json_string_or_null(&data, connection->user_id);
    buffer_add_text(&data, "}");
    if (!data.failed)
        message = encode_event(
            &manager->memory,
            &(struct event_fields){
                .type = announcement == USER_CAME ? "user_connected" : "user_disconnected",
                .data = data.data,
                .data_length = data.length,
                .timestamp_ms = time_ms,
                .user_id = connection->user_id,
                .room = room,
            },
            &connection->id, announcement == USER_CAME && is_own ? 1 : 0);
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

/* How much of the limit can be used at once. What the stream brings is announced from a budget that
 * beats alone refill: it lasts from one beat to the next, which may come a tick later. */
static int64_t burst_ms(const ws_manager *manager)
{
    int64_t beat_ms = (int64_t)manager->options.presence_batch_ms + TIMER_TICK_MS;
    bool follows = manager->has_cluster && manager->options.presence_events != WS_PRESENCE_OFF;

    return follows && beat_ms > PRESENCE_BURST_MS ? beat_ms : PRESENCE_BURST_MS;
}

/* A token bucket with the deliveries of burst_ms(). An event is admitted while any are left, and
 * may overdraw the bucket: an audience larger than the bucket then gets some of the events. After
 * a second, or a burst if that is longer, it is full in any case. */
void announce_refill(const ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    int64_t a_second = manager->options.max_presence_deliveries;
    uint64_t burst = (uint64_t)burst_ms(manager);
    uint64_t full_ms = burst > 1000 ? burst : 1000;
    int64_t most = a_second * (int64_t)burst;
    /* All loops use the host's clock, but a loop that slept still has an earlier time. */
    uint64_t now_ms = loop->clock.host_ms;
    uint64_t passed_ms;

    manager_assert_locked(manager);
    if (now_ms <= manager->presence_ms)
        return;
    passed_ms = now_ms - manager->presence_ms;
    if (passed_ms > full_ms)
        passed_ms = full_ms;
    manager->presence_left += a_second * (int64_t)passed_ms;
    if (manager->presence_left > most || passed_ms == full_ms)
        manager->presence_left = most;
    manager->presence_ms = now_ms;
}

/* Takes from what is left. */
static bool take(ws_manager *manager, size_t n_recipients)
{
    manager_assert_locked(manager);
    if (manager->options.max_presence_deliveries == 0)
        return true;
    if (manager->presence_left <= 0)
        return false;
    manager->presence_left -= (int64_t)n_recipients * PRESENCE_PARTS;
    return true;
}

bool announce_admit_changes(const ws_loop *loop, size_t n_recipients)
{
    bool admitted;

    announce_refill(loop);
    admitted = take(loop->manager, n_recipients);
    loop->manager->presence_waits |= !admitted;
    return admitted;
}

/* What may be dropped yields to what must wait: events could otherwise use up the budget each time
 * before the beat comes in which the changes of rooms are sent. */
static bool admit_event(ws_manager *manager, struct target target)
{
    manager_assert_locked(manager);
    return !manager->presence_waits && take(manager, count_recipients(manager, target));
}

static bool admit(const ws_loop *loop, struct target target)
{
    bool admitted;

    manager_lock(loop->manager);
    announce_refill(loop);
    admitted = admit_event(loop->manager, target);
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

static struct target target_of(const ws_manager *manager)
{
    if (manager->options.presence_events == WS_PRESENCE_ROOM)
        return (struct target){GROUP_ROOM, manager->options.presence_room};
    return (struct target){GROUP_EVERYONE, NULL};
}

void announce_user(ws_loop *loop, enum announcement announcement, ws_conn_id id,
                   const char *user_id)
{
    ws_manager *manager = loop->manager;
    struct target target = target_of(manager);
    ws_message *message;

    if (manager->options.presence_events == WS_PRESENCE_OFF)
        return;
    if (!admit(loop, target)) {
        counter_add(&loop->counters, COUNTER_drop_presence, 1);
        return;
    }
    message = encode(manager, announcement,
                     &(struct announced_connection){manager->process, id, user_id}, target.name,
                     manager_clock(manager));
    if (message == NULL) {
        counter_add_shared(&manager->counters, COUNTER_drop_no_memory, 1);
        return;
    }
    send_presence(manager, target, message);
    ws_message_unref(message);
}

void announce_posted(struct posting *posting, enum announcement announcement,
                     const struct announced_connection *connection, int64_t time_ms)
{
    ws_manager *manager = posting->manager;
    struct target target = target_of(manager);
    ws_message *message;

    if (manager->options.presence_events == WS_PRESENCE_OFF)
        return;
    if (!admit_event(manager, target)) {
        counter_add_shared(&manager->counters, COUNTER_drop_presence, 1);
        return;
    }
    message = encode(manager, announcement, connection, target.name, time_ms);
    if (message == NULL) {
        counter_add_shared(&manager->counters, COUNTER_drop_no_memory, 1);
        return;
    }
    encode_finish(manager, message, NULL, 0);
    send_posted(posting, target, message);
    ws_message_unref(message);
}
