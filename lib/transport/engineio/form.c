/* form.c: the form of a message for a socket of Engine.IO. */
#include "transport/engineio/form.h"

#include <string.h>

#include "protocol/socketio/packet.h"
#include "transport/engineio/offset.h"
#include "transport/shared/frame.h"

/* --- events ---------------------------------------------------------------------------------- */

/* The longest type of an event as JSON: a name of which each character is escaped (encode.c). */
enum { TYPE_MAX = 2 * WS_NAME_MAX + 2 };

/* What a packet adds to an event's text, and its frame header. */
enum {
    EVENT_EXTRA = FRAME_HEADER_MAX + SOCKETIO_NAMESPACE_MAX + TYPE_MAX + EVENT_ID_SIZE + 10
};

/* The name with which an event is emitted, as JSON: its type, which is a string in the library's
 * messages and in those of a cluster's carrier. */
static struct json_slice event_name(const char *text, size_t length)
{
    static const char *const names[] = {"type"};
    struct json_slice type;

    if (!json_members(text, length, names, &type, 1) || type.text == NULL ||
        *type.text != '"' || type.length > TYPE_MAX || socketio_name_is_reserved(type))
        return (struct json_slice){"\"message\"", 9};
    return type;
}

/* The id of an event, as JSON; {NULL, 0} if it has none. It is the text's first member. */
static struct json_slice event_id(const char *text, size_t length)
{
    static const char begin[] = "{\"id\":\"";
    const size_t before = sizeof begin - 1;
    const char *end = NULL;

    if (length > before && memcmp(text, begin, before) == 0)
        end = memchr(text + before, '"', length - before);
    if (end == NULL || end - (text + before) >= EVENT_ID_SIZE)
        return (struct json_slice){NULL, 0};
    return (struct json_slice){text + before - 1, (size_t)(end + 1 - (text + before - 1))};
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

/* Adds the frame of an event's packet: 42/space,["type",{…},"id"]. From the last argument, if
 * it is a string, stock clients know from where on they recover: kept events, which are older,
 * have none. */
static void add_event(struct frames *frames, struct json_slice space, const char *text,
                      size_t length, bool has_id)
{
    struct json_slice name = event_name(text, length);
    struct json_slice id = has_id ? event_id(text, length) : (struct json_slice){NULL, 0};
    size_t payload = 2 + (space.length > 0 ? space.length + 1 : 0) + 1 + name.length + 1 +
                     length + (id.length > 0 ? 1 + id.length : 0) + 1;
    uint8_t *to = frames_end(frames);
    uint8_t *begin = to;

    to += frame_write_header(to, WSLAY_TEXT_FRAME, payload);
    to = put(to, "42", 2);
    if (space.length > 0) {
        to = put(to, space.text, space.length);
        *to++ = ',';
    }
    *to++ = '[';
    to = put(to, name.text, name.length);
    *to++ = ',';
    to = put(to, text, length);
    if (id.length > 0) {
        *to++ = ',';
        to = put(to, id.text, id.length);
    }
    *to++ = ']';
    frames_add(frames, (size_t)(to - begin));
}

/* Turns all events of a message into packets; NULL if memory ran out. */
static struct frames *make_events(ws_loop *loop, const ws_message *message,
                                  struct json_slice space)
{
    const uint8_t *from = frames_bytes(&message->frames);
    const uint8_t *end = from + message->frames.length;
    struct frames *made =
        frames_new(&loop->manager->memory,
                   message->frames.length + (size_t)message->frames.n_frames * EVENT_EXTRA);

    if (made == NULL)
        return NULL;
    transport_prepared(loop, message->payload_bytes / INPUT_BYTES_PER_UNIT);
    if (!message_is_framed(message)) {
        add_event(made, space, (const char *)from, message->payload_bytes, message->has_id);
        return frames_trim(made);
    }
    while (from < end) {
        struct frame_size size = frame_read_size(from);

        add_event(made, space, (const char *)from + size.header, size.payload, message->has_id);
        from += size.header + size.payload;
    }
    return frames_trim(made);
}

/* The form for the default namespace, which all its sockets share. */
static struct frames *shared_events(ws_loop *loop, ws_message *message)
{
    struct frames_variant *variant = frames_find_variant(&message->frames, FORM_SOCKETIO);
    struct frames *made;

    if (variant == NULL) {
        made = make_events(loop, message, (struct json_slice){NULL, 0});
        if (made == NULL)
            return NULL;
        variant = frames_add_variant(&message->frames, FORM_SOCKETIO, made);
    }
    return variant != NULL ? variant->form : NULL;
}

/* --- messages of the application ------------------------------------------------------------- */

static void add_frame(struct frames *frames, bool is_text, const char *before,
                      const void *payload, size_t length)
{
    size_t length_before = strlen(before);
    uint8_t *to = frames_end(frames);
    uint8_t *begin = to;

    to += frame_write_header(to, is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                             length_before + length);
    to = put(to, before, length_before);
    if (length > 0)
        to = put(to, payload, length);
    frames_add(frames, (size_t)(to - begin));
}

/* A message of Engine.IO without Socket.IO. */
static struct frames *make_message(ws_loop *loop, const ws_message *message)
{
    size_t length;
    const void *payload = ws_message_payload(message, &length);
    struct frames *made = frames_new(&loop->manager->memory, FRAME_HEADER_MAX + 1 + length);

