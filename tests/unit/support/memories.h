/* memories.h: what a cluster's carrier remembers, in an array, for tests with several processes
 * (stream.h). Not here: a real Redis. For one thread. */
#ifndef SUPPORT_MEMORIES_H
#define SUPPORT_MEMORIES_H

#include "support/stream.h"

enum { MEMORIES_MAX = 256, MEMORIES_QUESTIONS_MAX = 64 };

struct memory {
    char key[65];
    uint64_t rank;
    uint64_t ttl_ms;
    char *text; /* NULL: forgotten */
    size_t length;
};

struct memory_question {
    struct process *process;
    void *request;
    char key[65];
};

extern struct memories {
    struct memory values[MEMORIES_MAX];
    size_t n_values;
    size_t max_bytes; /* that a value may have */
    unsigned n_remembers;
    unsigned n_recalls;
    struct memory_question questions[MEMORIES_QUESTIONS_MAX];
    size_t n_questions;
    int remember_result;
    int recall_result;
} memories;

/* Forgets all. */
void memories_reset(void);

/* Adds the two functions to a carrier. Questions wait for memories_answer(). */
void memories_add(ws_cluster *carrier);

struct memory *memories_find(const char *key);
void memories_answer(void);

#endif
