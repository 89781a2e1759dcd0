/* costs.h: what work costs of a turn's budget. */
#ifndef WS_CORE_COSTS_H
#define WS_CORE_COSTS_H

#include "core/manager.h"

/* Costs, in the unit of a turn's budget: one delivery, about 100 ns. */
enum {
    INPUT_COST_MESSAGE = 8,   /* any message, and its answer */
    INPUT_COST_CALLBACK = 64, /* the application is called for it */
    INPUT_COST_TOKEN = 1024,  /* a signature is checked: 2 µs (HMAC) to 200 µs (RSA, ECDSA) */
    INPUT_COST_CONTROL_FRAME = 8, /* a pong is queued */
    INPUT_COST_BLOCK = 16, /* of DEFLATE: its codes' tables are made, for as few as 12 bytes */
    INPUT_BYTES_PER_UNIT = 64 /* unmasked, inflated, checked and parsed */
};

/* What a command costs, beside the deliveries that it makes, and the rooms that it asks for. */
enum { COMMAND_COST = 8 };

/* What it costs to ask for a room. */
static inline uint32_t room_cost(const ws_manager *manager)
{
    return COMMAND_COST + (manager->options.authorize_join != NULL ? INPUT_COST_CALLBACK : 0);
}

#endif
