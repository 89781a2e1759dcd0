/* fault_memory.h: the process's malloc(), calloc() and realloc(), one of whose calls fails:
 * including those by wslay, OpenSSL, zlib and cJSON. Not here: what is done meanwhile
 * (no_memory_test.c). */
#ifndef FAULTS_FAULT_MEMORY_H
#define FAULTS_FAULT_MEMORY_H

#include <stdbool.h>

enum { NEVER_FAIL = -1 };

/* From now on the n-th request fails (0: the next), and with `after` all later ones. */
void fault_memory_fail(long n, bool after);

/* Whether a request has failed since then. */
bool fault_memory_failed(void);

/* The number of live blocks. */
long fault_memory_blocks(void);

#endif
