/* costs.h: what work costs, in the unit of a turn's budget. */
#ifndef WS_CORE_COSTS_H
#define WS_CORE_COSTS_H

#include "core/manager.h"

/* Costs, in the unit of a turn's budget: one delivery, about 100 ns. */
enum {
    INPUT_COST_MESSAGE = 8,   /* any message, including its answer */
    INPUT_COST_CALLBACK = 64, /* a callback of the application */
    INPUT_COST_TOKEN = 1024,  /* checking a signature: 2 µs (HMAC) to 200 µs (RSA, ECDSA) */
    INPUT_COST_CONTROL_FRAME = 8, /* includes queueing a pong */
    INPUT_COST_BLOCK =
        16, /* a DEFLATE block: its code tables are built, for as few as 12 bytes */
    INPUT_BYTES_PER_UNIT = 64 /* unmasking, inflating, checking and parsing */
};

/* The cost of a command, beside that of its deliveries and room requests. */
enum { COMMAND_COST = 8 };

/* The cost of a request to join a room. */
static inline uint32_t room_cost(const ws_manager *manager)
{
    return COMMAND_COST + (manager->options.authorize_join != NULL ? INPUT_COST_CALLBACK : 0);
}

#endif
