/* message.c: making and recognizing the published messages.
 * Not here: sending them. */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "common/frame.h"

static const char marker_name[] = "ns=";
enum {
    MARKER_NAME_BYTES = sizeof marker_name - 1,
    MARKER_DIGITS = 20,
    MARKER_BYTES = MARKER_NAME_BYTES + MARKER_DIGITS,
    NUMBER_DIGITS = 5 /* the first is not 0, so that it is a number in JSON */
};

static void write_digits(unsigned char *out, size_t count, uint64_t number)
{
    while (count-- > 0) {
        out[count] = (unsigned char)('0' + number % 10);
        number /= 10;
    }
}

static void append_fill(struct bytes *text, int byte, size_t count)
{
    unsigned char fill = (unsigned char)byte;

    while (count-- > 0)
        bytes_append(text, &fill, 1);
}

/* Appends the text for a %M, %P or %N of the template. Returns false for anything else. */
static bool append_place(struct message *message, struct bytes *text, char place, size_t bytes)
{
    switch (place) {
    case 'M':
        message->marker = text->length;
        message->has_marker = true;
        bytes_append(text, marker_name, MARKER_NAME_BYTES);
        append_fill(text, '0', MARKER_DIGITS);
        return true;
    case 'P':
        append_fill(text, 'x', bytes > MARKER_BYTES ? bytes - MARKER_BYTES : 0);
        return true;
    case 'N':
        message->numbers[message->n_numbers++] = text->length;
        append_fill(text, '0', NUMBER_DIGITS);
        return true;
    default:
        return false;
    }
}

bool message_init(struct message *message, const char *template, size_t bytes)
{
    unsigned char head[FRAME_MAX_HEAD];
    struct bytes text = {0};
    size_t head_length;

    *message = (struct message){.random = 1};
    message->numbers = must_allocate((strlen(template) + 1) * sizeof(size_t));
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '%' && append_place(message, &text, at[1], bytes))
            at++;
        else
            bytes_append(&text, at, 1);
    }
    head_length = frame_write_head(head, FRAME_TEXT, true, text.length);
    bytes_append(&message->frame, head, head_length);
    bytes_append(&message->frame, text.data, text.length);
    message->marker += head_length;
    for (size_t i = 0; i < message->n_numbers; i++)
        message->numbers[i] += head_length;
    free(text.data);
    return message->has_marker;
}

void message_free(struct message *message)
{
    free(message->frame.data);
    free(message->numbers);
}

void message_renew(struct message *message, uint64_t sent_ns)
{
    unsigned char *frame = message->frame.data;

    write_digits(frame + message->marker + MARKER_NAME_BYTES, MARKER_DIGITS, sent_ns);
    for (size_t i = 0; i < message->n_numbers; i++) {
        message->random = message->random * 6364136223846793005U + 1442695040888963407U;
        write_digits(frame + message->numbers[i], NUMBER_DIGITS,
                     10000 + (message->random >> 33) % 90000);
    }
}

bool message_find_marker(const unsigned char *payload, size_t length, uint64_t *sent_ns)
{
    /* The marker is nearly always at its place in the previous message. */
    static size_t usual;
    const unsigned char *marker = payload + usual;
    uint64_t number = 0;

    if (length < MARKER_BYTES)
        return false;
    if (length - MARKER_BYTES < usual || memcmp(marker, marker_name, MARKER_NAME_BYTES) != 0)
        marker = memmem(payload, length - MARKER_DIGITS, marker_name, MARKER_NAME_BYTES);
    if (marker == NULL)
        return false;
    usual = (size_t)(marker - payload);
    for (size_t i = MARKER_NAME_BYTES; i < MARKER_BYTES; i++)
        number = number * 10 + (uint64_t)(marker[i] - '0');
    *sent_ns = number;
    return true;
}
