/* costs.h: what work costs, in the unit of a turn's budget. */
#ifndef WS_CORE_COSTS_H
#define WS_CORE_COSTS_H

#include "core/manager.h"

/* Costs, in the unit of a turn's budget: one delivery, about 100 ns. */
enum {
    INPUT_COST_MESSAGE = 8,   /* any message, including its answer */
    INPUT_COST_CALLBACK = 64, /* a callback of the application */
    /* The callback for a message: with 64, a burst of 64 took two turns. */
    INPUT_COST_ACCEPT = 32,
    INPUT_COST_TOKEN = 1024,      /* checking a signature: 3 µs (HMAC) to 90 µs (ECDSA) */
    INPUT_COST_CONTROL_FRAME = 8, /* includes queueing a pong */
    INPUT_COST_BLOCK = 16,     /* a DEFLATE block, perhaps of 12 bytes: its tables are built */
    INPUT_BYTES_PER_UNIT = 64, /* unmasking, inflating, checking and parsing */
    /* A JSON text of nothing but short values takes three times as long as one long string. */
    INPUT_TOKENS_PER_UNIT = 16
};

static inline void budget_spend(uint32_t *budget, uint32_t cost)
{
    *budget -= *budget < cost ? *budget : cost;
}

/* The cost of compressing a message, which is done once for all its recipients: 8 µs, and 8 ns a
 * byte; text that hardly shrinks takes two to three times as long (transport/shared/deflate.c has
 * the measurements). */
static inline uint32_t compressing_cost(uint32_t bytes)
{
    return 64 + bytes / 8;
}

/* The cost of a callback that the application may not have set. */
static inline uint32_t callback_cost(bool is_set)
{
    return is_set ? INPUT_COST_CALLBACK : 0;
}

/* Members of a room that are written, in a list, at the cost of a delivery. */
enum { PRESENCE_MEMBERS_PER_UNIT = 2 };

/* The cost of a command, beside that of its deliveries and room requests. */
enum { COMMAND_COST = 8 };

/* The cost of making a connection live: its presence event, its welcome and on_connect. */
static inline uint32_t connect_cost(const ws_manager *manager)
{
    return 32 + callback_cost(manager->options.on_connect != NULL);
}

/* The cost of leaving a room, or its watchers, when the connection ends. If the room is its own,
 * that takes a quarter of a microsecond, and with presence 1.2 µs: its user begins a grace time. */
enum { LEAVE_COST = 2, LEAVE_COST_WITH_PRESENCE = 12 };

/* The cost of closing a connection: on_disconnect is called, its close frame is queued and
 * written, and it leaves its rooms. */
static inline uint32_t close_cost(const ws_manager *manager, uint32_t n_rooms)
{
    uint32_t leave_cost =
        atomic_load(&manager->has_presence) ? LEAVE_COST_WITH_PRESENCE : LEAVE_COST;

    return 32 + callback_cost(manager->options.on_disconnect != NULL) + leave_cost * n_rooms;
}

/* The cost of a request to join a room, or of asking again whether a client may be there, or
 * know who is. */
static inline uint32_t room_cost(const ws_manager *manager)
{
    return COMMAND_COST + callback_cost(manager->options.authorize_join != NULL ||
                                        manager->options.authorize_presence != NULL);
}

#endif
