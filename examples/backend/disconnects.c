/* disconnects.c: clients that must be disconnected although the library could not take the
 * order. */
#include "disconnects.h"

#include "log.h"

static bool is_done(ws_manager *manager, const struct disconnect *disconnect)
{
    return disconnects_is_final(
        ws_manager_disconnect(manager, disconnect->id, disconnect->code, disconnect->reason));
}

bool disconnects_order(struct disconnects *disconnects, ws_manager *manager,
                       const struct disconnect *disconnect)
{
    static struct log_pause pause;

    if (is_done(manager, disconnect))
        return true;
    if (disconnects->count < DISCONNECTS_MAX)
        disconnects->waiting[disconnects->count++] = *disconnect;
    else if (log_pause_take(&pause))
        log_line(WS_LOG_ERROR, "cannot disconnect a client: too many disconnections wait");
    return false;
}

uint64_t disconnects_run(struct disconnects *disconnects, ws_manager *manager, uint64_t now_ms)
{
    size_t n_left = 0;

    if (disconnects->count == 0)
        return WS_NO_DEADLINE;
    if (now_ms < disconnects->due_ms)
        return disconnects->due_ms;
    for (size_t i = 0; i < disconnects->count; i++)
        if (!is_done(manager, &disconnects->waiting[i]))
            disconnects->waiting[n_left++] = disconnects->waiting[i];
    disconnects->count = n_left;
    disconnects->due_ms = n_left > 0 ? now_ms + DISCONNECTS_AGAIN_MS : 0;
    return n_left > 0 ? disconnects->due_ms : WS_NO_DEADLINE;
}
