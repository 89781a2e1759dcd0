/* manager.h: the manager's state and its lock.
 *
 * One lock orders everything: giving an event its position and posting it to the loops is one
 * step under it, and so is every change of the registry. It is never held while a callback
 * runs. */
#ifndef WS_CORE_MANAGER_H
#define WS_CORE_MANAGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/cluster.h>
#include <ws_manager/manager.h>

#include "base/buffer.h"
#include "base/lock.h"
#include "base/token_bucket.h"
#include "core/builtin_transport.h"
#include "core/counters.h"
#include "core/events/event_types.h"
#include "core/events/history.h"
#include "core/events/ids.h"
#include "core/events/last_values.h"
#include "core/events/message.h"
#include "core/events/pages.h"
#include "core/groups/registry.h"
#include "core/handlers.h"
#include "core/kept/kept_answers.h"
#include "core/log_limit.h"

enum { MANAGER_MAX_LOOPS = 256 };

/* The budget of presence deliveries is kept in thousandths, so that a limit of one a second
 * grants one part each millisecond. */
enum { PRESENCE_PARTS = 1000 };

/* How much of the limit can be used at once. The application's events wait behind a burst of
 * presence: 100,000 deliveries, with the default, take about 10 ms. */
enum { PRESENCE_BURST_MS = 100 };

/* What waits for an answer: a message or request of a client, for the application's; or a request
 * to a client, for its response. */
enum place_kind { PLACE_ANSWER, PLACE_RESPONSE, N_PLACES };

struct places {
    _Atomic uint32_t total;
    _Atomic uint32_t anonymous; /* of connections without a user */
};

struct ws_manager {
    ws_allocator memory;
    ws_manager_options options; /* presence_room is the manager's own copy */
    char process[EPOCH_SIZE];   /* this process's random name: the prefix of connection names */
    _Atomic uint32_t refs;      /* one for the application, each loop, each event */
    /* By enum transport_kind; each is set once, by the transport. */
    _Atomic(const struct builtin_transport *) builtin[N_TRANSPORTS];
    struct token_rate message_rate;
    /* By a loop's number: the unfinished work, on any loop, that its clients' messages caused
     * (backlog.h). */
    _Atomic uint64_t client_backlog[MANAGER_MAX_LOOPS];
    _Atomic uint64_t n_acks;         /* the last id of an acknowledgement from a client */
    _Atomic uint64_t n_answers;      /* the last number of an answer to a client */
    struct places places[N_PLACES];  /* in a child of fork(), without the parent's loops */
    _Atomic uint64_t n_reauthorized; /* how often some connection may have lost a right */
    struct kept_answers kept_answers;
    struct handlers methods;
    struct handlers message_types;
    _Atomic bool has_presence;   /* `presence` was needed once: costs.h reads it */
    _Atomic bool messages_defer; /* some answer to a message of type "message" came later */
    bool has_cluster;            /* events are published through it; set before any is sent */
    ws_cluster cluster;
    void *cluster_data;
    struct counters counters; /* written by any thread; also those of ended loops */

    /* The loop that sends changes of presence and ends grace times (presence/beat.c): its
     * number + 1; 0: none is needed. Changed under the lock. */
    _Atomic uint32_t presence_keeper;

    struct lock lock;
    pthread_cond_t woken; /* signalled when the last call of a loop's wake() has returned */

    /* Guarded by the lock: */
    char epoch[EPOCH_SIZE];     /* of the history: the prefix of event ids */
    uint64_t position;          /* of the newest event */
    uint64_t commands_position; /* commands up to here were carried out, if > `position` */
    struct history history;
    struct last_values last_values; /* that rooms keep; its rules are read without the lock */
    struct pages pages;             /* of the cluster's stream, older than the history */
    struct stream_end stream_end;
    uint32_t n_recalls;            /* questions without an answer (cluster/recall.h) */
    bool cluster_started;          /* `epoch` is the stream's */
    struct log_limit logged_skips; /* for events of the stream that are not valid */
    struct registry registry;
    struct event_types types;
    ws_loop *loops[MANAGER_MAX_LOOPS];
    uint32_t n_loops;                        /* the highest number in use + 1 */
    uint32_t generations[MANAGER_MAX_LOOPS]; /* the last one assigned; outlives a loop */
    uint32_t n_connections;
    uint32_t compressed_from;  /* bytes of the shortest message that an endpoint compresses */
    int64_t presence_left;     /* budget of presence deliveries, in PRESENCE_PARTS */
    uint64_t presence_ms;      /* when presence_left was updated, on the host's clock */
    struct presence *presence; /* NULL: not needed so far */
    void (*free_presence)(ws_manager *manager); /* set with it */
    bool draining;
    atomic_bool is_freed; /* by the application (checks.h) */
    bool presence_waits;  /* changes of rooms do, for presence_left */
    unsigned n_forks;     /* forks_count() of this process */
};

