/* client.c: a client's socket as the application sees it, which its endpoints are asked to
 * accept. */
#include "server/connection/connection.h"
#include "server/parts/address.h"
#include "server/parts/page.h"
#include <ws_manager/server.h>

static struct connection *connection_of(const ws_server_client *client)
{
    return (struct connection *)(uintptr_t)client;
}

ws_server_client *ws_server_client_of(ws_handshake *handshake)
{
    return ws_handshake_host_data(handshake);
}

const ws_server_request *ws_server_client_request(const ws_server_client *client)
{
    struct connection *connection = connection_of(client);

    if (connection == NULL || connection->http == NULL ||
        !http_request_has_head(&connection->http->request))
        return NULL;
    connection->http->view.client = connection_client(connection);
    return &connection->http->view;
}

void ws_server_client_address(const ws_server_client *client, char *text, size_t size)
{
    if (client != NULL && text != NULL)
        address_write(connection_client(connection_of(client)), text, size);
}

const char *ws_server_client_scheme(const ws_server_client *client)
{
    static const char *const schemes[] = {
        [SCHEME_UNKNOWN] = NULL, [SCHEME_HTTP] = "http", [SCHEME_HTTPS] = "https"};
    const struct connection *connection = connection_of(client);

    if (connection == NULL)
        return NULL;
    return connection->http != NULL ? connection->http->request.scheme
                                    : schemes[connection->scheme];
}

int ws_server_check_page(ws_handshake *handshake)
{
    const struct connection *connection;
    struct origin_request page;

    if (handshake == NULL)
        return WS_ERR_INVALID;
    connection = connection_of(ws_server_client_of(handshake));
    if (connection == NULL)
        return WS_OK; /* each of its polls was checked */
    page = (struct origin_request){
        .origin = ws_handshake_header(handshake, "Origin"),
        .host = ws_handshake_header(handshake, "Host"),
        .scheme = ws_server_client_scheme(ws_server_client_of(handshake)),
    };
    if (page_is_allowed(&connection->loop->server->origins, &page,
                        ws_handshake_websocket(handshake) != NULL))
        return WS_OK;
    ws_handshake_refuse(handshake, 403, "pages of this origin may not connect");
    return WS_ERR_FORBIDDEN;
}

void ws_server_client_set_data(ws_server_client *client, void *data)
{
    if (client != NULL)
        connection_of(client)->data = data;
}

void *ws_server_client_data(const ws_server_client *client)
{
    return client != NULL ? connection_of(client)->data : NULL;
}

int ws_server_client_close(ws_server_client *client, uint16_t code, const char *reason)
{
    struct connection *connection = connection_of(client);

    if (connection == NULL)
        return WS_ERR_INVALID;
    if (connection->websocket != NULL)
        return ws_websocket_close(connection->websocket, code, reason);
    return connection->events != NULL ? ws_http_close(connection->events, code, reason)
                                      : WS_ERR_CLOSED;
}
