/* server_log.c: the lines that a server hands to the application's log. */
#include "server/parts/server_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "server/parts/monotonic_clock.h"

enum { LINE_MAX_BYTES = 1024, PAUSE_MS = 1000, LINES_A_PAUSE = 10 };

void server_log_line(const struct server_log *log, int level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    int written;

    if (!server_log_has(log, level))
        return;
    va_start(arguments, format);
    /* clang-tidy 14 takes it for uninitialized. NOLINTNEXTLINE(clang-analyzer-valist.*) */
    written = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (written < 0)
        return;
    utf8_make_line(line); /* it may quote what clients sent */
    log->callback(level, line, log->user_data);
}

bool server_log_may(struct server_log_pause *pause)
{
    uint64_t now_ms = monotonic_ms();
    uint64_t next_ms = atomic_load(&pause->next_ms);

    return now_ms >= next_ms &&
           atomic_compare_exchange_strong(&pause->next_ms, &next_ms, now_ms + PAUSE_MS);
}

bool server_log_may_share(struct server_log *log, int level, unsigned *left_out)
{
    uint64_t now_ms;
    uint64_t until_ms;

    *left_out = 0;
    if (!server_log_has(log, level) || server_log_has(log, WS_LOG_DEBUG))
        return server_log_has(log, level);
    now_ms = monotonic_ms();
    until_ms = atomic_load(&log->share_until_ms);
    if (now_ms >= until_ms &&
        atomic_compare_exchange_strong(&log->share_until_ms, &until_ms, now_ms + PAUSE_MS))
        atomic_store(&log->share_count, 0);
    if (atomic_fetch_add(&log->share_count, 1) >= LINES_A_PAUSE) {
        atomic_fetch_add(&log->share_left_out, 1);
        return false;
    }
    *left_out = atomic_exchange(&log->share_left_out, 0);
    return true;
}
