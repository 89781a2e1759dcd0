/* server_process.c: reads the server's CPU time, memory and descriptors.
 * Not here: their use (measurement.c and the modes). */
#include "server_process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"

enum { PATH_BYTES = 64, LINE_BYTES = 1024 };

static FILE *open_proc(int pid, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return fopen(path, "re");
}

struct cpu_time server_cpu_time(int pid)
{
    struct cpu_time result = {0};
    char line[LINE_BYTES];
    struct timespec total;
    clockid_t clock;
    FILE *file = pid > 0 ? open_proc(pid, "stat") : NULL;

    if (file == NULL)
        return result;
    if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &total) == 0)
        result.total_ns = timespec_ns(&total);
    if (fgets(line, sizeof line, file) != NULL && strrchr(line, ')') != NULL) {
        unsigned long user = 0;
        unsigned long system = 0;

        /* Skips the fields 3 to 13 and reads utime and stime. */
        sscanf(strrchr(line, ')') + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu",
               &user, &system);
        result.user_ticks = user;
        result.system_ticks = system;
    }
    fclose(file);
    return result;
}

struct server_memory server_memory(int pid)
{
    struct server_memory result = {0};
    char line[LINE_BYTES];
    size_t kib;
    FILE *file = open_proc(pid, "smaps_rollup");

    if (file == NULL)
        return result;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Rss: %zu kB", &kib) == 1)
            result.rss_bytes = kib * 1024;
        else if (sscanf(line, "Pss: %zu kB", &kib) == 1)
            result.pss_bytes = kib * 1024;
    }
    fclose(file);
    return result;
}

size_t server_open_files(int pid)
{
    char path[PATH_BYTES];
    size_t count = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    folder = opendir(path);
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}
