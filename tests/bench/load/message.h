/* message.h: the published message, which is a frame made from the template. Its marker has the
 * time at which it was to be sent. Also finds that marker in what the server delivers. */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

struct message {
    struct bytes frame;
    size_t marker; /* its offset in the frame */
    bool has_marker;
    size_t *numbers; /* their offsets in the frame */
    size_t n_numbers;
    uint64_t random;
};

/* Returns false if the template has no marker. */
bool message_init(struct message *message, const char *template, size_t bytes);

void message_free(struct message *message);

/* Gives the message a new time and new numbers. */
void message_renew(struct message *message, uint64_t sent_ns);

bool message_find_marker(const unsigned char *payload, size_t length, uint64_t *sent_ns);

#endif
