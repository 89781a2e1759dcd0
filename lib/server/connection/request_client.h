/* request_client.h: determines who the client of a request is if the peer is a trusted proxy. Not
 * here: who the client of the connection is (connection_proxy.c). */
#ifndef WS_SERVER_REQUEST_CLIENT_H
#define WS_SERVER_REQUEST_CLIENT_H

#include "server/connection/state.h"

enum client_result {
    CLIENT_KNOWN,
    CLIENT_CONTRADICTED, /* the headers name two different clients */
    CLIENT_UNREADABLE,   /* a header is broken where it may hold what a proxy wrote */
    CLIENT_HAS_TOO_MANY, /* connections, by max_per_address */
    CLIENT_NO_MEMORY
};

/* Call it once a request's head is complete: determines the client and counts the connection for
 * it, until request_client_forget() when the request is answered. */
enum client_result request_client_identify(struct connection *connection);
void request_client_forget(struct connection *connection);

#endif
