/* redis_on_libuv.h: a ws_redis on a libuv loop, to copy from.
 * Not here: clients (embed_libuv.c). */
#ifndef REDIS_ON_LIBUV_H
#define REDIS_ON_LIBUV_H

#include <uv.h>
#include <ws_manager/redis.h>

struct watched;

struct redis_on_libuv {
    ws_redis *redis;
    uv_loop_t *loop;
    uv_async_t wake;
    uv_timer_t deadline;
    struct watched *watched; /* the descriptors that the carrier waits for */
};

/* Creates a manager's carrier with these options, whose hooks this function sets, and begins to
 * connect. Returns an error of enum ws_error, or of libuv. */
int redis_on_libuv_open(struct redis_on_libuv *adapter, uv_loop_t *loop, ws_manager *manager,
                        ws_redis_options *options);

/* Frees the carrier. The loop must continue to run until the handles are closed and a lookup that
 * is under way has ended, which uv_run(loop, UV_RUN_DEFAULT) does. */
void redis_on_libuv_close(struct redis_on_libuv *adapter);

#endif
