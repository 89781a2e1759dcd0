/* ids.c: the texts that identify events and connections outside the process. */
#include "core/events/ids.h"

#include <string.h>

#include <openssl/rand.h>

#include "base/digits.h"

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

bool epoch_draw(char epoch[EPOCH_SIZE])
{
    unsigned char random[EPOCH_LENGTH];

    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    for (size_t i = 0; i < EPOCH_LENGTH; i++)
        epoch[i] = base32[random[i] % 32];
    epoch[EPOCH_LENGTH] = '\0';
    return true;
}

void epoch_turn(char epoch[EPOCH_SIZE], uint64_t by)
{
    for (size_t i = 0; i < EPOCH_LENGTH; i++, by >>= 5) {
        size_t place = (size_t)(strchr(base32, epoch[i]) - base32);

        epoch[i] = base32[(place + by) % 32];
    }
}

static bool begins_with_epoch(const char *text)
{
    return strnlen(text, EPOCH_LENGTH) == EPOCH_LENGTH && strspn(text, base32) >= EPOCH_LENGTH;
}

bool epoch_valid(const char *epoch)
{
    return begins_with_epoch(epoch) && epoch[EPOCH_LENGTH] == '\0';
}

/* Writes the name, a separator and the digits that end at `end`. */
static size_t join(const char *name, char separator, const char *first, const char *end,
                   char *to)
{
    size_t length = (size_t)(end - first);

    memcpy(to, name, EPOCH_LENGTH);
    to[EPOCH_LENGTH] = separator;
    memcpy(to + EPOCH_LENGTH + 1, first, length);
    to[EPOCH_LENGTH + 1 + length] = '\0';
    return EPOCH_LENGTH + 1 + length;
}

size_t event_id_write(const char *epoch, uint64_t position, char id[EVENT_ID_SIZE])
{
    char digits[DECIMAL_MAX];
    char *end = digits + sizeof digits;

    return join(epoch, '.', decimal_before(end, position), end, id);
}

size_t connection_name_write(const char *process, ws_conn_id connection,
                             char name[CONNECTION_NAME_SIZE])
{
    char digits[HEXADECIMAL_MAX];
    char *end = digits + sizeof digits;

    return join(process, '-', hexadecimal_before(end, connection), end, name);
}

/* Reads the number after the separator; false if it is not in its shortest form. */
static bool read_number(const char *digits, unsigned base, uint64_t *number)
{
    uint64_t value = 0;

    if (digits[0] == '\0' || (digits[0] == '0' && digits[1] != '\0'))
        return false;
    for (; *digits != '\0'; digits++) {
        int digit = hexadecimal_digit(*digits);

        if (digit < 0 || (unsigned)digit >= base || (*digits >= 'A' && *digits <= 'F') ||
            __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (unsigned)digit, &value))
            return false;
    }
    *number = value;
    return true;
}

static bool split(const char *text, char separator, unsigned base, char name[EPOCH_SIZE],
                  uint64_t *number)
{
    if (!begins_with_epoch(text) || text[EPOCH_LENGTH] != separator ||
        !read_number(text + EPOCH_LENGTH + 1, base, number))
        return false;
    memcpy(name, text, EPOCH_LENGTH);
    name[EPOCH_LENGTH] = '\0';
    return true;
}

bool event_id_read(const char *id, char epoch[EPOCH_SIZE], uint64_t *position)
{
    return split(id, '.', 10, epoch, position);
}

bool connection_name_read(const char *name, char process[EPOCH_SIZE], ws_conn_id *connection)
{
    return split(name, '-', 16, process, connection);
}