    if (made != NULL)
        add_frame(made, message->is_text, message->is_text ? "4" : "", payload, length);
    return made;
}

/* Adds the frame of an event's packet, with the offset as its last argument if the client wants
 * one. */
static void add_packet(struct frames *frames, const struct engineio_socket *socket,
                       const char *packet, size_t length)
{
    char offset[OFFSET_MAX];
    size_t length_of_offset = 0;
    uint8_t *to = frames_end(frames);
    uint8_t *begin = to;

    if (offset_is_wanted(socket, packet, length))
        length_of_offset = offset_write(socket, offset);
    to += frame_write_header(to, WSLAY_TEXT_FRAME, length + length_of_offset);
    to = put(to, packet, length - 1);
    to = put(to, offset, length_of_offset);
    *to++ = ']';
    frames_add(frames, (size_t)(to - begin));
}

/* A copy of packets that were made for any socket, the first one with an offset, or the packets
 * themselves, if their client wants none. NULL if memory ran out. */
static struct frames *make_packets(ws_loop *loop, const struct engineio_socket *socket,
                                   ws_message *message)
{
    const uint8_t *from = frames_bytes(&message->frames);
    struct frame_size size = frame_read_size(from);
    const char *packet = (const char *)from + size.header;
    size_t rest = message->frames.length - size.header - size.payload;
    struct frames *made;

    if (!offset_is_wanted(socket, packet, size.payload))
        return &message->frames;
    made = frames_new(&loop->manager->memory,
                      message->frames.length + FRAME_HEADER_MAX + OFFSET_MAX);
    if (made == NULL)
        return NULL;
    add_packet(made, socket, packet, size.payload);
    if (rest > 0) {
        put(frames_end(made), packet + size.payload, rest);
        frames_add(made, rest);
    }
    made->before_last = 0; /* all are one message */
    return made;
}

/* A text or bytes as socket.send() sends them: the event "message" with one argument. */
static struct frames *make_send(ws_loop *loop, const struct engineio_socket *socket,
                                const ws_message *message, struct json_slice space)
{
    size_t length;
    const void *payload = ws_message_payload(message, &length);
    struct buffer packet;
    struct frames *made = NULL;

    buffer_init(&packet, &loop->manager->memory);
    buffer_add_text(&packet, "4");
    socketio_packet_begin(&packet, message->is_text ? SOCKETIO_EVENT : SOCKETIO_BINARY_EVENT, 1,
                          space, SOCKETIO_NO_ID);
    buffer_add_text(&packet, "[\"message\",");
    if (message->is_text)
        buffer_add_json_string(&packet, payload, length);
    else
        buffer_add_text(&packet, "{\"_placeholder\":true,\"num\":0}");
    buffer_add_text(&packet, "]");
    if (!packet.failed)
        made = frames_new(&loop->manager->memory,
                          2 * (size_t)FRAME_HEADER_MAX + OFFSET_MAX + packet.length + length);
    if (made != NULL)
        add_packet(made, socket, packet.data, packet.length);
    if (made != NULL && !message->is_text) {
        add_frame(made, false, "", payload, length);
        made->before_last = 0; /* the two are one message */
    }
    buffer_free(&packet);
    return made;
}

/* --- any message ----------------------------------------------------------------------------- */

/* The form that is made for one socket alone; it is not compressed. */
static struct frames *make_own(ws_loop *loop, const struct engineio_socket *socket,
                               const ws_message *message)
{
    bool is_raw = socket->space_name == NULL;
    struct json_slice space = {NULL, 0};

    if (!is_raw)
        space = socketio_space(socket->space_name);
    if (!is_raw && message->form == MESSAGE_EVENT)
        return make_events(loop, message, space);
    transport_prepared(loop, message->payload_bytes / INPUT_BYTES_PER_UNIT);
    return is_raw ? make_message(loop, message) : make_send(loop, socket, message, space);
}

struct engineio_form engineio_form_of(ws_loop *loop, const struct engineio_socket *socket,
                                      ws_message *message)
{
    struct engineio_form form = {.kind = FORM_COMPRESSED};

    if (message->form == MESSAGE_PACKET) {
        form.frames = make_packets(loop, socket, message);
        form.is_new = form.frames != &message->frames;
    } else if (socket->connection.protocol == WS_PROTOCOL_SOCKETIO &&
               message->form == MESSAGE_EVENT) {
        form.frames = shared_events(loop, message);
        form.kind = FORM_SOCKETIO;
    } else {
        form.frames = make_own(loop, socket, message);
        form.is_new = true;
    }
    if (form.is_new && form.frames != NULL)
        form.frames->is_own = true;
    return form;
}
