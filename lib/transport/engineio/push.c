/* push.c: sends packets of a session's own. */
#include "transport/engineio/push.h"

struct json_slice engineio_space_slice(const struct engineio_session *session, uint8_t space)
{
    return socketio_space(socketio_config_name(session->endpoint->socketio, space));
}

void engineio_session_push(struct engineio_session *session, struct buffer *packet)
{
    if (session->state != SESSION_GONE && packet->failed)
        session->carrier_class->fail(session->carrier, WS_CLOSE_INTERNAL_ERROR,
                                     "out of memory");
    else if (session->state != SESSION_GONE)
        session->carrier_class->push(session->carrier, packet->data, packet->length);
    buffer_free(packet);
}
