/* answers.h: a Redis of the fuzz target's own, which keeps one stream as the scripts would, and
 * answers as it should or as the fuzzer likes. Not here: sockets (redis.c). */
#ifndef FUZZ_REDIS_ANSWERS_H
#define FUZZ_REDIS_ANSWERS_H

#include <stdio.h>

#include <hiredis/hiredis.h>

#include "fuzz/support/input.h"

/* An empty stream. */
void answers_begin(void);

/* Writes the answer to a request, by the next bytes of the input. */
void answer(FILE *out, const redisReply *request, struct input *input);

void answers_end(void);

#endif
