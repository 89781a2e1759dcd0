/* crowd.c: thousands of connections on one loop, whose transport only counts the events that it
 * receives. */
#include "support/crowd.h"

#include <stdlib.h>
#include <string.h>

/* The number in {"n":number}; -1 if the message is not an event of emit_number(). */
static int event_number(ws_message *message)
{
    static const char before[] = "\"data\":{\"n\":";
    size_t length;
    const char *text = ws_message_payload(message, &length);
    const char *found = memmem(text, length, before, sizeof before - 1);

    return found != NULL ? atoi(found + sizeof before - 1) : -1;
}

/* Each member receives an event once, and in order. */
static int crowd_send(ws_message *message, void *transport_data)
{
    struct crowd_member *member = transport_data;
    struct crowd *crowd = member->crowd;
    int number = event_number(message);

    if (!member->connected)
        ck_abort_msg("a transport that is gone was called");
    if (number < 0)
        return WS_OK;
    if (number <= member->last || number >= CROWD_EVENTS)
        ck_abort_msg("event %d after event %d", number, member->last);
    member->last = number;
    member->got |= UINT64_C(1) << number;
    crowd->n_events++;
    if (crowd->on_event != NULL)
        crowd->on_event(member);
    return WS_OK;
}

static void crowd_closed(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct crowd_member *member = transport_data;

    (void)code;
    (void)reason;
    (void)length;
    if (!member->connected)
        ck_abort_msg("a transport that is gone was closed");
    member->connected = false;
    member->crowd->n_closes++;
    if (member->crowd->on_close != NULL)
        member->crowd->on_close(member);
}

void crowd_open(struct crowd *crowd, size_t n)
{
    memset(crowd, 0, sizeof *crowd);
    host_init(&crowd->host);
    host_without_callbacks(&crowd->host);
    host_start(&crowd->host);
    crowd->members = calloc(n, sizeof *crowd->members);
    ck_assert_ptr_nonnull(crowd->members);
    crowd->n = n;
    for (size_t i = 0; i < n; i++)
        crowd->members[i].crowd = crowd;
}

void crowd_close(struct crowd *crowd)
{
    crowd->on_event = NULL;
    crowd->on_close = NULL;
    host_close(&crowd->host);
    free(crowd->members);
}

void crowd_connect(struct crowd_member *member, const char *room)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = crowd_send, .close = crowd_closed};
    struct crowd *crowd = member->crowd;
    ws_connect_options options;

    *member = (struct crowd_member){.crowd = crowd, .last = -1, .connected = true};
    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = member;
    if (ws_manager_connect(crowd->host.manager, crowd->host.loop, &options, &member->id) !=
        WS_OK)
        ck_abort_msg("a member cannot connect");
    if (room != NULL)
        crowd_join(member, room);
}

void crowd_connect_all(struct crowd *crowd, const char *room)
{
    for (size_t i = 0; i < crowd->n; i++)
        crowd_connect(&crowd->members[i], room);
    host_run(&crowd->host);
}

void crowd_lose(struct crowd_member *member)
{
    if (ws_manager_transport_closed(member->crowd->host.manager, member->id, 1006, NULL) !=
        WS_OK)
        ck_abort_msg("a member cannot be lost");
    member->connected = false;
}

void crowd_join(struct crowd_member *member, const char *room)
{
    if (ws_manager_join_room(member->crowd->host.manager, member->id, room) != WS_OK)
        ck_abort_msg("a member cannot join");
}

void crowd_leave(struct crowd_member *member, const char *room)
{
    if (ws_manager_leave_room(member->crowd->host.manager, member->id, room) != WS_OK)
        ck_abort_msg("a member cannot leave");
}

void crowd_disconnect(struct crowd_member *member)
{
    if (ws_manager_disconnect(member->crowd->host.manager, member->id, 4000, NULL) != WS_OK)
        ck_abort_msg("a member cannot be disconnected");
}
