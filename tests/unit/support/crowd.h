/* crowd.h: thousands of connections on one loop, whose transport only counts the events that it
 * receives. Not here: other messages (host.h: clients). For one thread. */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include "support/host.h"

enum { CROWD_EVENTS = 64 /* events have numbers below that, see emit_number() */ };

struct crowd;

struct crowd_member {
    struct crowd *crowd;
    ws_conn_id id;
    uint64_t got;   /* a bit for each event, by its number */
    int last;       /* the number of the last event */
    bool connected; /* the transport may be called */
};

struct crowd {
    struct host host; /* without callbacks */
    struct crowd_member *members;
    size_t n;
    size_t n_events; /* received by all members */
    size_t n_closes;

    /* Called within the transport's functions; may be NULL. */
    void (*on_event)(struct crowd_member *member);
    void (*on_close)(struct crowd_member *member);
};

/* No member is connected yet. */
void crowd_open(struct crowd *crowd, size_t n);

/* Frees everything; may be called at any time. */
void crowd_close(struct crowd *crowd);

/* Connects a member that has received nothing so far. It enters the room (NULL: none) when the loop
 * runs. */
void crowd_connect(struct crowd_member *member, const char *room);

/* Connects all members and runs the loop. */
void crowd_connect_all(struct crowd *crowd, const char *room);

/* The member's transport is lost. */
void crowd_lose(struct crowd_member *member);

/* Calls about a member, which must succeed. */
void crowd_join(struct crowd_member *member, const char *room);
void crowd_leave(struct crowd_member *member, const char *room);
void crowd_disconnect(struct crowd_member *member);

static inline bool crowd_got(const struct crowd_member *member, int event)
{
    return (member->got >> event & 1) != 0;
}

#endif
