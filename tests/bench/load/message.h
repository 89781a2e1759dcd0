/* message.h: what is published: a frame made of the template, with the time it was meant to be
 * sent in its marker; and finding that marker in what the server delivers. */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

struct message {
    struct bytes frame;
    size_t marker; /* where it is in the frame */
    bool has_marker;
    size_t *numbers; /* where they are */
    size_t n_numbers;
    uint64_t random;
};

/* False when the template has no marker. */
bool message_init(struct message *message, const char *template, size_t bytes);

void message_free(struct message *message);

/* Makes it a new one, of this time. */
void message_renew(struct message *message, uint64_t sent_ns);

bool message_find_marker(const unsigned char *payload, size_t length, uint64_t *sent_ns);

#endif
