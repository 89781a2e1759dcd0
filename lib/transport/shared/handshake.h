/* handshake.h: asks the application about a client's request. Not here: which requests are valid
 * (websocket/handshake_check.h), and the answers (websocket/handshake_answer.h, refusal.h). */
#ifndef WS_TRANSPORT_SHARED_HANDSHAKE_H
#define WS_TRANSPORT_SHARED_HANDSHAKE_H

#include "base/buffer.h"
#include "base/json_text.h"
#include "transport/shared/endpoint.h"
#include "transport/shared/request.h"

struct ws_handshake {
    ws_websocket *websocket; /* NULL: it is a ws_http's */
    void *host_data;         /* the host's pointer on either */
    const char *client;      /* of a ws_http, as the host names it; NULL: it does not */
    const char *method;
    /* The id of the last event that the client saw; NULL: as the query says. */
    const char *after;
    const struct request *request;
    const ws_allocator *memory;
    char *target; /* a copy that is cut into path and query */
    const char *path;
    const char *query;
    const char *subprotocol; /* in the endpoint, or in texts */
    const char *auth;        /* of a client of Socket.IO, in texts; else NULL */
    const char *name_space;  /* in the endpoint; NULL: not a client of Socket.IO */
    char user_id[WS_NAME_MAX + 1];
    bool has_user;
    bool declines_deflate;
    void *user_data;
    int status;          /* 101, or the status with which it is refused */
    uint16_t close_code; /* with which a WebSocket is refused after its 101; 0: by the status */
    char *refusal;       /* text, or NULL for the status' name */
    struct handshake_text *texts; /* strings that accessors returned */
    bool out_of_memory; /* an accessor failed, so the application's decision is void */
};

/* Prepares a handshake for a valid request, then asks the application about it. Afterwards
 * handshake->status is 101 or an HTTP error status. False if memory ran out. `websocket` is NULL
 * for a ws_http, whose method the caller sets in between. */
bool handshake_begin(struct ws_handshake *handshake, ws_websocket *websocket, void *host_data,
                     const ws_endpoint *endpoint, const struct request *request);
bool handshake_ask(struct ws_handshake *handshake, const ws_endpoint *endpoint);

/* As handshake_begin() and handshake_ask(), for a client of Socket.IO that connects to a namespace.
 * `request` is NULL if it is no longer kept. */
bool handshake_judge_connect(struct ws_handshake *handshake, ws_websocket *websocket,
                             void *host_data, const ws_endpoint *endpoint,
                             const struct request *request, const char *name_space,
                             struct json_slice auth);

void handshake_free(struct ws_handshake *handshake);

#endif
