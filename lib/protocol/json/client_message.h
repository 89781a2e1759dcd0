/* client_message.h: parses a client's request from its JSON text.
 * Not here: carrying it out (core/clients/requests.c). */
#ifndef WS_PROTOCOL_JSON_CLIENT_MESSAGE_H
#define WS_PROTOCOL_JSON_CLIENT_MESSAGE_H

#include <stddef.h>

#include <ws_manager/error.h>

#include "base/json_text.h"
#include "base/memory.h"
#include "protocol/json/answer.h"

enum client_message_type {
    CLIENT_JOIN_ROOM,
    CLIENT_LEAVE_ROOM,
    CLIENT_PING,
    CLIENT_MESSAGE,
    CLIENT_AUTHENTICATE
};

struct client_message {
    enum client_message_type type;
    struct json_slice ref; /* a JSON string or number; {NULL} if the request has none */
    const char *data;      /* any JSON value, NUL-terminated; "null" if the request has none */
    size_t data_length;
    char *room;  /* a valid name, or NULL; owned */
    char *token; /* for CLIENT_AUTHENTICATE; owned */
};

enum { CLIENT_REF_MAX = 256 }; /* bytes of JSON */

/* Parses one text message. On success the slices and the data of *message point into `text`, in
 * which a NUL now terminates the data, and the caller must call client_message_free().
 * WS_ERR_INVALID: *problem is the error to answer, with message->ref if
 * the request has a valid one. WS_ERR_NO_MEMORY: *problem is not set. */
int client_message_parse(const ws_allocator *memory, char *text, size_t length,
                         size_t max_depth, struct client_message *message,
                         struct answer_problem *problem);

void client_message_free(const ws_allocator *memory, struct client_message *message);

#endif
