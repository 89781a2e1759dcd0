/* packet.h: reads and writes the packets of the Socket.IO protocol, version 5, without I/O.
 * Not here: the Engine.IO packets that carry them (transport/engineio/packet.h), the bytes of
 * attachments, and what the packets mean for a connection (transport/engineio/).
 *
 *     TYPE [ATTACHMENTS '-'] [NAMESPACE ','] [ID] [DATA]
 *
 * Reading allocates nothing and takes time in proportion to the text. A packet that a client
 * may not send is refused, and the server then closes the connection, as the protocol demands. */
#ifndef WS_PROTOCOL_SOCKETIO_PACKET_H
#define WS_PROTOCOL_SOCKETIO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json_text.h"

enum socketio_type {
    SOCKETIO_CONNECT,
    SOCKETIO_DISCONNECT,
    SOCKETIO_EVENT,
    SOCKETIO_ACK,
    SOCKETIO_CONNECT_ERROR, /* only the server sends it */
    SOCKETIO_BINARY_EVENT,
    SOCKETIO_BINARY_ACK
};

enum {
    SOCKETIO_NAMESPACE_MAX = 128, /* bytes, with the slash */
    SOCKETIO_NO_ID = -1
};

/* The largest id of an acknowledgement: the largest integer that a script counts exactly. */
#define SOCKETIO_ID_MAX (((int64_t)1 << 53) - 1)

struct socketio_packet {
    enum socketio_type type;
    uint32_t n_attachments;  /* binary messages that follow the packet */
    struct json_slice space; /* the namespace with its slash; {NULL}: the default one, "/" */
    int64_t id;              /* of an acknowledgement; SOCKETIO_NO_ID: none */
    struct json_slice data;  /* valid JSON, as the type demands it; {NULL}: none */
    uint32_t n_tokens;       /* of the data, as json_check() */
};

static inline bool socketio_is_binary(enum socketio_type type)
{
    return type == SOCKETIO_BINARY_EVENT || type == SOCKETIO_BINARY_ACK;
}

/* Reads a packet of a client, whose data is nested at most max_depth levels deep. The slices point
 * into the text. Returns NULL on success; otherwise an English text that says what is wrong with
 * it, and *packet is not set. */
const char *socketio_packet_read(const char *text, size_t length, size_t max_depth,
                                 struct socketio_packet *packet);

/* The name of a valid event, as JSON: a string or, as scripts may send it, a number. */
struct json_slice socketio_event_name(struct json_slice data);

/* Turns the data of a valid event, in place, into the JSON array of its arguments, which begins
 * where the data began and is followed by a NUL. The name is overwritten. Returns the length. */
size_t socketio_event_args(char *data, size_t length);

/* Whether this is a name that Socket.IO reserves, as JSON or as plain text. */
bool socketio_name_is_reserved(struct json_slice name);
bool socketio_text_is_reserved(const char *name);

/* Whether each placeholder, {"_placeholder":true,"num":N}, in a valid JSON text names one of
 * n_attachments. */
bool socketio_placeholders_valid(const char *text, size_t length, uint32_t n_attachments);

/* Adds a packet up to its data, which the caller adds afterwards. */
void socketio_packet_begin(struct buffer *buffer, enum socketio_type type,
                           uint32_t n_attachments, struct json_slice space, int64_t id);

/* The name of a namespace, which is "/" for the default one, as the slice of a packet. */
struct json_slice socketio_space(const char *name);

/* Adds the beginning of the answer to a request, as an Engine.IO message: the acknowledgement with
 * the client's id in `ref` or, without one, an event of that type. The caller
 * then adds the one argument and SOCKETIO_ANSWER_END. */
void socketio_answer_begin(struct buffer *buffer, const char *space, const char *type,
                           struct json_slice ref);

#define SOCKETIO_ANSWER_END "]"

#endif
