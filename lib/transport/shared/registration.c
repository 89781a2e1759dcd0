/* registration.c: registers the client of an accepted request with the manager. */
#include "transport/shared/registration.h"

#include "transport/shared/recovery_query.h"

/* The longest list of rooms in a query: the maximum number of rooms of a connection, or 1000 if
 * that is more. Rooms above the connection's maximum are then answered with one error each. */
static size_t max_rooms(const ws_manager_options *options)
{
    enum { LEAST = 1000 };
    uint32_t most = options->max_rooms_per_connection;

    if (most == 0)
        return SIZE_MAX;
    return most > LEAST ? most : LEAST;
}

static int connect_client(struct connection *connection, const ws_endpoint *endpoint,
                          const struct ws_handshake *handshake)
{
    ws_loop *loop = connection->loop;
    struct recovery_query said;
    ws_connect_options options;
    int result;

    ws_connect_options_init(&options);
    options.user_id = handshake->has_user ? handshake->user_id : NULL;
    options.user_data = handshake->user_data;
    options.protocol = endpoint->options.protocol == WS_PROTOCOL_ENGINEIO
                           ? WS_PROTOCOL_RAW
                           : endpoint->options.protocol;
    options.ping_interval_ms = endpoint->options.ping_interval_ms;
    result = recovery_query_read(&said, &loop->manager->memory, handshake->query,
                                 max_rooms(&loop->manager->options), &options);
    if (handshake->after != NULL)
        options.after = handshake->after;
    if (result == WS_OK)
        result = transport_connect(connection, loop, &options);
    recovery_query_free(&said);
    return result;
}

const char *registration_failure(int result)
{
    switch (result) {
    case WS_ERR_INVALID:
        return "the query is not valid percent-encoded UTF-8";
    case WS_ERR_TOO_MANY_ROOMS:
        return "the query names too many rooms";
    case WS_ERR_DRAINING:
        return "the server is draining";
    case WS_ERR_BACKPRESSURE:
        return "the server is opening too many connections at once; try again";
    case WS_ERR_NO_MEMORY:
        return "out of memory";
    default:
        return "the server has reached max_connections";
    }
}

int registration_make(struct connection *connection, const ws_endpoint *endpoint,
                      const struct ws_handshake *handshake, struct refusal *refusal)
{
    int result = connect_client(connection, endpoint, handshake);
    bool is_bad = result == WS_ERR_INVALID || result == WS_ERR_TOO_MANY_ROOMS;

    if (result != WS_OK) {
        refusal->status = is_bad ? 400 : 503;
        refusal->reason = registration_failure(result);
        refusal->advice = NULL;
    }
    return result;
}
