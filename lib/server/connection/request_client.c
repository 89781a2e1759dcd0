/* request_client.c: determines who the client of a request is if the peer is a trusted proxy, by
 * the request's headers. Their format is in forwarded.c. */
#include "server/connection/request_client.h"

#include "server/parts/forwarded.h"

static enum client_result count_client(struct connection *connection)
{
    struct ws_server *server = connection->loop->server;

    if (server->options.max_per_address == 0 || connection->is_admin)
        return CLIENT_KNOWN;
    switch (address_table_enter(&server->addresses, &connection->proxied->client,
                                &connection->address)) {
    case ADDRESS_ENTERED:
        return CLIENT_KNOWN;
    case ADDRESS_HAS_TOO_MANY:
        return CLIENT_HAS_TOO_MANY;
    default:
        return CLIENT_NO_MEMORY;
    }
}

enum client_result request_client_identify(struct connection *connection)
{
    struct http_request *request = &connection->http->request;
    struct proxied *proxied = connection->proxied;
    const char *scheme;
    struct forwarded forwarded;

    if (proxied == NULL || proxied->is_identified)
        return CLIENT_KNOWN;
    forwarded_begin(&forwarded, &connection->loop->server->trusted_proxies, &connection->peer);
    for (size_t i = request->n_fields; i-- > 0;)
        forwarded_take(&forwarded, http_request_field_name(request, i),
                       http_request_field_value(request, i));
    switch (forwarded_end(&forwarded, &proxied->client, &scheme)) {
    case FORWARDED_CONTRADICTED:
        return CLIENT_CONTRADICTED;
    case FORWARDED_UNREADABLE:
        return CLIENT_UNREADABLE;
    case FORWARDED_READ:
        break;
    }
    proxied->is_identified = true;
    if (scheme != NULL)
        request->scheme = scheme;
    return count_client(connection);
}

void request_client_forget(struct connection *connection)
{
    struct proxied *proxied = connection->proxied;

    connection->http->request.scheme = connection_scheme(connection);
    if (proxied == NULL || !proxied->is_identified)
        return;
    proxied->is_identified = false;
    if (connection->address != NULL) {
        address_table_leave(&connection->loop->server->addresses, connection->address);
        connection->address = NULL;
    }
}
