/* encode.c: writes an event as JSON text, directly into the message that carries it. */
#include "core/sending/encode.h"

#include <string.h>

#include "base/digits.h"

enum {
    TIMESTAMP_LENGTH = 24,               /* 2026-11-24T22:00:00.123Z */
    ESCAPED_NAME_MAX = 2 * WS_NAME_MAX,  /* names contain no control characters */
    ID_ROOM = 7 + EVENT_ID_SIZE - 1 + 2, /* {"id":"…", */
};

/* Writes a name between quotes, with backslashes before '"' and '\', the only characters of a
 * name that need an escape. Returns the length. */
static size_t quote_name(const char *name, char quoted[ESCAPED_NAME_MAX + 2])
{
    size_t length = 0;

    quoted[length++] = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            quoted[length++] = '\\';
        quoted[length++] = *name;
    }
    quoted[length++] = '"';
    return length;
}

static void put_digits(char *to, unsigned value, int count)
{
    while (count-- > 0) {
        to[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Writes the time in UTC, as in RFC 3339. Years are counted from March, so that the leap day is
 * the last of a year; gmtime_r() and snprintf() would cost more than the rest of an emit. */
static void put_timestamp(char to[TIMESTAMP_LENGTH], int64_t ms)
{
    uint64_t seconds = (ms < 0 ? 0 : (uint64_t)ms) / 1000;
    unsigned of_day = (unsigned)(seconds % 86400);
    uint64_t days = seconds / 86400 + 719468; /* since 0000-03-01 */
    uint64_t era = days / 146097;
    unsigned of_era = (unsigned)(days % 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    unsigned year = (unsigned)(year_of_era + era * 400 + (month >= 10));

    memcpy(to, "0000-00-00T00:00:00.000Z", TIMESTAMP_LENGTH);
    put_digits(to, year, 4);
    put_digits(to + 5, month < 10 ? month + 3 : month - 9, 2);
    put_digits(to + 8, of_year - (153 * month + 2) / 5 + 1, 2);
    put_digits(to + 11, of_day / 3600, 2);
    put_digits(to + 14, of_day / 60 % 60, 2);
    put_digits(to + 17, of_day % 60, 2);
    put_digits(to + 20, (unsigned)((ms < 0 ? 0 : (uint64_t)ms) % 1000), 3);
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

#define PUT_LITERAL(to, text) put(to, text, sizeof text - 1)

ws_message *encode_event(const ws_allocator *memory, const struct event_fields *event,
                         const ws_conn_id *exclude, size_t n_exclude)
{
    char type[ESCAPED_NAME_MAX + 2];
    char user[ESCAPED_NAME_MAX + 2] = "null";
    char room[ESCAPED_NAME_MAX + 2];
    char key[ESCAPED_NAME_MAX + 2];
    char timestamp[TIMESTAMP_LENGTH];
    size_t type_length = quote_name(event->type, type);
    size_t user_length = event->user_id != NULL ? quote_name(event->user_id, user) : 4;
    size_t room_length = event->room != NULL ? quote_name(event->room, room) : 0;
    size_t key_length = event->key != NULL ? quote_name(event->key, key) : 0;
    size_t length = sizeof "\"type\":,\"data\":,\"timestamp\":\"\",\"user_id\":}" - 1 +
                    type_length + event->data_length + TIMESTAMP_LENGTH + user_length;
    ws_message *message;
    uint8_t *to;

    if (room_length > 0)
        length += sizeof ",\"room\":" - 1 + room_length;
    if (key_length > 0)
        length += sizeof ",\"key\":" - 1 + key_length;
    message = message_new(memory, length, ID_ROOM, exclude, n_exclude);
    if (message == NULL)
        return NULL;
    put_timestamp(timestamp, event->timestamp_ms);
    to = message_payload(message);
    to = PUT_LITERAL(to, "\"type\":");
    to = put(to, type, type_length);
    to = PUT_LITERAL(to, ",\"data\":");
    to = put(to, event->data, event->data_length);
    to = PUT_LITERAL(to, ",\"timestamp\":\"");
    to = put(to, timestamp, TIMESTAMP_LENGTH);
    to = PUT_LITERAL(to, "\",\"user_id\":");
    to = put(to, user, user_length);
    if (room_length > 0) {
        to = PUT_LITERAL(to, ",\"room\":");
        to = put(to, room, room_length);
    }
    if (key_length > 0) {
        to = PUT_LITERAL(to, ",\"key\":");
        to = put(to, key, key_length);
    }
    PUT_LITERAL(to, "}");
    return message;
}

ws_message *encode_stored(const ws_allocator *memory, const char *text, size_t length,
                          const ws_conn_id *exclude, size_t n_exclude)
{
    ws_message *message = message_new(memory, length - 1, ID_ROOM, exclude, n_exclude);

    if (message != NULL)
        memcpy(message_payload(message), text + 1, length - 1);
    return message;
}

ws_message *encode_marked(const ws_allocator *memory, const char *mark, const char *text,
                          size_t length, const ws_message *from)
{
    size_t mark_length = strlen(mark) - 1;
    ws_message *message = message_new(memory, mark_length + length, ID_ROOM,
                                      message_excluded(from), from->n_exclude);
    uint8_t *to;

    if (message == NULL)
        return NULL;
    message->is_foreign = from->is_foreign;
    to = put(message_payload(message), mark + 1, mark_length);
    put(to, text, length);
    return message;
}

static void put_id(ws_message *message, const char *epoch, uint64_t position)
{
    char digits[DECIMAL_MAX];
    const char *end = digits + sizeof digits;
    const char *first = decimal_before(digits + sizeof digits, position);
    size_t n_digits = (size_t)(end - first);
    uint8_t *to = message_prepend(message, ID_ROOM - (DECIMAL_MAX - n_digits));

    to = PUT_LITERAL(to, "{\"id\":\"");
    to = put(to, epoch, EPOCH_LENGTH);
    to = PUT_LITERAL(to, ".");
    to = put(to, first, n_digits);
    PUT_LITERAL(to, "\",");
}

void encode_finish(const ws_manager *manager, ws_message *message, const char *epoch,
                   uint64_t position)
{
    message->position = position;
    message->has_id = position > 0;
    if (position > 0)
        put_id(message, epoch, position);
    else
        *message_prepend(message, 1) = '{';
    manager_frame(manager, message);
}
