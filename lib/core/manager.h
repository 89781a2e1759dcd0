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
#include "base/pace.h"
#include "core/counters.h"
#include "core/events/event_types.h"
#include "core/events/history.h"
#include "core/events/ids.h"
#include "core/events/message.h"
#include "core/events/pages.h"
#include "core/groups/registry.h"
#include "core/inner_transport.h"

enum { MANAGER_MAX_LOOPS = 256 };

/* The budget of presence deliveries is kept in thousandths, so that a limit of one a second
 * grants one part each millisecond. */
enum { PRESENCE_PARTS = 1000 };

struct ws_manager {
    ws_allocator memory;
    ws_manager_options options; /* presence_room is the manager's own copy */
    char process[EPOCH_SIZE];   /* this process's random name: the prefix of connection names */
    _Atomic uint32_t refs;      /* one for the application, each loop, each event */
    _Atomic(const struct inner_transport *) inner; /* set once, by the transport */
    struct pace message_pace;
    /* By a loop's number: the unfinished work, on any loop, that its clients' messages caused
     * (work.h). */
    _Atomic uint64_t client_work[MANAGER_MAX_LOOPS];
    bool has_cluster; /* events are published through it; set before any is sent */
    ws_cluster cluster;
    void *cluster_data;
    struct counters
        counters; /* written by any thread; includes those of loops that have ended */

    struct lock lock;
    pthread_cond_t woken; /* signalled when no thread calls a loop's wake() any more */

    /* Guarded by the lock: */
    char epoch[EPOCH_SIZE]; /* of the history: the prefix of event ids */
    uint64_t position;      /* of the newest event */
    struct history history;
    struct pages pages; /* of the cluster's stream, older than the history */
    struct stream_end stream_end;
    bool cluster_started; /* `epoch` is the stream's */
    struct registry registry;
    struct event_types types;
    ws_loop *loops[MANAGER_MAX_LOOPS];
    uint32_t n_loops;                        /* the highest number in use + 1 */
    uint32_t generations[MANAGER_MAX_LOOPS]; /* the last one assigned; outlives a loop */
    uint32_t n_connections;
    int64_t presence_left; /* budget of presence deliveries, in PRESENCE_PARTS */
    uint64_t presence_ms;  /* when presence_left was updated, on the host's clock */
    bool draining;
    unsigned n_forks; /* forks_count() of this process */
};

/* Locks; in the child of a fork() it also resets what belonged to the parent. */
void manager_lock(ws_manager *manager);
void manager_unlock(ws_manager *manager);

/* In builds with assertions: the calling thread holds the lock. */
static inline void manager_assert_locked(const ws_manager *manager)
{
    lock_assert_held(&manager->lock);
}

static inline void manager_assert_unlocked(const ws_manager *manager)
{
    lock_assert_not_held(&manager->lock);
}

ws_manager *manager_ref(ws_manager *manager);
void manager_unref(ws_manager *manager);

/* The transport that embeds connections in its own memory; NULL if there is none. */
static inline const struct inner_transport *manager_inner(const ws_manager *manager)
{
    return atomic_load_explicit(&manager->inner, memory_order_acquire);
}

/* Frames a finished message for the inner transport, if there is one. */
static inline void manager_frame(const ws_manager *manager, ws_message *message)
{
    const struct inner_transport *inner = manager_inner(manager);

    if (inner != NULL)
        message_frame(message, inner->framing);
}

/* Makes a framed message of a finished text and frees the text's buffer; NULL if memory ran
 * out. */
ws_message *manager_message(const ws_manager *manager, struct buffer *text);

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
