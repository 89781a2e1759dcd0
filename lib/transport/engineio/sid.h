/* sid.h: the ids of Engine.IO sessions: unguessable, and each names the process and the loop that
 * have the session. */
#ifndef WS_TRANSPORT_ENGINEIO_SID_H
#define WS_TRANSPORT_ENGINEIO_SID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/transport/transport_side.h"

enum {
    SID_KEY_BYTES = 16,
    SID_SIZE =
        EPOCH_LENGTH + 1 + 2 + 1 + 2 * SID_KEY_BYTES + 1 /* a loop's number has 2 digits */
};

/* The part of an id that no other client can guess. */
struct sid_key {
    unsigned char bytes[SID_KEY_BYTES];
};

/* Draws a key; false if the system has no randomness. */
bool sid_draw(struct sid_key *key);

/* Writes the id of a session of this loop: the process's name, a dash, the loop's number, a dot and
 * the key, the last two in hexadecimal. */
void sid_write(const ws_loop *loop, const struct sid_key *key, char sid[SID_SIZE]);

/* Reads an id that a process of this manager has written; false for any other text. `key` may be
 * NULL. Any thread. */
bool sid_read(const char *sid, const ws_manager *manager, uint32_t *loop, struct sid_key *key);

#endif
