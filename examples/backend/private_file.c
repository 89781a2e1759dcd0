/* private_file.c: a warning about files that only their owner should be able to read. */
#include "private_file.h"

#include <sys/stat.h>

#include "log.h"

void private_file_check(const char *option, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
        log_line(WS_LOG_WARN, "%s: %s may be read or written by every user (mode %04o)", option,
                 path, (unsigned)(status.st_mode & 07777));
}
