/* log.c: the backend's log: lines on stderr, each with time and level.
 * Storing and rotating them is the service manager's work. */
#include "log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

enum { LINE_MAX_BYTES = 1024 };

static int highest_level = WS_LOG_INFO;

void log_set_level(int level)
{
    highest_level = level;
}

bool log_has(int level)
{
    return level <= highest_level;
}

bool log_may_share(struct log_share *share, int level, unsigned *left_out)
{
    *left_out = 0;
    if (!log_has(level) || log_has(WS_LOG_DEBUG))
        return log_has(level);
    return log_share_take(share, left_out);
}

/* Writes a line, unless it would have to wait: a pipe that nobody reads must not stop a loop. A
 * pipe that is ready takes PIPE_BUF bytes. The lines that were left out are counted before the
 * next one. */
static void write_line(const char *line, size_t length)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static unsigned left_out;
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    char lines[LINE_MAX_BYTES + 64];
    int before = 0;

    pthread_mutex_lock(&mutex);
    if (poll(&output, 1, 0) == 0) {
        left_out++;
    } else {
        if (left_out > 0)
            before =
                snprintf(lines, sizeof lines,
                         "(%u lines were dropped: stderr was not read in time)\n", left_out);
        left_out = 0;
        memcpy(lines + before, line, length);
        /* There is nowhere to report a failure. */
        if (write(STDERR_FILENO, lines, (size_t)before + length) < 0)
            left_out++;
    }
    pthread_mutex_unlock(&mutex);
}

void log_line(int level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char line[LINE_MAX_BYTES];
    struct timespec now;
    struct tm utc;
    va_list arguments;
    size_t length;
    int written;

    if (level < WS_LOG_ERROR || level > WS_LOG_DEBUG || !log_has(level))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    length += (size_t)snprintf(line + length, sizeof line - length,
                               ".%03dZ %s: ", (int)(now.tv_nsec / 1000000), names[level]);

    va_start(arguments, format);
    /* clang-tidy 14 takes it for uninitialized. NOLINTNEXTLINE(clang-analyzer-valist.*) */
    written = vsnprintf(line + length, sizeof line - length, format, arguments);
    va_end(arguments);
    if (written < 0)
        return;
    utf8_make_line(line + length); /* it may quote what clients sent */
    length += strlen(line + length);
    line[length++] = '\n';

    write_line(line, length);
}
