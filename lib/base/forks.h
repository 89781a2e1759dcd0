/* forks.h: detects that a fork() happened since an object was created, without a system call for
 * each check: the object stores forks_count() and compares it later. _Fork(), vfork() and clone()
 * are not detected. */
#ifndef WS_BASE_FORKS_H
#define WS_BASE_FORKS_H

#include <stdbool.h>

/* Starts counting. Call it before the first forks_count() that is stored. False if memory ran out.
 * Any thread. */
bool forks_watch(void);

/* The number of fork() calls between the process that started counting and this process. Any
 * thread. */
unsigned forks_count(void);

#endif
