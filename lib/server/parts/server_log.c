/* server_log.c: the lines that a server hands to the application's log. */
#include "server/parts/server_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

enum { LINE_MAX_BYTES = 1024 };

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

bool server_log_may_share(struct server_log *log, int level, unsigned *left_out)
{
    *left_out = 0;
    if (!server_log_has(log, level) || server_log_has(log, WS_LOG_DEBUG))
        return server_log_has(log, level);
    return log_share_take(&log->share, left_out);
}
