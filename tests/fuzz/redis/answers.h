/* answers.h: the fuzz target's own Redis, which keeps one stream like the scripts, and answers
 * correctly or as the fuzzer chooses. Not here: sockets (redis.c). */
#ifndef FUZZ_REDIS_ANSWERS_H
#define FUZZ_REDIS_ANSWERS_H

#include <stdio.h>

#include <hiredis/hiredis.h>

#include "fuzz/support/input.h"

/* An empty stream. */
void answers_begin(void);

/* Writes the answer to a request, as the next bytes of the input choose. */
void answer(FILE *out, const redisReply *request, struct fuzz_input *input);

void answers_end(void);

#endif
