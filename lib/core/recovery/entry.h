/* entry.h: what a client that enters a room receives first: the room's last values, and its
 * newest events. They go up to the client's point of the order, after which its live events, or
 * those of its recovery, begin: so nothing is missing between, and nothing comes twice.
 * Not here: what rooms keep (events/last_values.h). */
#ifndef WS_CORE_RECOVERY_ENTRY_H
#define WS_CORE_RECOVERY_ENTRY_H

#include "core/connections/connection.h"
#include "protocol/json/answer.h"

/* What a client asks for when it enters a room. */
struct room_wish {
    bool state;
    uint32_t last;             /* the newest events: at most so many; 0: none */
    char since[EVENT_ID_SIZE]; /* those after this event; "": no such limit */
};

static inline bool room_wish_is_empty(const struct room_wish *wish)
{
    return !wish->state && wish->last == 0;
}

/* What it receives. */
struct entry {
    ws_message **messages; /* the state, then the events; each with a reference */
    size_t count;
    struct answer_entry answer;
};

/* Collects what the wish asks for. False if memory ran out. The room has been entered. */
bool entry_collect(struct connection *connection, const char *room,
                   const struct room_wish *wish, struct entry *entry);

/* Delivers what was collected, as fast as the client reads: at once, or before its recovery goes
 * on, or by a recovery that begins for this. Frees the entry. */
void entry_deliver(struct connection *connection, struct entry *entry);

/* Frees an entry that is not delivered. */
void entry_free(const struct connection *connection, struct entry *entry);

/* The cost of a wish, in the unit of a turn's budget. */
uint32_t entry_cost(const struct connection *connection, const char *room,
                    const struct room_wish *wish);

#endif
