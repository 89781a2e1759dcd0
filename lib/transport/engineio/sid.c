/* sid.c: the ids of Engine.IO sessions. */
#include "transport/engineio/sid.h"

#include <string.h>

#include <openssl/rand.h>

#include "base/digits.h"

bool sid_draw(struct sid_key *key)
{
    return RAND_bytes(key->bytes, sizeof key->bytes) == 1;
}

void sid_write(const ws_loop *loop, const struct sid_key *key, char sid[SID_SIZE])
{
    char name[CONNECTION_NAME_SIZE];
    char *to;

    connection_name_write(loop->manager->process, loop->number, name);
    to = stpcpy(sid, name);
    *to++ = '.';
    for (size_t i = 0; i < SID_KEY_BYTES; i++) {
        *to++ = "0123456789abcdef"[key->bytes[i] >> 4];
        *to++ = "0123456789abcdef"[key->bytes[i] & 0xf];
    }
    *to = '\0';
}

/* Only the form that sid_write() writes: one session has one id. */
static bool read_key(const char *text, struct sid_key *key)
{
    if (strlen(text) != 2 * sizeof key->bytes ||
        strspn(text, "0123456789abcdef") != 2 * sizeof key->bytes)
        return false;
    for (size_t i = 0; i < sizeof key->bytes; i++)
        key->bytes[i] = (unsigned char)((unsigned)hexadecimal_digit(text[2 * i]) << 4 |
                                        (unsigned)hexadecimal_digit(text[2 * i + 1]));
    return true;
}

bool sid_read(const char *sid, const ws_manager *manager, uint32_t *loop, struct sid_key *key)
{
    const char *dot = strrchr(sid, '.');
    char name[CONNECTION_NAME_SIZE];
    char process[EPOCH_SIZE];
    struct sid_key read;
    uint64_t number;

    if (dot == NULL || (size_t)(dot - sid) >= sizeof name || !read_key(dot + 1, &read))
        return false;
    memcpy(name, sid, (size_t)(dot - sid));
    name[dot - sid] = '\0';
    if (!connection_name_read(name, process, &number) ||
        strcmp(process, manager->process) != 0 || number >= MANAGER_MAX_LOOPS)
        return false;
    *loop = (uint32_t)number;
    if (key != NULL)
        *key = read;
    return true;
}
