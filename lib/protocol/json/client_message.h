/* client_message.h: parses a client's request from its JSON text.
 * Not here: carrying it out (core/clients/builtin_messages.c). */
#ifndef WS_PROTOCOL_JSON_CLIENT_MESSAGE_H
#define WS_PROTOCOL_JSON_CLIENT_MESSAGE_H

#include <stdbool.h>
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
    CLIENT_AUTHENTICATE,
    CLIENT_REQUEST,
    CLIENT_RESPONSE,
    CLIENT_PRESENCE,
    CLIENT_SET_STATE,
    CLIENT_WATCH_PRESENCE,
    CLIENT_UNWATCH_PRESENCE,
    CLIENT_OWN /* a type of the application, which is like CLIENT_MESSAGE */
};

enum { CLIENT_SINCE_SIZE = 32 }; /* of an event's id, and a NUL */

struct client_message {
    enum client_message_type type;
    struct json_slice ref; /* a JSON string or number; {NULL} if the request has none */
    const char *data;      /* any JSON value, NUL-terminated; "null" if the request has none */
    size_t data_length;
    struct json_slice error; /* of CLIENT_RESPONSE: any JSON value; {NULL}: it has none */
    char *room;              /* a valid name, or NULL; owned */
    char *token;             /* for CLIENT_AUTHENTICATE; owned */
    char *name;              /* of CLIENT_REQUEST: its method; of CLIENT_OWN: its type; owned */
    bool presence;           /* of CLIENT_JOIN_ROOM: the client wants the room's presence */
    bool state;              /* of CLIENT_JOIN_ROOM: and its last values */
    uint32_t last;           /* and so many of its newest events; 0: none */
    char since[CLIENT_SINCE_SIZE]; /* of these those after this id; "": no such limit */
    uint32_t n_tokens; /* of the text, as json_check(); also if the message is refused */
};

/* What depends on the application. */
struct client_syntax {
    size_t max_depth; /* of the nesting */

    /* Whether it has a type of that name; NULL: it has none. */
    bool (*has_type)(const void *types, const char *name);
    const void *types;
};

enum { CLIENT_REF_MAX = 256 }; /* bytes of JSON */

/* Parses one text message. On success the slices and the data of *message point into `text`, in
 * which a NUL now terminates the data, and the caller must call client_message_free().
 * WS_ERR_INVALID: *problem is the error to answer, with message->ref if
 * the request has a valid one. WS_ERR_NO_MEMORY: *problem is not set. */
int client_message_parse(const ws_allocator *memory, char *text, size_t length,
                         const struct client_syntax *syntax, struct client_message *message,
                         struct answer_problem *problem);

/* Reads whether the client wants the presence of the room that it joins; {NULL}: it says nothing.
 * WS_OK, or WS_ERR_INVALID with *problem. */
int client_message_parse_presence(struct json_slice value, struct client_message *message,
                                  struct answer_problem *problem);

/* Reads what a client that joins a room wants to receive first: JSON values, or {NULL}. Returns
 * WS_OK or WS_ERR_INVALID, with the error to answer. */
int client_message_parse_wish(struct json_slice state, struct json_slice last,
                              struct json_slice since, struct client_message *message,
                              struct answer_problem *problem);

/* Whether a name is a type of the protocol. */
bool client_type_is_reserved(const char *name);

void client_message_free(const ws_allocator *memory, struct client_message *message);

#endif
