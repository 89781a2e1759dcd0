/** @file
 * WebSockets on a GMainContext of GLib. The functions of host.h use them.
 *
 * ws_host_adopt() takes the descriptor of a GSocket that a GSocketListener has accepted: a
 * duplicate of it, because the GSocket closes its own.
 */
#ifndef WS_MANAGER_ADAPTERS_GLIB_H
#define WS_MANAGER_ADAPTERS_GLIB_H

#include <glib.h>
#include <ws_manager/adapters/host.h>

WS_BEGIN_DECLS

/** @cond internal */

typedef struct ws_glib {
    ws_host host; /* first */
    GMainContext *context;
    GSource *timer;
    GSource *wake; /* another one, so that a new deadline doesn't replace a wake-up */
} ws_glib;

typedef struct ws_glib_socket_source {
    GSource source; /* first */
    ws_host_socket *socket;
    gpointer tag; /* of the descriptor in the source; NULL: it is not watched */
} ws_glib_socket_source;

static inline gboolean ws_glib_on_ready(GSource *source, GSourceFunc unused, gpointer data)
{
    ws_glib_socket_source *ours = (ws_glib_socket_source *)source;
    int ready = 0, events;

    (void)unused;
    (void)data;
    if (ours->tag ==
        NULL) /* a source that was dispatched before has taken the descriptor out */
        return G_SOURCE_CONTINUE;
    ready = (int)g_source_query_unix_fd(source, ours->tag);
    events = ((ready & G_IO_IN) ? WS_HOST_READ : 0) | ((ready & G_IO_OUT) ? WS_HOST_WRITE : 0);
    ws_host_ready(ours->socket,
                  (ready & (G_IO_ERR | G_IO_HUP)) ? WS_HOST_READ | WS_HOST_WRITE : events);
    return G_SOURCE_CONTINUE;
}

/* Without events the descriptor is taken out: poll() reports errors in any case. */
static inline int ws_glib_watch(ws_host_socket *socket, int events)
{
    static GSourceFuncs functions = {NULL, NULL, ws_glib_on_ready, NULL, NULL, NULL};
    GIOCondition condition = (GIOCondition)(((events & WS_HOST_READ) ? G_IO_IN : 0) |
                                            ((events & WS_HOST_WRITE) ? G_IO_OUT : 0));
    ws_glib_socket_source *ours = (ws_glib_socket_source *)socket->watcher;

    if (ours == NULL) {
        ours = (ws_glib_socket_source *)g_source_new(&functions, sizeof *ours);
        ours->socket = socket;
        g_source_attach(&ours->source, ((ws_glib *)socket->host)->context);
        socket->watcher = ours;
    }
    if (events != 0 && ours->tag != NULL) {
        g_source_modify_unix_fd(&ours->source, ours->tag, condition);
    } else if (events != 0) {
        ours->tag = g_source_add_unix_fd(&ours->source, socket->fd, condition);
    } else if (ours->tag != NULL) {
        g_source_remove_unix_fd(&ours->source, ours->tag);
        ours->tag = NULL;
    }
    return WS_OK;
}

static inline void ws_glib_end(GSource *source)
{
    if (source != NULL) {
        g_source_destroy(source);
        g_source_unref(source);
    }
}

static inline void ws_glib_unwatch(ws_host_socket *socket)
{
    ws_glib_end((GSource *)socket->watcher);
}

static inline gboolean ws_glib_on_run(GSource *source, GSourceFunc run, gpointer host)
{
    (void)run;
    g_source_set_ready_time(source, -1);
    ws_host_run((ws_host *)host);
    return G_SOURCE_CONTINUE;
}

static inline void ws_glib_wake(void *host)
{
    g_source_set_ready_time(((ws_glib *)host)->wake, 0);
}

static inline uint64_t ws_glib_now_ms(void)
{
    return (uint64_t)g_get_monotonic_time() / 1000;
}

static inline void ws_glib_run_after(ws_host *host, uint64_t delay_ms)
{
    g_source_set_ready_time(((ws_glib *)host)->timer,
                            delay_ms == 0 ? 0
                                          : g_get_monotonic_time() + (gint64)delay_ms * 1000);
}

static inline void ws_glib_release(ws_host *host)
{
    ws_glib *adapter = (ws_glib *)host;

    ws_glib_end(adapter->timer);
    ws_glib_end(adapter->wake);
    g_main_context_unref(adapter->context);
    free(adapter);
}

static inline GSource *ws_glib_run_source(ws_glib *adapter)
{
    static GSourceFuncs functions = {NULL, NULL, ws_glib_on_run, NULL, NULL, NULL};
    GSource *source = g_source_new(&functions, sizeof *source);

    g_source_set_callback(source, NULL, adapter, NULL);
    g_source_attach(source, adapter->context);
    return source;
}

/** @endcond */

/** Makes a host on a context.
 *
 * GLib ends the process when an allocation fails, as it does everywhere.
 *
 * @param context    whose loop calls the host; NULL for the default one
 * @param manager    the manager
 * @param options    of the clients' endpoint; copied; NULL for the defaults
 * @param[out] host  the host; set on success only
 *
 * @retval WS_OK  the host is made
 * @return any error of ws_loop_new() and of ws_endpoint_new()
 *
 * @threads The loop's thread.
 * @ownership The caller owns `*host`: ws_host_free() frees it, before the manager and the context.
 */
static inline int ws_glib_host(GMainContext *context, ws_manager *manager,
                               const ws_endpoint_options *options, ws_host **host)
{
    static const ws_host_hooks hooks = {ws_glib_watch, ws_glib_unwatch, ws_glib_run_after,
                                        ws_glib_now_ms, ws_glib_release};
    ws_glib *adapter;
    int result;

    if (manager == NULL || host == NULL)
        return WS_ERR_INVALID;
    adapter = (ws_glib *)calloc(1, sizeof *adapter);
    if (adapter == NULL)
        return WS_ERR_NO_MEMORY;
    adapter->context = g_main_context_ref(context == NULL ? g_main_context_default() : context);
    adapter->timer = ws_glib_run_source(adapter);
    adapter->wake = ws_glib_run_source(adapter);
    result = ws_host_init(&adapter->host, &hooks, manager, options, ws_glib_wake);
    if (result != WS_OK) {
        ws_glib_release(&adapter->host);
        return result;
    }
    *host = &adapter->host;
    return WS_OK;
}

WS_END_DECLS

#endif
