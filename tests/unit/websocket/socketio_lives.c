/* socketio_lives.c: clients of Socket.IO that reconnect. */
#include "websocket/socketio_lives.h"

#include <stdio.h>
#include <string.h>

char *lives_text(struct peer *peer)
{
    static char text[4096];
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, TEXT);
    snprintf(text, sizeof text, "%.*s", (int)frame.length, (const char *)frame.payload);
    return text;
}

static void copy_member(const char *text, const char *name, char *to, size_t size)
{
    char before[32];
    const char *at;

    snprintf(before, sizeof before, "\"%s\":\"", name);
    at = strstr(text, before);
    *to = '\0';
    if (at != NULL)
        snprintf(to, size, "%.*s", (int)strcspn(at + strlen(before), "\""),
                 at + strlen(before));
}

/* Reads the answer to a client's CONNECT. */
struct life lives_answer(struct peer *peer)
{
    const char *text = lives_text(peer);
    struct life life;

    ck_assert_msg(strncmp(text, "40{\"sid\":\"", 10) == 0, "%s", text);
    copy_member(text, "sid", life.sid, sizeof life.sid);
    copy_member(text, "pid", life.pid, sizeof life.pid);
    return life;
}

/* Connects a socket; `auth` is the inner part of a JSON object. */
struct peer *lives_join(const char *auth, struct life *life)
{
    struct peer *peer = socketio_session("");
    char packet[1024];

    snprintf(packet, sizeof packet, "40{%s}", auth);
    socketio_send(peer, packet);
    *life = lives_answer(peer);
    return peer;
}

/* What a client that reconnects says; offset NULL: it has none. */
const char *lives_auth(const struct life *life, const char *offset)
{
    static char auth[512];

    if (offset != NULL)
        snprintf(auth, sizeof auth, "\"pid\":\"%s\",\"offset\":\"%s\"", life->pid, offset);
    else
        snprintf(auth, sizeof auth, "\"pid\":\"%s\"", life->pid);
    return auth;
}

/* Reads an event with this data; returns its offset. */
const char *lives_expect(struct peer *peer, const char *data)
{
    static char offset[64];
    char wanted[128];
    char *text = lives_text(peer);
    char *end = text + strlen(text);
    char *last;

    snprintf(wanted, sizeof wanted, ",\"data\":%s,", data);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s in %s", data, text);
    ck_assert_str_eq(end - 2, "\"]");
    end[-2] = '\0';
    last = strrchr(text, '"') + 1;
    snprintf(offset, sizeof offset, "%s", last);
    return offset;
}

void lives_enter(struct peer *peer, const char *room)
{
    char packet[64];

    snprintf(packet, sizeof packet, "421[\"join_room\",\"%s\"]", room);
    socketio_send(peer, packet);
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
}

bool lives_is_in(const struct peer *peer, const char *room)
{
    return ws_manager_is_member(host.manager, socketio_id(peer), room);
}
