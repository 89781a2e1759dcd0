/* libuv.c: WebSockets on a libuv loop: libuv [PORT]. Another thread sends what comes in on stdin to
 * every client. SIGTERM drains. */
#include <stdlib.h>
#include <unistd.h>

#include <ws_manager/adapters/libuv.h>
#include <ws_manager/emit.h>

static ws_host *host;

static void emit_input(void *unused)
{
    char text[65536];
    ssize_t n;

    (void)unused;
    while ((n = read(0, text, sizeof text - 1)) > 0) {
        text[n] = '\0';
        emit_notification(text, NULL, "info");
    }
}

static void on_drained(void *terminate)
{
    ws_host_free(host);
    uv_close(terminate, NULL); /* the last handle: uv_run() returns */
}

static void on_signal(uv_signal_t *terminate, int number)
{
    (void)number;
    ws_host_drain(host, NULL, on_drained, terminate);
}

int main(int argc, char **argv)
{
    uv_loop_t *uv = uv_default_loop();
    uv_signal_t terminate;
    uv_thread_t thread;

    uv_signal_init(uv, &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    if (ws_libuv_host(uv, ws_manager_default(), NULL, &host) != WS_OK ||
        ws_host_listen(host, "127.0.0.1", argc > 1 ? (uint16_t)atoi(argv[1]) : 9000) != WS_OK ||
        uv_thread_create(&thread, emit_input, NULL) != 0)
        return 1;
    return uv_run(uv, UV_RUN_DEFAULT);
}