/* Locks; in the child of a fork() it also resets what belonged to the parent. */
void manager_lock(ws_manager *manager);
void manager_unlock(ws_manager *manager);

/* Gives the lock back for a moment, so that other threads can go on, in the middle of what takes
 * long. */
static inline void manager_relock(ws_manager *manager)
{
    manager_unlock(manager);
    lock_let_others(&manager->lock);
    manager_lock(manager);
}

/* In builds with assertions: the calling thread holds the lock. */
static inline void manager_assert_locked(const ws_manager *manager)
{
    lock_assert_held(&manager->lock);
}

static inline void manager_assert_unlocked(const ws_manager *manager)
{
    lock_assert_not_held(&manager->lock);
}

/* Makes a manager that does not become the default one. Parameters and results:
 * ws_manager_new(). */
int manager_make(const ws_manager_options *options, ws_manager **manager);

ws_manager *manager_ref(ws_manager *manager);
void manager_unref(ws_manager *manager);

/* A transport inside the library; NULL if it is not used, and for TRANSPORT_CUSTOM. `kind`: enum
 * transport_kind. */
static inline const struct builtin_transport *manager_builtin(const ws_manager *manager,
                                                              unsigned kind)
{
    return atomic_load_explicit(&manager->builtin[kind], memory_order_acquire);
}

/* Pins the loop's share of a room as registry_pin() does, and notes where a new one begins. The
 * lock is held. */
static inline struct share *manager_pin_room(ws_manager *manager, const char *name,
                                             ws_loop *loop)
{
    struct share *share;

    manager_assert_locked(manager);
    share = registry_pin(&manager->registry, GROUP_ROOM, name, loop);
    if (share != NULL && share->pins == 1 && share->count == 0)
        share->since = (uint32_t)manager->position;
    return share;
}

/* Whether clients can read events again that they missed: from the history, or from the cluster's
 * stream. */
static inline bool manager_keeps_events(const ws_manager *manager)
{
    return manager->has_cluster || manager->options.history_events > 0;
}

/* Frames a finished message for WebSockets, if there may be any. */
static inline void manager_frame(const ws_manager *manager, ws_message *message)
{
    const struct builtin_transport *builtin = manager_builtin(manager, TRANSPORT_WEBSOCKET);

    if (builtin != NULL)
        message_frame(message, builtin->framing);
}

/* Makes a framed message of a finished text and frees the text's buffer; NULL if memory ran
 * out. */
ws_message *manager_message(const ws_manager *manager, struct buffer *text);

/* To be called before what takes connections out of rooms is posted. A client's join that was
 * permitted before, but is posted later, is then authorized again (clients/builtin_messages.c). */
static inline void manager_note_reauthorization(ws_manager *manager)
{
    atomic_fetch_add(&manager->n_reauthorized, 1);
}

/* Counts a refused event by its error code. Any thread. */
static inline void manager_count_refused(ws_manager *manager, int result)
{
    counter_add_shared(
        &manager->counters,
        result == WS_ERR_BACKPRESSURE ? COUNTER_drop_backpressure : COUNTER_drop_no_memory, 1);
}

/* Milliseconds since 1970 UTC, by the application's clock. The caller does not hold the
 * lock. */
static inline int64_t manager_clock(const ws_manager *manager)
{
    manager_assert_unlocked(manager);
    return manager->options.clock(manager->options.user_data);
}

/* Logs a line, formatted as by printf. The caller does not hold the lock. */
void manager_log(const ws_manager *manager, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
