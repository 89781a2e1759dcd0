/* server_process.h: the CPU time, memory and descriptors of the server's process, as the kernel
 * counts them. */
#ifndef LOAD_SERVER_PROCESS_H
#define LOAD_SERVER_PROCESS_H

#include <stddef.h>
#include <stdint.h>

struct cpu_time {
    uint64_t total_ns;
    /* How the total is divided. These two are only exact to a tick (10 ms). */
    uint64_t user_ticks;
    uint64_t system_ticks;
};

struct server_memory {
    size_t rss_bytes;
    size_t pss_bytes;
};

/* Zeros if there is no such process. */
struct cpu_time server_cpu_time(int pid);
struct server_memory server_memory(int pid);
size_t server_open_files(int pid);

#endif
