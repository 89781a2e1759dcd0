/* handshakes.c: opening handshakes, from the request until the answer and the welcome are taken,
 * and freeing the connection. Not here: the cost of an open connection (idle.c). */
#include "client_bytes.h"
#include "figures.h"
#include "memory_host.h"

enum { IN_A_TURN = 100 };

typedef int handshake_call(ws_websocket *websocket);

static int by_bytes(ws_websocket *websocket)
{
    static char request[CLIENT_REQUEST_MAX];
    static size_t length;

    if (length == 0)
        length = client_request(request, "/ws?user_id=ana");
    return ws_websocket_receive(websocket, request, length);
}

static int by_upgrade(ws_websocket *websocket)
{
    static const ws_header headers[] = {
        {"Host", "server.example.com"},  {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},       {"Sec-WebSocket-Key", CLIENT_KEY},
        {"Sec-WebSocket-Version", "13"},
    };

    return ws_websocket_upgrade(websocket, "GET", 1, 1, "/ws?user_id=ana", headers,
                                sizeof headers / sizeof *headers);
}

static void come_and_go(struct memory_host *host, handshake_call *shake)
{
    for (size_t i = 0; i < host->n_clients; i++) {
        struct memory_client *client = &host->clients[i];

        require_ok(ws_websocket_new(host->loop, host->endpoint, client, &client->websocket),
                   "ws_websocket_new");
        require_ok(shake(client->websocket), "a handshake");
    }
    memory_host_turn(host);
    require(ws_manager_connection_count(host->manager) == host->n_clients,
            "all handshakes are accepted");
    for (size_t i = 0; i < host->n_clients; i++) {
        ws_websocket_free(host->clients[i].websocket);
        host->clients[i].websocket = NULL;
    }
}

static void measure(struct memory_host *host, size_t count, handshake_call *shake,
                    const char *name)
{
    uint64_t start = now_ns();
    size_t done = 0;

    for (; done < count; done += host->n_clients)
        come_and_go(host, shake);
    print_figure((double)done / (double)(now_ns() - start) * 1e9, "per_s", "handshakes_%s",
                 name);
}

int main(int argc, char **argv)
{
    size_t count = count_argument(argc, argv, 50000);
    struct memory_host host;

    memory_host_open(&host, NULL, IN_A_TURN);
    measure(&host, count, by_bytes, "by_bytes");
    measure(&host, count, by_upgrade, "by_upgrade");
    memory_host_close(&host);
    return 0;
}
