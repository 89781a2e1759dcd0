/* kept_state.h: what is kept for the clients that may come back (kept_answers.h), and its lists.
 *
 *     user ─── clients ─── connections, one after the other
 *       └───────── └────── answers
 *
 * It is used with the lock of `kept_answers` held. A user exists as long as it has clients;
 * a client, as long as it has answers or is held. */
#ifndef WS_CORE_KEPT_STATE_H
#define WS_CORE_KEPT_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/callbacks.h>

#include "base/lock.h"
#include "base/memory.h"
#include "base/name_table.h"

enum { KEPT_PENDING_BUCKETS = 4096 };

struct kept_answer;
struct kept_member;

/* A note that the carrier is to forget. */
struct kept_forgotten {
    ws_conn_id id; /* of the note's connection */
    uint64_t rank; /* drawn with the decision: a note that is written later has a higher one */
};

struct kept_answers {
    const ws_allocator *memory;
    /* The limit of answers of a connection; a client may have twice as many. 0: nothing is kept. */
    uint32_t max_answers;
    /* The limit of bytes of a connection's answers; a client's may have twice as many. */
    uint32_t max_bytes;
    uint64_t max_total; /* bytes of all answers, with their clients and connections */
    uint32_t max_age_ms;
    uint8_t secret[NAME_TABLE_SECRET];

    struct lock lock;
    struct kept_member **buckets; /* of the connections; NULL: nothing was ever kept */
    /* Unanswered ones, by their numbers; NULL: no answer was ever kept. */
    struct kept_answer **pending;
    struct name_table users;
    _Atomic size_t n_holds;     /* connections that hold their clients */
    struct kept_answer *oldest; /* of all clients */
    struct kept_answer *newest;
    uint64_t bytes;
    uint64_t now_ms; /* the latest that was named */

    /* With a cluster (kept_notes.h): */
    uint64_t n_notes;
    struct kept_forgotten *forgotten;
    size_t n_forgotten;
    size_t forgotten_capacity;
};

/* Of what a client has sent, with its ref. All processes compute equal digests. */
struct kept_digest {
    uint8_t bytes[16];
};

/* All clients of a user, for the user's part of all bytes. */
struct kept_user {
    struct name_node node;
    struct kept_answer *oldest;
    struct kept_answer *newest;
    uint64_t bytes; /* of its clients, their connections and answers, and of their notes */
    uint32_t n_clients;
    uint8_t name_length; /* directly before the name: how name_table.h reads names */
    char name[];
};

/* A client: its connections one after the other. */
struct kept_client {
    struct kept_user *user;
    struct kept_member *newest_member;
    struct kept_answer *first; /* the oldest */
    struct kept_answer *last;
    uint32_t count;
    uint32_t n_holds; /* connections that have not ended: their messages may be processed yet */
    size_t bytes;     /* of its answers */
};

/* A connection of a client. */
struct kept_member {
    struct kept_member *next; /* in its bucket */
    struct kept_member *older;
    struct kept_client *client;
    ws_conn_id id;
    size_t note_bytes; /* what the cluster's carrier remembers for it; 0: nothing */
    bool holds;        /* its client; until the connection ends */
};

struct kept_answer {
    struct kept_answer *next;  /* of the client */
    struct kept_answer *newer; /* of all */
    struct kept_answer *older;
    struct kept_answer *users_newer;
    struct kept_answer *users_older;
    struct kept_answer *next_pending; /* in its bucket, until it is answered */
    struct kept_client *client;
    ws_conn_id sender; /* the last connection that sent it; 0: one of another process */
    /* Of the message that the application answers; 0: another process's does. */
    uint64_t number;
    ws_answer waiter; /* the connection that repeated it; `connection` 0: none */
    struct kept_digest digest;
    uint64_t at_ms;
    bool is_error;
    bool is_noted; /* the cluster's carrier was given it */
    /* It is none: it stands for the note that names the key in `origin`, while the client's past is
     * not known, so that the note has its place in the lists and the limits. */
    bool is_past;
    char *data; /* NULL: not answered yet */
    size_t length;
    size_t bytes;
    /* If `number` is 0: the key of the note that will have the answer. */
    char origin[];
};

#endif
