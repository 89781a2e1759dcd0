/* state.h: the model: the rooms of each client, and the events that it should receive. Not here:
 * the library that it is compared with (callbacks.h and model.c). */
#ifndef FUZZ_MODEL_STATE_H
#define FUZZ_MODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

enum {
    N_CLIENTS = 8,
    N_ROOMS = 5,
    PRESENCE_ROOM = 0,
    OWN_ROOM = N_ROOMS - 1, /* clients join it themselves; no event is sent to it */
    EVERYONE = OWN_ROOM,    /* as a target */
    MAX_EVENTS = 500,
    MAX_CONNECTS = 250, /* of clients that connect and disconnect */
    NAME_SIZE = 64
};

/* The expected result is determined when a call is made, so limits whose effect depends on when it
 * is carried out are set only if each call is carried out before the next. */
struct limits {
    bool in_lockstep;
    int32_t presence;
    uint32_t connections;
    uint32_t rooms;
    uint32_t rooms_per_connection;
    uint32_t message_rate;
    uint32_t message_burst;
};

struct client {
    ws_conn_id id;
    char name[NAME_SIZE]; /* from its welcome */
    unsigned loop;
    unsigned user;
    unsigned rooms;     /* a bit for each */
    bool open;          /* calls still address it */
    bool attached;      /* its transport may be called */
    bool welcomed;      /* other clients have been notified of it */
    bool announced;     /* on_connect was called */
    bool loses_events;  /* its transport has refused an event, or its loop is gone */
    bool was_too_fast;  /* and is closed for it */
    bool may_speak;     /* its last message was not too fast */
    uint64_t credit_ms; /* its messages cost 1000 / message_rate each */
    uint64_t spoke_ms;
    unsigned n_refused; /* in a row */
    int events[MAX_EVENTS + 2 * MAX_CONNECTS];
    size_t n_events;
    size_t n_got;
};

struct state {
    struct limits limits;
    struct client clients[N_CLIENTS];
    uint64_t now_ms;
    int n_events; /* the number of the last event */
    int n_presences;
    int join_result; /* the result of the last join, in lockstep */
    bool draining;
};

extern struct state state;

bool state_is_in(const struct client *client, unsigned room);

void state_connect(struct client *client);
void state_join(struct client *client, unsigned room);
void state_leave(struct client *client, unsigned room);
void state_close(struct client *client);

/* A client sends a message. */
void state_say(struct client *client);

/* The next event is also sent to this client. */
void state_send(struct client *client);

/* The other clients are notified that a client connected or disconnected. */
void state_tell_presence(const struct client *client, bool came);

/* A message has reached a client: if it is an event, it must be the client's next one. */
void state_got(struct client *client, const char *text, size_t length);

#endif
