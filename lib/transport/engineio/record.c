/* record.c: what is known of a session that its client may recover. */
#include "transport/engineio/record.h"

#include <string.h>

#include "base/digits.h"

static const char version[] = "1";

enum { N_FIELDS = 4 /* before the rooms */ };

bool record_write(struct buffer *buffer, ws_manager *manager, ws_conn_id connection,
                  uint64_t rank)
{
    char name[TRANSPORT_NAME_SIZE];

    buffer_add(buffer, version, sizeof version);
    buffer_add_number(buffer, rank);
    buffer_add(buffer, "", 1);
    buffer_add(buffer, name, transport_name_of(manager, connection, name));
    buffer_add(buffer, "", 1);
    return transport_describe(manager, connection, RECORD_MAX, buffer);
}

/* Reads the decimal number that is the whole text. */
static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    if (*text == '\0' || strlen(text) >= DECIMAL_MAX)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *number = *number * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

static size_t count_fields(const char *bytes, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += bytes[i] == '\0';
    return n;
}

struct record *record_read(const ws_allocator *memory, const char *bytes, size_t length)
{
    size_t n = length <= RECORD_MAX ? count_fields(bytes, length) : 0;
    const char *fields[N_FIELDS];
    struct record *record;
    const char *at;

    if (n < N_FIELDS || bytes[length - 1] != '\0')
        return NULL;
    record = memory_alloc(memory, sizeof *record + n * sizeof *record->rooms + length);
    if (record == NULL)
        return NULL;
    at = memcpy(&record->rooms[n], bytes, length);
    record->n_rooms = n - N_FIELDS;
    for (size_t i = 0; i < n; i++) {
        *(i < N_FIELDS ? &fields[i] : &record->rooms[i - N_FIELDS]) = at;
        at += strlen(at) + 1;
    }
    record->name = fields[2];
    record->user = fields[3][0] == 'u' ? fields[3] + 1 : NULL;
    if (strcmp(fields[0], version) == 0 && read_number(fields[1], &record->rank))
        return record;
    memory_free(memory, record);
    return NULL;
}

size_t record_find_room(const char *bytes, size_t length, const char *room)
{
    size_t n = 0;

    for (size_t at = 0; at < length; at += strlen(bytes + at) + 1)
        if (n++ >= N_FIELDS && strcmp(bytes + at, room) == 0)
            return at;
    return 0;
}

bool record_is_of(const struct record *record, const char *user)
{
    return user != NULL && record->user != NULL ? strcmp(user, record->user) == 0
                                                : user == record->user;
}
