/* form.c: the form of messages in an event stream. */
#include "transport/sse/form.h"

#include <string.h>

#include "base/digits.h"
#include "transport/shared/deflate.h"
#include "transport/shared/frame.h"
#include "transport/shared/shared_part.h"

/* --- the messages ---------------------------------------------------------------------------- */

struct slice {
    const char *text;
    size_t length;
};

/* Moves to the next text of a message: a bundle has several, each in a WebSocket's frame. False
 * after the last. */
static bool next_text(const ws_message *message, size_t *at, struct slice *text)
{
    const uint8_t *bytes = frames_bytes(&message->frames) + *at;
    struct frame_size size = {0, message->payload_bytes};

    if (*at >= message->frames.length)
        return false;
    if (message_is_framed(message))
        size = frame_read_size(bytes);
    *text = (struct slice){(const char *)bytes + size.header, size.payload};
    *at += size.header + size.payload;
    return true;
}

/* The id in a text that has one: an event begins with it, an answer has it in its data. In JSON
 * these characters are always a name: within a string, quotes are escaped. */
static struct slice find_id(struct slice text)
{
    static const char name[] = "\"id\":\"";
    const char *found = memmem(text.text, text.length, name, sizeof name - 1);
    const char *end = text.text + text.length;
    const char *quote;

    if (found == NULL)
        return (struct slice){NULL, 0};
    found += sizeof name - 1;
    quote = memchr(found, '"', (size_t)(end - found));
    return (struct slice){found, quote != NULL ? (size_t)(quote - found) : 0};
}

/* --- their lines ----------------------------------------------------------------------------- */

/* Moves to the next line of a text, which ends with LF, CR or CRLF. False after the last. */
static bool next_line(struct slice *text, struct slice *line)
{
    size_t length = 0;
    size_t end;

    if (text->text == NULL)
        return false;
    while (length < text->length && text->text[length] != '\n' && text->text[length] != '\r')
        length++;
    *line = (struct slice){text->text, length};
    if (length == text->length) {
        text->text = NULL;
        return true;
    }
    end = length + 1;
    if (text->text[length] == '\r' && end < text->length && text->text[end] == '\n')
        end++;
    text->text += end;
    text->length -= end;
    return true;
}

static char *put(char *to, const char *text, size_t length)
{
    if (to == NULL || length == 0)
        return to;
    memcpy(to, text, length);
    return to + length;
}

/* Writes one event, or only returns its length if `to` is NULL. A client joins the lines of the
 * data with LF. It removes one space after the colon, so there is one. */
static size_t write_event(struct slice text, bool has_id, char *to)
{
    struct slice id = has_id ? find_id(text) : (struct slice){NULL, 0};
    struct slice line;
    size_t length = 1;

    if (id.length > 0) {
        length += strlen("id: \n") + id.length;
        to = put(to, "id: ", 4);
        to = put(to, id.text, id.length);
        to = put(to, "\n", 1);
    }
    while (next_line(&text, &line)) {
        length += strlen("data: \n") + line.length;
        to = put(to, "data: ", 6);
        to = put(to, line.text, line.length);
        to = put(to, "\n", 1);
    }
    put(to, "\n", 1);
    return length;
}

static size_t length_of_events(const ws_message *message)
{
    struct slice text;
    size_t length = 0;
    size_t at = 0;

    while (next_text(message, &at, &text))
        length += write_event(text, message->has_id, NULL);
    return length;
}

/* --- their framing --------------------------------------------------------------------------- */

enum {
    CHUNK_HEADER_MAX = HEXADECIMAL_MAX + 2,
    CHUNK_END = 2,
    STORED_MAX = UINT16_MAX, /* of a stored block (RFC 1951 §3.2.4) */
    STORED_HEADER = 5,
    SYNC_BYTES = 4
};

static size_t write_chunk_header(char *to, size_t length)
{
    char digits[HEXADECIMAL_MAX];
    const char *end = digits + sizeof digits;
    const char *first = hexadecimal_before(digits + sizeof digits, length);

    to = put(to, first, (size_t)(end - first));
    put(to, "\r\n", 2);
    return (size_t)(end - first) + 2;
}

static size_t stored_length(size_t length)
{
    return length + (length + STORED_MAX - 1) / STORED_MAX * STORED_HEADER;
}

/* Writes a text as stored blocks, none of which is marked as the last one. */
static void write_stored(char *to, const char *text, size_t length)
{
    while (length > 0) {
        size_t part = length < STORED_MAX ? length : STORED_MAX;
        const char header[STORED_HEADER] = {0, (char)part, (char)(part >> 8), (char)~part,
                                            (char)(~part >> 8)};

        to = put(to, header, sizeof header);
        to = put(to, text, part);
        text += part;
        length -= part;
    }
}

