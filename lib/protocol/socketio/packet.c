/* packet.c: reads and writes the packets of the Socket.IO protocol. */
#include "protocol/socketio/packet.h"

#include <string.h>

#include "base/utf8.h"

struct reader {
    const char *at;
    const char *end;
};

static bool is_digit(const struct reader *reader)
{
    return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

/* Reads digits, of which there is at least one; false if the number is above `max`. */
static bool read_number(struct reader *reader, int64_t max, int64_t *number)
{
    *number = 0;
    while (is_digit(reader)) {
        *number = 10 * *number + (*reader->at++ - '0');
        if (*number > max)
            return false;
    }
    return true;
}

static const char *read_attachments(struct reader *reader, struct socketio_packet *packet)
{
    int64_t count;

    if (!is_digit(reader) || !read_number(reader, INT32_MAX, &count) ||
        reader->at == reader->end || *reader->at != '-')
        return "the number of attachments is malformed";
    reader->at++;
    packet->n_attachments = (uint32_t)count;
    return NULL;
}

/* The comma may be missing only at the end of the packet. */
static const char *read_namespace(struct reader *reader, struct socketio_packet *packet)
{
    const char *begin = reader->at;
    const char *comma;
    size_t length;

    if (begin == reader->end || *begin != '/')
        return NULL;
    comma = memchr(begin, ',', (size_t)(reader->end - begin));
    length = (size_t)((comma != NULL ? comma : reader->end) - begin);
    if (length > SOCKETIO_NAMESPACE_MAX || !name_valid(begin, length))
        return "the namespace is not a valid name";
    reader->at = comma != NULL ? comma + 1 : reader->end;
    if (length > 1)
        packet->space = (struct json_slice){begin, length};
    return NULL;
}

static const char *read_id(struct reader *reader, struct socketio_packet *packet)
{
    bool may_have = packet->type != SOCKETIO_CONNECT && packet->type != SOCKETIO_DISCONNECT;
    bool must_have = packet->type == SOCKETIO_ACK || packet->type == SOCKETIO_BINARY_ACK;

    if (!is_digit(reader))
        return must_have ? "the acknowledgement lacks an id" : NULL;
    if (!may_have)
        return "a packet of this type must not have an id";
    return read_number(reader, SOCKETIO_ID_MAX, &packet->id) ? NULL : "the id is too large";
}

/* --- the data -------------------------------------------------------------------------------- */

static const char *const reserved[] = {"connect",       "connect_error", "disconnect",
                                       "disconnecting", "newListener",   "removeListener"};
enum { N_RESERVED = sizeof reserved / sizeof *reserved };

bool socketio_name_is_reserved(struct json_slice name)
{
    for (size_t i = 0; i < N_RESERVED; i++)
        if (json_string_is(name, reserved[i]))
            return true;
    return false;
}

bool socketio_text_is_reserved(const char *name)
{
    for (size_t i = 0; i < N_RESERVED; i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static const char *check_event(struct json_slice data)
{
    struct json_walk walk;
    struct json_slice name;

    if (!json_elements_begin(&walk, data.text, data.length) ||
        !json_elements_next(&walk, &name) ||
        (*name.text != '"' && *name.text != '-' && (*name.text < '0' || *name.text > '9')))
        return "the data of an event is not an array that begins with a name";
    if (socketio_name_is_reserved(name))
        return "the name of the event is reserved";
    return NULL;
}

static char first_character(struct json_slice data)
{
    size_t i = 0;

    while (i < data.length && strchr(" \t\r\n", data.text[i]) != NULL)
        i++;
    if (i == data.length)
        return '\0';
    return data.text[i];
}

static const char *check_data(const struct socketio_packet *packet)
{
    switch (packet->type) {
    case SOCKETIO_CONNECT:
        return packet->data.text == NULL || first_character(packet->data) == '{'
                   ? NULL
                   : "the data of a connect packet is not an object";
    case SOCKETIO_DISCONNECT:
        return packet->data.text == NULL ? NULL : "a disconnect packet must not have data";
    case SOCKETIO_EVENT:
    case SOCKETIO_BINARY_EVENT:
        return packet->data.text != NULL ? check_event(packet->data) : "the event lacks data";
    case SOCKETIO_ACK:
    case SOCKETIO_BINARY_ACK:
        return packet->data.text != NULL && first_character(packet->data) == '['
                   ? NULL
                   : "the data of an acknowledgement is not an array";
    case SOCKETIO_CONNECT_ERROR:
        break;
    }
    return "a client must not send a packet of this type";
}

const char *socketio_packet_read(const char *text, size_t length, size_t max_depth,
                                 struct socketio_packet *packet)
{
    struct socketio_packet read = {.id = SOCKETIO_NO_ID};
    struct reader reader = {text, text + length};
    const char *problem = NULL;

    if (length == 0 || *text < '0' || *text > '6')
        return "the type of the packet is unknown";
    read.type = (enum socketio_type)(*reader.at++ - '0');
    if (socketio_is_binary(read.type))
        problem = read_attachments(&reader, &read);
    if (problem == NULL)
        problem = read_namespace(&reader, &read);
    if (problem == NULL)
        problem = read_id(&reader, &read);
    if (problem == NULL && reader.at < reader.end) {
        read.data = (struct json_slice){reader.at, (size_t)(reader.end - reader.at)};
        if (!json_check(read.data.text, read.data.length, max_depth, &read.n_tokens))
            problem = "the data is not JSON";
    }
    if (problem == NULL)
        problem = check_data(&read);
    if (problem == NULL && socketio_is_binary(read.type) &&
        !socketio_placeholders_valid(read.data.text, read.data.length, read.n_attachments))
        problem = "a placeholder refers to a missing attachment";
    if (problem == NULL)
        *packet = read;
    return problem;
}

struct json_slice socketio_event_name(struct json_slice data)
{
    struct json_walk walk;
    struct json_slice name = {NULL, 0};

    if (json_elements_begin(&walk, data.text, data.length))
        json_elements_next(&walk, &name);
    return name;
}

size_t socketio_event_args(char *data, size_t length)
{
    struct json_walk walk;
    struct json_slice element;
    size_t left = 1; /* bytes from the first argument to the bracket */

    while (data[length - 1] != ']') /* white space */
        length--;
    json_elements_begin(&walk, data, length);
    json_elements_next(&walk, &element);
    if (json_elements_next(&walk, &element))
        left = (size_t)(data + length - element.text);
    data[0] = '[';
    memmove(data + 1, data + length - left, left);
    data[1 + left] = '\0'; /* in the place of the name or the comma */
    return 1 + left;
}

/* --- placeholders ----------------------------------------------------------------------------- */

/* The object or array that the scan is in. */
struct level {
    bool is_object;
    bool is_placeholder; /* it has the member "_placeholder" with the value true */
    bool has_number;     /* "num" names an attachment */
};

/* Returns the end of the string, number or word that begins at `at` in a valid text. */
static const char *skip_scalar(const char *at, const char *end)
{
    if (*at == '"') {
        for (at++; *at != '"'; at++)
            at += *at == '\\';
        return at + 1;
    }
    while (at < end && strchr(" \t\r\n,:]}", *at) == NULL)
        at++;
    return at;
}

/* Whether the value names an attachment: a plain number below n_attachments. */
static bool names_attachment(struct json_slice value, uint32_t n_attachments)
{
    struct reader reader = {value.text, value.text + value.length};
    int64_t number;

    return is_digit(&reader) && read_number(&reader, INT32_MAX, &number) &&
           reader.at == reader.end && number < n_attachments;
}

/* Notes a member whose value is a scalar. Of members of the same name, the last one counts. */
static void note_member(struct level *level, struct json_slice name, struct json_slice value,
                        uint32_t n_attachments)
{
    if (json_string_is(name, "_placeholder"))
        level->is_placeholder = value.length == 4 && memcmp(value.text, "true", 4) == 0;
    else if (json_string_is(name, "num"))
        level->has_number = names_attachment(value, n_attachments);
}

bool socketio_placeholders_valid(const char *text, size_t length, uint32_t n_attachments)
{
    struct level levels[JSON_MAX_DEPTH + 1] = {{.is_object = false}};
    struct level *level = levels;
    struct json_slice name = {NULL, 0}; /* of the member whose value comes next */
    const char *end = text + length;

    /* One pass over the tokens. The text is valid, so what is between them needs no check. */
    while (text < end) {
        const char *begin = text;

        switch (*begin) {
        case '{':
        case '[':
            if (level->is_object) /* a container is neither true nor a number */
                note_member(level, name, (struct json_slice){begin, 1}, n_attachments);
            *++level = (struct level){.is_object = *begin == '{'};
            name.text = NULL;
            text++;
            break;
        case '}':
        case ']':
            if (level->is_placeholder && !level->has_number)
                return false;
            level--;
            name.text = NULL;
            text++;
            break;
        case ' ':
        case '\t':
        case '\r':
        case '\n':
        case ',':
        case ':':
            text++;
            break;
        default:
            text = skip_scalar(begin, end);
            if (!level->is_object) {
                break;
            } else if (name.text == NULL) {
                name = (struct json_slice){begin, (size_t)(text - begin)};
            } else {
                note_member(level, name, (struct json_slice){begin, (size_t)(text - begin)},
                            n_attachments);
                name.text = NULL;
            }
        }
    }
    return true;
}

/* --- writing --------------------------------------------------------------------------------- */

void socketio_packet_begin(struct buffer *buffer, enum socketio_type type,
                           uint32_t n_attachments, struct json_slice space, int64_t id)
{
    char digit = (char)('0' + type);

    buffer_add(buffer, &digit, 1);
    if (socketio_is_binary(type)) {
        buffer_add_number(buffer, n_attachments);
        buffer_add_text(buffer, "-");
    }
    if (space.text != NULL) {
        buffer_add(buffer, space.text, space.length);
        buffer_add_text(buffer, ",");
    }
    if (id != SOCKETIO_NO_ID)
        buffer_add_number(buffer, (uint64_t)id);
}

struct json_slice socketio_space(const char *name)
{
    return name[1] != '\0' ? (struct json_slice){name, strlen(name)}
                           : (struct json_slice){NULL, 0};
}

void socketio_answer_begin(struct buffer *buffer, const char *space, const char *type,
                           struct json_slice ref)
{
    buffer_add_text(buffer, "4");
    socketio_packet_begin(buffer, ref.length > 0 ? SOCKETIO_ACK : SOCKETIO_EVENT, 0,
                          socketio_space(space), SOCKETIO_NO_ID);
    if (ref.length > 0) {
        buffer_add(buffer, ref.text, ref.length);
        buffer_add_text(buffer, "[");
    } else {
        buffer_add_text(buffer, "[\"");
        buffer_add_text(buffer, type);
        buffer_add_text(buffer, "\",");
    }
}
