/* processes.h: several processes with presence on a stream in memory, each of which may be cut
 * off from what it reads, while what all of them send may wait. Not here: the stream itself
 * (stream.h). For one thread. */
#ifndef SUPPORT_PROCESSES_H
#define SUPPORT_PROCESSES_H

#include "support/stream.h"

enum { N_PROCESSES = 3 };

extern struct process processes[N_PROCESSES]; /* without a manager: it is dead */
extern bool is_cut[N_PROCESSES];              /* reads nothing from the stream */
extern bool is_away;                          /* the stream: what is sent waits */
extern size_t n_waiting;
extern void (*processes_options)(ws_manager_options *options); /* changes them; NULL: nothing */
extern size_t n_of_clients, n_signs; /* orders: on the account of clients, and signs of life */

/* Opens a process, or all of them on a new stream. Grace times are a second, and
 * user_connected is off unless processes_options() changes that. */
void processes_open_one(size_t i);
void processes_open(void);
void processes_close(void);

/* The stream is there again. What each process has sent is stored one after the other: nothing
 * of others is in between. */
void processes_come_back(void);

/* Runs all for this time, in steps of 50 ms: each process reads what is new in the stream. */
void processes_pass(uint64_t ms);

#endif