/* Adds bytes, in a chunk of their own if the flags say so. The frames have room for them. */
static void add_whole(struct frames *frames, const char *bytes, size_t length, unsigned flags)
{
    char *to = (char *)frames_end(frames);
    char *start = to;

    if ((flags & FORM_CHUNKED) != 0)
        to += write_chunk_header(to, length);
    to = put(to, bytes, length);
    if ((flags & FORM_CHUNKED) != 0)
        to = put(to, "\r\n", CHUNK_END);
    frames_add(frames, (size_t)(to - start));
}

static struct frames *new_frames(const ws_allocator *memory, size_t length)
{
    return frames_new(memory, CHUNK_HEADER_MAX + length + CHUNK_END);
}

/* --- forms ----------------------------------------------------------------------------------- */

static struct frames *make_plain(const ws_allocator *memory, const ws_message *message,
                                 unsigned flags)
{
    bool chunked = (flags & FORM_CHUNKED) != 0;
    size_t length = length_of_events(message);
    struct frames *made = new_frames(memory, length);
    struct slice text;
    size_t at = 0;
    size_t more;

    if (made == NULL)
        return NULL;
    more = chunked ? write_chunk_header((char *)frames_end(made), length) : 0;
    while (next_text(message, &at, &text)) {
        more += write_event(text, message->has_id, (char *)frames_end(made) + more);
        if (chunked && at >= message->frames.length) {
            memcpy(frames_end(made) + more, "\r\n", CHUNK_END);
            more += CHUNK_END;
        }
        frames_add(made, more);
        more = 0;
    }
    return made;
}

/* Compresses a text to `to`, which has room for stored_length(); returns the length. Each text is
 * compressed on its own and ends on a byte boundary, so that it can follow whatever a client has
 * received, and all clients share it. */
static size_t compress(ws_loop *loop, const char *text, size_t length, char *to,
                       const ws_endpoint_options *options)
{
    struct deflater *deflater =
        deflate_pays(options, length) ? shared_part_deflater(loop) : NULL;
    size_t compressed = 0;

    if (deflater != NULL) {
        transport_prepared(loop, compressing_cost((uint32_t)length));
        compressed = deflate_payload(deflater, 15, text, length, to, length);
    }
    if (compressed > 0) {
        memcpy(to + compressed, "\0\0\xff\xff", SYNC_BYTES);
        return compressed + SYNC_BYTES;
    }
    write_stored(to, text, length);
    return stored_length(length);
}

static struct frames *make_gzip(ws_loop *loop, const ws_message *message, unsigned flags,
                                const ws_endpoint_options *options)
{
    const ws_allocator *memory = &loop->manager->memory;
    struct frames *plain = make_plain(memory, message, 0);
    size_t room = plain != NULL ? stored_length(plain->length) : 0;
    struct frames *made = plain != NULL ? new_frames(memory, room) : NULL;
    char *blocks = made != NULL ? memory_alloc(memory, room) : NULL;

    if (blocks != NULL) {
        size_t length =
            compress(loop, (const char *)frames_bytes(plain), plain->length, blocks, options);

        add_whole(made, blocks, length, flags);
        made = frames_trim(made);
    } else if (made != NULL) {
        frames_unref(made);
        made = NULL;
    }
    memory_free(memory, blocks);
    if (plain != NULL)
        frames_unref(plain);
    return made;
}

struct frames *form_make(ws_loop *loop, ws_message *message, unsigned flags,
                         const ws_endpoint_options *options)
{
    struct frames_variant *variant;
    struct frames *made;

    transport_prepared(loop, message->payload_bytes / INPUT_BYTES_PER_UNIT);
    made = (flags & FORM_GZIP) != 0 ? make_gzip(loop, message, flags, options)
                                    : make_plain(&loop->manager->memory, message, flags);
    if (made == NULL)
        return NULL;
    made->is_own = message->frames.is_own;
    variant = frames_add_variant(&message->frames, FORM_SSE + (int)flags, made);
    return variant != NULL ? variant->form : NULL;
}

struct frames *form_of_lines(const ws_allocator *memory, const char *lines, size_t length,
                             unsigned flags, bool is_first)
{
    static const char gzip_header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff"; /* RFC 1952 §2.3 */
    bool is_gzip = (flags & FORM_GZIP) != 0;
    size_t header = is_gzip && is_first ? sizeof gzip_header - 1 : 0;
    size_t whole = header + (is_gzip ? stored_length(length) : length);
    struct frames *made = new_frames(memory, whole);
    char *bytes = made != NULL ? memory_alloc(memory, whole) : NULL;

    if (bytes == NULL) {
        if (made != NULL)
            frames_unref(made);
        return NULL;
    }
    put(bytes, gzip_header, header);
    if (is_gzip)
        write_stored(bytes + header, lines, length);
    else
        put(bytes, lines, length);
    add_whole(made, bytes, whole, flags);
    made->is_own = true;
    memory_free(memory, bytes);
    return made;
}
