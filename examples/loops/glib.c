/* glib.c: WebSockets on a GMainLoop: glib [PORT]. Another thread sends what comes in on stdin
 * to every client. SIGTERM drains. */
#include <stdlib.h>
#include <unistd.h>

#include <glib-unix.h>
#include <ws_manager/adapters/glib.h>
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

static void on_drained(void *loop)
{
    ws_host_free(host);
    g_main_loop_quit(loop);
}

static gboolean on_signal(void *loop)
{
    ws_host_drain(host, NULL, on_drained, loop);
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);

    g_unix_signal_add(SIGTERM, on_signal, loop);
    if (ws_glib_host(NULL, ws_manager_default(), NULL, &host) != WS_OK ||
        ws_host_listen(host, "127.0.0.1", argc > 1 ? (uint16_t)atoi(argv[1]) : 9000) != WS_OK)
        return 1;
    g_thread_unref(g_thread_new("input", emit_input, NULL));
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    return 0;
}
