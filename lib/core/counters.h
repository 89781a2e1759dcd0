/* counters.h: the counters of the manager and of each loop. A loop's counters are written by
 * its thread alone and read by any thread. */
#ifndef WS_CORE_COUNTERS_H
#define WS_CORE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* name, help text; in the order of the statistics */
#define COUNTER_TABLE(X)                                                                       \
    X(events, "Events sent to everyone, a room or a user")                                     \
    X(presence_events, "Presence events sent")                                                 \
    X(deliveries, "Messages handed to a connection's transport")                               \
    X(bytes, "Bytes of these messages, without framing")                                       \
    X(received_messages, "Messages that clients sent")                                         \
    X(received_bytes, "Bytes of these messages, without framing")                              \
    X(client_errors, "Client messages that were answered with an error")                       \
    X(rate_limited, "Client messages that exceeded the rate limit and were not processed")     \
    X(rooms_refused, "Joins refused because of a limit on rooms")                              \
    X(connections_opened, "Connections registered")                                            \
    X(connections_closed, "Connections ended")                                                 \
    X(handshakes_refused, "Opening handshakes that were refused")                              \
    X(frame_floods, "Connections ended for too many control or continuation frames")           \
    X(protocol_errors, "Connections ended because of malformed or oversized input")            \
    X(timeouts, "Connections ended because a request head, pong or close came too late")       \
    X(recoveries, "Clients that reconnected and received every missed event")                  \
    X(recoveries_incomplete, "Clients that reconnected and missed some events")                \
    X(recovered_events, "Missed events that reconnected clients received from the history")    \
    X(orders_sent, "Commands for users, and messages to other processes, that were sent")      \
    X(orders_done, "Commands and messages of the cluster, or of this process, run here")       \
    X(process_messages, "Messages of other processes handed to the application")               \
    X(presence_skipped, "Presence of other processes skipped, because there are too many")

/* Why a message did not reach one of its recipients. */
#define DROP_TABLE(X)                                                                          \
    X(slow_client, "the connection's queue was full")                                          \
    X(gone, "the connection had ended before delivery")                                        \
    X(presence, "a presence event exceeded max_presence_deliveries")                           \
    X(binary, "a binary message for a client that can only receive text")                      \
    X(no_memory, "an allocation failed")                                                       \
    X(backpressure, "a loop had too many calls waiting: an event was refused")

enum counter {
#define X(name, help) COUNTER_##name,
    COUNTER_TABLE(X)
#undef X
#define X(name, help) COUNTER_drop_##name,
        DROP_TABLE(X)
#undef X
            N_COUNTERS
};

struct counters {
    _Atomic uint64_t values[N_COUNTERS];
};

/* Adds to a counter that only the calling thread writes: no locked instruction. */
static inline void counter_add(struct counters *counters, enum counter counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(&counters->values[counter], memory_order_relaxed);

    atomic_store_explicit(&counters->values[counter], value + n, memory_order_relaxed);
}

/* Adds to a counter that several threads write. */
static inline void counter_add_shared(struct counters *counters, enum counter counter,
                                      uint64_t n)
{
    atomic_fetch_add_explicit(&counters->values[counter], n, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counters *counters, enum counter counter)
{
    return atomic_load_explicit(&counters->values[counter], memory_order_relaxed);
}

#endif
