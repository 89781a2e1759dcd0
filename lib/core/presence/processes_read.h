/* processes_read.h: reads the orders about presence that processes send each other. Not here:
 * what they do (processes.c). */
#ifndef WS_CORE_PRESENCE_PROCESSES_READ_H
#define WS_CORE_PRESENCE_PROCESSES_READ_H

#include "base/json_text.h"
#include "core/presence/state.h"

/* The parts of an order that are not in every order, or are not read yet: {NULL} if absent. */
enum order_value {
    ORDER_NAME,
    ORDER_PROCESS,
    ORDER_NUMBER,
    ORDER_GENERATION,
    ORDER_EPOCH,
    ORDER_OF,
    ORDER_ROOMS,
    ORDER_MEMBERS,
    N_ORDER_VALUES
};

struct order {
    char process[EPOCH_SIZE];
    uint64_t number;
    uint32_t generation;
    uint64_t position; /* in the stream */
    struct json_slice values[N_ORDER_VALUES];
};

/* A member of an order. */
struct entry {
    char *room; /* owned, as `user` is */
    char *user;
    uint32_t connections;
    struct json_slice state; /* {NULL}: as it was */
    uint64_t at;             /* the position of the order that set the state */
};

/* Reads an order, whose text is a valid JSON object; false if it lacks something. */
bool order_read(const ws_cluster_event *event, struct order *order);

/* Reads one of an order's members, which is freed by order_free_entry(). WS_ERR_INVALID,
 * WS_ERR_NO_MEMORY: there is nothing to free. */
int order_read_entry(const ws_manager *manager, const struct order *order,
                     struct json_slice text, struct entry *entry);
void order_free_entry(const ws_manager *manager, struct entry *entry);

#endif
