/* socketio.c: packets of Socket.IO and payloads of Engine.IO: what is read can be written, and is
 * then read as the same. The first byte says which. */
#include <string.h>

#include "fuzz/support/input.h"
#include "protocol/socketio/packet.h"
#include "transport/engineio/packet.h"

enum { DEPTH = 32, PACKETS = 64 };

static void compare(struct json_slice a, struct json_slice b)
{
    ck_assert_int_eq(a.text != NULL, b.text != NULL);
    ck_assert_uint_eq(a.length, b.length);
    if (a.text != NULL)
        ck_assert_mem_eq(a.text, b.text, a.length);
}

/* Changes the data. */
static void split_event(const struct socketio_packet *packet)
{
    struct json_slice name = socketio_event_name(packet->data);
    char *data = (char *)(uintptr_t)packet->data.text;
    size_t length;

    ck_assert(json_valid(name.text, name.length, 1));
    ck_assert(!socketio_name_is_reserved(name));
    length = socketio_event_args(data, packet->data.length);
    ck_assert(json_valid(data, length, DEPTH));
    ck_assert_int_eq(data[0], '[');
    ck_assert_int_eq(data[length], '\0');
}

static void read_packet(const ws_allocator *memory, const struct text *text)
{
    struct socketio_packet packet;
    struct socketio_packet again;
    struct buffer buffer;
    size_t length;
    char *written;

    if (socketio_packet_read(text->bytes, text->length, DEPTH, &packet) != NULL)
        return;
    buffer_init(&buffer, memory);
    socketio_packet_begin(&buffer, packet.type, packet.n_attachments, packet.space, packet.id);
    buffer_add(&buffer, packet.data.text, packet.data.length);
    written = buffer_take(&buffer, &length);
    ck_assert_ptr_nonnull(written);
    ck_assert_ptr_null(socketio_packet_read(written, length, DEPTH, &again));
    ck_assert_int_eq(packet.type, again.type);
    ck_assert_int_eq(packet.id, again.id);
    ck_assert_uint_eq(packet.n_attachments, again.n_attachments);
    compare(packet.space, again.space);
    compare(packet.data, again.data);
    if (packet.type == SOCKETIO_EVENT || packet.type == SOCKETIO_BINARY_EVENT)
        split_event(&packet);
    memory_free(memory, written);
}

static void read_payload(const ws_allocator *memory, const struct text *text)
{
    struct engineio_payload payload;
    struct engineio_packet packet;
    struct buffer buffer;
    char *original;
    size_t n = 0;
    size_t length;
    char *written;

    original = memory_copy_text(memory, text->bytes, text->length);
    engineio_payload_begin(&payload, text->bytes, text->length, PACKETS);
    buffer_init(&buffer, memory);
    while (engineio_payload_has_more(&payload)) {
        if (engineio_payload_next(&payload, &packet) != NULL)
            break;
        engineio_payload_add(&buffer, n++, &packet);
        ck_assert_uint_le(n, PACKETS);
        if (!engineio_payload_has_more(&payload)) {
            written = buffer_take(&buffer, &length);
            ck_assert_uint_eq(length, text->length);
            ck_assert_mem_eq(written, original, length);
            memory_free(memory, written);
        }
    }
    buffer_free(&buffer);
    memory_free(memory, original);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz_input input = {data, length};
    bool is_payload = input_byte(&input) & 1;
    struct text text = input_rest(&input);
    ws_allocator memory;

    memory_allocator_init(&memory);
    if (is_payload)
        read_payload(&memory, &text);
    else
        read_packet(&memory, &text);
    text_free(&text);
    return 0;
}
