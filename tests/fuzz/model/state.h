/* state.h: the model: who is in which room, and the events that each client is to get.
 * Not here: the library that it is compared with (callbacks.h and model.c). */
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
    OWN_ROOM = N_ROOMS - 1, /* clients enter it themselves; no event goes there */
    EVERYONE = OWN_ROOM,    /* as a target */
    MAX_EVENTS = 500,
    MAX_CONNECTS = 250, /* each comes and goes */
    NAME_SIZE = 64
};

/* What is expected is decided when a call is made, so limits whose outcome depends on when it is
 * carried out are set only where each call is carried out before the next. */
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
    bool open;          /* calls are still about it */
    bool attached;      /* its transport may be called */
    bool welcomed;      /* others have been told that it came */
    bool announced;     /* on_connect was called */
    bool loses_events;  /* its transport has refused one, or its loop is gone */
    bool was_too_fast;  /* and is sent away for it */
    bool may_speak;     /* what it said last was not too fast */
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
    int n_events; /* the number of the last one */
    int n_presences;
    int join_result; /* what the last join comes to, in lockstep */
    bool draining;
};

extern struct state state;

bool state_is_in(const struct client *client, unsigned room);

void state_connect(struct client *client);
void state_join(struct client *client, unsigned room);
void state_leave(struct client *client, unsigned room);
void state_close(struct client *client);

/* A client says something. */
void state_say(struct client *client);

/* The next event goes to this one too. */
void state_send(struct client *client);

/* The others are told that a client came or went. */
void state_tell_presence(const struct client *client, bool came);

/* A message has reached a client: if it is an event, it is the one whose turn it was. */
void state_got(struct client *client, const char *text, size_t length);

#endif
