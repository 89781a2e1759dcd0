/* error.h: the library's result codes and their texts. */
#ifndef WS_MANAGER_ERROR_H
#define WS_MANAGER_ERROR_H

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/* What a function that returns int returns: 0 or one of these, never another negative number, but
 * for what its comment says.
 * Values are never renumbered, new ones are appended. */
enum ws_error {
    WS_OK = 0,
    WS_ERR_INVALID = -1,   /* an argument, option or name is not acceptable */
    WS_ERR_NO_MEMORY = -2, /* an allocation failed; nothing was changed */
    WS_ERR_SYSTEM = -3,    /* the system refused randomness or a lock */
    WS_ERR_BAD_JSON = -4,  /* the text is not one JSON value (RFC 8259), or nests too deeply */
    WS_ERR_UNKNOWN_TYPE = -5,    /* an event type that nobody registered */
    WS_ERR_TOO_BIG = -6,         /* larger than a limit allows */
    WS_ERR_NOT_FOUND = -7,       /* no such connection, or no longer */
    WS_ERR_ALREADY = -8,         /* is already so: member, sent, registered */
    WS_ERR_NOT_MEMBER = -9,      /* the connection is not in that room */
    WS_ERR_FORBIDDEN = -10,      /* the host's callback said no */
    WS_ERR_TOO_MANY_ROOMS = -11, /* the connection is in as many rooms as it may be */
    WS_ERR_LIMIT = -12,          /* as many connections or loops as there may be */
    WS_ERR_BACKPRESSURE = -13,   /* a queue is full: try later */
    WS_ERR_DROPPED = -14,        /* the message was not taken and never will be */
    WS_ERR_DRAINING = -15,       /* the manager takes no new connections any more */
    WS_ERR_CLOSED = -16,         /* the connection has ended: close its socket and free it */
    WS_ERR_FORKED = -17          /* it was made before fork() and is the parent's */
};

/* A short English text for a code, without a full stop; "unknown error" for any other number.
 * The text is static. Any thread. */
WS_EXPORT const char *ws_strerror(int error);

WS_END_DECLS

#endif
