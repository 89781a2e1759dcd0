/* forks.h: noticing that this process was made by fork() since something was made, without asking
 * the system each time. _Fork(), vfork() and clone() are not noticed. */
#ifndef WS_BASE_FORKS_H
#define WS_BASE_FORKS_H

#include <stdbool.h>

/* Begins to count; to be called before anything compares counts. False if memory ran out. Any
 * thread. */
bool forks_watch(void);

/* How often a fork() lies between the process that began to count and this one. Any thread. */
unsigned forks_count(void);

#endif
