/* libevent.c: WebSockets on a loop of libevent: libevent [PORT]. Another thread sends what
 * comes in on stdin to every client. SIGTERM drains. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <ws_manager/adapters/libevent.h>
#include <ws_manager/emit.h>

static ws_host *host;

static void *emit_input(void *unused)
{
    char text[65536];
    ssize_t n;

    (void)unused;
    while ((n = read(0, text, sizeof text - 1)) > 0) {
        text[n] = '\0';
        emit_notification(text, NULL, "info");
    }
    return NULL;
}

static void on_drained(void *base)
{
    ws_host_free(host);
    event_base_loopexit(base, NULL);
}

static void on_signal(evutil_socket_t number, short events, void *base)
{
    (void)number;
    (void)events;
    ws_host_drain(host, NULL, on_drained, base);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct event *terminate = evsignal_new(base, SIGTERM, on_signal, base);
    pthread_t thread;

    event_add(terminate, NULL);
    if (ws_libevent_host(base, ws_manager_default(), NULL, &host) != WS_OK ||
        ws_host_listen(host, "127.0.0.1", argc > 1 ? (uint16_t)atoi(argv[1]) : 9000) != WS_OK ||
        pthread_create(&thread, NULL, emit_input, NULL) != 0)
        return 1;
    event_base_dispatch(base);
    event_free(terminate);
    event_base_free(base);
    return 0;
}
