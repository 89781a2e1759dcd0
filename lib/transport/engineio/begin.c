/* begin.c: how a session begins, once its request is accepted. */
#include "transport/engineio/begin.h"

#include "transport/shared/registration.h"

static int register_raw(struct engineio_session *session, const struct ws_handshake *handshake,
                        struct refusal *refusal)
{
    struct engineio_socket *socket = engineio_socket_new(session, 0);
    int result;

    if (socket == NULL)
        return WS_ERR_NO_MEMORY;
    result = registration_make(&socket->connection, session->endpoint, handshake, refusal);
    if (result == WS_OK)
        engineio_session_add(session, socket);
    else
        memory_free(engineio_session_memory(session), socket);
    return result;
}

int engineio_begin(struct engineio_session *session, const struct ws_handshake *handshake,
                   struct request **request, struct refusal *refusal)
{
    int result;

    refusal->status = 503;
    refusal->reason = "out of memory";
    refusal->advice = NULL;
    if (session == NULL)
        return WS_ERR_NO_MEMORY;
    if (session->is_raw)
        return register_raw(session, handshake, refusal);
    result = engineio_session_await_connect(session, *request);
    if (result == WS_OK)
        *request = NULL;
    else if (result == WS_ERR_LIMIT)
        refusal->reason = "too many clients without a socket";
    return result;
}
