// asio.cpp: WebSockets on Asio: asio [PORT]. Another thread sends what comes in on stdin to
// every client. SIGTERM drains.
#include <cstdlib>
#include <thread>

#include <ws_manager/adapters/asio.hpp>

static void emit_input()
{
    char text[65536];

    for (ssize_t n; (n = read(0, text, sizeof text - 1)) > 0;) {
        text[n] = '\0';
        emit_notification(text, nullptr, "info");
    }
}

static void on_drained(void *host)
{
    static_cast<ws::asio_host *>(host)->reset(); // nothing is left, so run() returns
}

int main(int argc, char **argv)
{
    asio::io_context context;
    asio::signal_set terminate(context, SIGTERM);
    ws::asio_host host(context.get_executor(), ws::default_manager());
    const int port = argc > 1 ? std::atoi(argv[1]) : 9000;

    if (ws_host_listen(host.get(), "127.0.0.1", static_cast<std::uint16_t>(port)) != WS_OK)
        return 1;
    terminate.async_wait(
        [&](asio::error_code, int) { ws_host_drain(host.get(), nullptr, on_drained, &host); });
    std::thread(emit_input).detach();
    context.run();
}
