/* drain.h: draining at once, with only a code and a reason. */
#ifndef SUPPORT_DRAIN_H
#define SUPPORT_DRAIN_H

#include <ws_manager/ws_manager.h>

static inline int drain_with(ws_manager *manager, uint16_t code, const char *reason)
{
    ws_drain_options options;

    ws_drain_options_init(&options);
    options.code = code;
    options.reason = reason;
    options.retry_spread_ms = 0;
    return ws_manager_drain(manager, &options);
}

#endif
