/* ids.h: the parts of a connection's id, and the texts that identify events and connections
 * outside the process.
 *
 * An event's id is the epoch of its history, a dot and its position in decimal. A connection's
 * name is the name of its process, a dash and the connection's id in hexadecimal.
 * Not here: which position an event gets (core/sending/total_order.c). */
#ifndef WS_CORE_EVENTS_IDS_H
#define WS_CORE_EVENTS_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

enum {
    EPOCH_LENGTH = 10,                         /* characters of base 32: 50 random bits */
    EPOCH_SIZE = EPOCH_LENGTH + 1,             /* NUL-terminated; a process's name is as long */
    EVENT_ID_SIZE = EPOCH_LENGTH + 1 + 20 + 1, /* epoch, dot, decimal position, NUL */
    CONNECTION_NAME_SIZE = EPOCH_LENGTH + 1 + 16 + 1
};

/* --- connections -------------------------------------------------------------------------- */

/* From the highest bit to the lowest: the loop's number, the slot in that loop, and the
 * generation, which distinguishes the successive connections of a slot. */
enum { CONN_ID_LOOP_BITS = 8, CONN_ID_SLOT_BITS = 24, CONN_ID_GENERATION_BITS = 32 };

static inline ws_conn_id conn_id_make(uint32_t loop, uint32_t slot, uint32_t generation)
{
    return (ws_conn_id)loop << (CONN_ID_SLOT_BITS + CONN_ID_GENERATION_BITS) |
           (ws_conn_id)slot << CONN_ID_GENERATION_BITS | generation;
}

static inline uint32_t conn_id_loop(ws_conn_id id)
{
    return (uint32_t)(id >> (CONN_ID_SLOT_BITS + CONN_ID_GENERATION_BITS));
}

static inline uint32_t conn_id_slot(ws_conn_id id)
{
    return (uint32_t)(id >> CONN_ID_GENERATION_BITS) & ((1u << CONN_ID_SLOT_BITS) - 1);
}

/* --- texts -------------------------------------------------------------------------------- */

/* Draws a random epoch. False if the system has no randomness. */
bool epoch_draw(char epoch[EPOCH_SIZE]);

/* Derives another epoch without randomness: a different one for each number below 2^50. */
void epoch_turn(char epoch[EPOCH_SIZE], uint64_t by);

bool epoch_valid(const char *epoch);

/* Write an id or a name; return its length. */
size_t event_id_write(const char *epoch, uint64_t position, char id[EVENT_ID_SIZE]);
size_t connection_name_write(const char *process, ws_conn_id connection,
                             char name[CONNECTION_NAME_SIZE]);

/* Parse an id or a name. False, with nothing set, for a text that the functions above would not
 * write. */
bool event_id_read(const char *id, char epoch[EPOCH_SIZE], uint64_t *position);
bool connection_name_read(const char *name, char process[EPOCH_SIZE], ws_conn_id *connection);

#endif
