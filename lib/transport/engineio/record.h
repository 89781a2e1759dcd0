/* record.h: what is known of a session that its client may recover: its user and rooms, and the
 * name of its last connection.
 * Not here: where records are kept (kept.h).
 *
 * As bytes: fields that end with a NUL: the version of this form, the rank, the connection's name,
 * the user ("u" and the id, or "-"), and the rooms. */
#ifndef WS_TRANSPORT_ENGINEIO_RECORD_H
#define WS_TRANSPORT_ENGINEIO_RECORD_H

#include "core/transport/transport_side.h"

enum { RECORD_MAX = 1 << 16 /* bytes */ };

struct record {
    uint64_t rank;    /* how often the session was recovered before */
    const char *name; /* of its last connection */
    const char *user; /* NULL: anonymous */
    size_t n_rooms;
    const char *rooms[]; /* in this block, as all texts */
};

/* Writes the record of a connection, which may be of any loop. False if there is none with this id;
 * buffer->failed if memory ran out or the record has more than RECORD_MAX bytes. */
bool record_write(struct buffer *buffer, ws_manager *manager, ws_conn_id connection,
                  uint64_t rank);

/* Reads a record; NULL if it is not valid or memory ran out. The caller frees it with
 * memory_free(). */
struct record *record_read(const ws_allocator *memory, const char *bytes, size_t length);

/* Where a room's name begins in a record that was written; 0: it is not in it. */
size_t record_find_room(const char *bytes, size_t length, const char *room);

/* Whether the record is of this user; NULL: anonymous. */
bool record_is_of(const struct record *record, const char *user);

#endif
