/* state.h: the model: the rooms of each client, and the events that it should receive. Not here:
 * the library that it is compared with (callbacks.h and model.c). */
#ifndef FUZZ_MODEL_STATE_H
#define FUZZ_MODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

#include "fuzz/model/kept.h"
#include "fuzz/model/members.h"

enum {
    N_CLIENTS = 8,
    PRESENCE_ROOM = 0,
    REFUSED_ROOM = 2,       /* clients that are authorised again leave it */
    OWN_ROOM = N_ROOMS - 1, /* clients join it themselves; it keeps values (kept.h) */
    MAX_EVENTS = 500,
    MAX_CONNECTS = 250, /* of clients that connect and disconnect */
    MAX_ENTRIES = 40,   /* of a client that asks for what the room keeps */
    MAX_REQUESTS = 60,  /* to clients: fewer than may wait for one */
    MAX_EXPECTED = MAX_EVENTS + 2 * MAX_CONNECTS + MAX_REQUESTS +
                   MAX_ENTRIES * (KEPT_VALUES + KEPT_HISTORY),
    NAME_SIZE = 64
};

/* A message that a client is to receive. */
enum message_kind { LIVE_EVENT, PERSONAL_EVENT, PRESENCE, REQUEST, KEPT_VALUE, REPLAYED_EVENT };

struct expected {
    int place;  /* of an event among all */
    int number; /* in its data, 0 if that is null; of a presence event or request among these */
    uint8_t kind;     /* enum message_kind */
    uint8_t room;     /* of a live event; N_ROOMS: it is not for a room */
    bool may_be_left; /* it may be missing */
    bool is_done;
};

/* What a client asks for when it enters its room. */
struct wish {
    bool state;
    bool presence;
    bool replay;
    unsigned last; /* 0: no limit */
    int after;     /* the number of the event in `since`; 0: none */
};

/* The last that a client was told of a user. */
enum news { NO_NEWS, CAME, WENT };

/* The expected result is determined when a call is made, so limits whose effect depends on when it
 * is carried out are set only if each call is carried out before the next. */
struct limits {
    bool in_lockstep;
    int32_t presence;
    bool few_answers; /* as many may be waited for as MAX_WAITING */
    uint32_t connections;
    uint32_t rooms;
    uint32_t rooms_per_connection;
    uint32_t message_rate;
    uint32_t message_burst;
};

struct client {
    ws_conn_id id;
    char name[NAME_SIZE]; /* from its welcome; until then, of the former connection */
    unsigned lineage;     /* the same for all connections of a client that comes back */
    bool is_succeeded;    /* another connection has taken over from it */
    unsigned loop;
    unsigned user;
    unsigned rooms;     /* a bit for each */
    unsigned n_watched; /* places whose presence it receives */
    bool open;          /* calls still address it */
    bool attached;      /* its transport may be called */
    bool welcomed;      /* other clients have been notified of it */
    bool announced;     /* on_connect was called */
    bool is_ending;     /* a call that ends it is under way */
    bool is_counted;    /* among the connections of its user */
    bool is_only;       /* when it came or went, its user had no other one */
    bool loses_events;  /* its transport has refused an event, or its loop is gone */
    bool was_too_fast;  /* and is closed for it */
    bool may_speak;     /* its last message was not too fast */
    uint64_t credit_ms; /* its messages cost 1000 / message_rate each */
    uint64_t spoke_ms;
    unsigned n_refused; /* in a row */
    struct expected expected[MAX_EXPECTED];
    size_t n_expected;
    size_t n_done;                   /* those before it are done */
    struct wish wishes[MAX_ENTRIES]; /* of requests that were not looked at yet */
    size_t n_wishes, n_carried_out, n_joined;
    bool is_full; /* its transport is to be called when it has room */
    /* It asked for what the room keeps. If it was slow then, its events wait, and others do
     * not; the values are those of its own place in the order, and later ones come as live
     * events. */
    bool may_recover;
    enum news news[N_USERS];       /* with a grace time */
    unsigned position;             /* of the last message with an id */
    bool got_live[MAX_EVENTS];     /* by number */
    unsigned n_values, n_replayed; /* that are to follow answers */
};

struct state {
    struct limits limits;
    struct client clients[N_CLIENTS];
    uint64_t now_ms;
    int n_events; /* the number of the last event */
    int n_presences;
    unsigned n_lineages;
    int join_result; /* the result of the last join, in lockstep */
    bool draining;
    struct kept kept; /* of OWN_ROOM */
    struct members members;
    char id[NAME_SIZE]; /* of an event of OWN_ROOM, "": none; and its number */
    int id_number;
};

extern struct state state;

bool state_is_in(const struct client *client, unsigned room);

void state_connect(struct client *client);
void state_join(struct client *client, unsigned room);
void state_leave(struct client *client, unsigned room);
void state_close(struct client *client);

/* A client sends a message. */
void state_say(struct client *client);

/* A client asks to enter OWN_ROOM; and the library carries that out. */
void state_ask(struct client *client, const struct wish *wish);
void state_enter(struct client *client);

/* A client receives the answer that it has entered OWN_ROOM; returns what it asked for. */
const struct wish *state_entered(struct client *client);

/* The last event is also sent to this client: to it alone (PERSONAL_EVENT), or as a member of a
 * room, or of N_ROOMS if it is not for a room. Its data has the number, or is null (0). */
void state_send(struct client *client, enum message_kind kind, unsigned room, int number);

/* A request with this number is sent to a client. */
void state_request(struct client *client, int number);

/* Whether a client has received everything. */
bool state_is_done(struct client *client);

/* A client has ended, and the library begins to tell the application. */
void state_end(struct client *client);

/* The other clients are notified that a client connected or disconnected, if it has no user, or
 * is its user's only connection. */
void state_tell_presence(struct client *client, bool came);

/* After all grace times: what a client was told of the users. */
void state_check_news(const struct client *client);

/* A message has reached a client: if it is an event, it must be the client's next one. */
void state_got(struct client *client, const char *text, size_t length);

#endif
