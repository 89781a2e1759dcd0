/* pid.h: the private id of a session that a client of Socket.IO may recover.
 *
 * NAME.TOKEN.EVENT. NAME is that of the connection with which the session began. TOKEN is a MAC of
 * the name, so that nobody can guess the pid. EVENT is the id of the newest event at that time: a
 * client that has received no event since then recovers from there. So the pid of a session that
 * was not recovered needs no memory. */
#ifndef WS_TRANSPORT_ENGINEIO_PID_H
#define WS_TRANSPORT_ENGINEIO_PID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_text.h"

enum {
    PID_SECRET = 32, /* bytes of a process's key */
    PID_KEY = 16, /* bytes that name a session in tables and carriers, and that reveal no pid */
    PID_KEY_NAME = 2 * PID_KEY + 1,
    PID_SIZE = 112, /* with a NUL */
    PID_OFFSET_SIZE = 64
};

struct pid {
    char text[PID_SIZE];
    char name[PID_OFFSET_SIZE];  /* of the connection with which the session began */
    char event[PID_OFFSET_SIZE]; /* the id of the newest event then */
    uint8_t key[PID_KEY];
};

/* Draws a process's key; false if the system has no randomness. */
bool pid_draw_secret(uint8_t secret[PID_SECRET]);

/* Makes the pid of a connection. False if libcrypto ran out of memory. */
bool pid_make(struct pid *pid, const uint8_t secret[PID_SECRET], const char *name,
              const char *event);

/* Reads a pid that a client names, a JSON value. False if it does not have the form of one. */
bool pid_read(struct pid *pid, struct json_slice value);

/* Whether this process has made the pid. */
bool pid_is_own(const struct pid *pid, const uint8_t secret[PID_SECRET]);

/* Writes a key as hexadecimal digits. */
void pid_name_key(const uint8_t key[PID_KEY], char name[PID_KEY_NAME]);

/* Copies a JSON string without escapes that has less than `size` bytes; false for any other
 * value. */
bool pid_copy_plain(struct json_slice value, char *text, size_t size);

#endif
