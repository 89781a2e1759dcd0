/* crowd.h: thousands of connections on one loop, whose transport only counts the events that they
 * get. Not here: what else is sent to them (host.h: clients). For one thread. */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include "support/host.h"

enum { CROWD_EVENTS = 64 /* they have numbers below that, see emit_number() */ };

struct crowd;

struct crowd_member {
    struct crowd *crowd;
    ws_conn_id id;
    uint64_t got;   /* a bit for each event, by its number */
    int last;       /* of these */
    bool connected; /* the transport may be called */
};

struct crowd {
    struct host host; /* without callbacks */
    struct crowd_member *members;
    size_t n;
    size_t n_events; /* that all have got */
    size_t n_closes;

    /* Called within the transport's functions; may be NULL. */
    void (*on_event)(struct crowd_member *member);
    void (*on_close)(struct crowd_member *member);
};

/* None of them is connected yet. */
void crowd_open(struct crowd *crowd, size_t n);

/* Frees everything, at any time. */
void crowd_close(struct crowd *crowd);

/* Anew: it has got nothing so far. It enters the room, NULL: none, when the loop runs. */
void crowd_connect(struct crowd_member *member, const char *room);

/* Everyone connects, and the loop runs. */
void crowd_connect_all(struct crowd *crowd, const char *room);

/* The transport is gone. */
void crowd_lose(struct crowd_member *member);

/* A call about a member, which succeeds. */
void crowd_join(struct crowd_member *member, const char *room);
void crowd_leave(struct crowd_member *member, const char *room);
void crowd_disconnect(struct crowd_member *member);

static inline bool crowd_got(const struct crowd_member *member, int event)
{
    return (member->got >> event & 1) != 0;
}

#endif
