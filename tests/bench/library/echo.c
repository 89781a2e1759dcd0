/* echo.c: the cost of echoing a client's message through the WebSocket transport with the raw
 * protocol, when a turn serves one client and when it serves a hundred.
 * Not here: sockets, and the library's own messages (micro.c). */
#include "figures.h"
#include "memory_host.h"

static const char message[] =
    "sixty-four bytes of text, as a chat or a game may send at a time";

enum { IN_A_TURN = 100, MESSAGE_LENGTH = sizeof message - 1 };

static void send_back(ws_manager *manager, const ws_connection_info *connection,
                      const void *data, size_t length, int is_text, void *user_data)
{
    (void)is_text;
    (void)user_data;
    require_ok(ws_manager_send_text(manager, connection->id, data, length), "an echo");
}

static void measure(struct memory_host *host, size_t n_messages, size_t n_clients)
{
    uint64_t n_bytes = host->n_bytes;
    uint64_t start = now_ns();
    double duration_ns;

    for (size_t i = 0; i < n_messages; i++) {
        memory_host_receive(host, i % n_clients, message);
        if (i % n_clients == n_clients - 1)
            memory_host_turn(host);
    }
    memory_host_turn(host);
    duration_ns = (double)(now_ns() - start);
    require(host->n_bytes - n_bytes == n_messages * (2 + MESSAGE_LENGTH),
            "every message comes back");
    print_figure(duration_ns / (double)n_messages, "ns", "echo_with_%zu_in_a_turn", n_clients);
}

int main(int argc, char **argv)
{
    size_t n_messages = count_argument(argc, argv, 500000);
    struct memory_host_options options;
    struct memory_host host;

    memory_host_options_init(&options);
    options.manager.on_raw = send_back;
    options.endpoint.protocol = WS_PROTOCOL_RAW;
    memory_host_open(&host, &options, IN_A_TURN);
    memory_host_connect(&host, 0, IN_A_TURN, IN_A_TURN);
    measure(&host, n_messages, 1);
    measure(&host, n_messages, IN_A_TURN);
    memory_host_close(&host);
    return 0;
}
