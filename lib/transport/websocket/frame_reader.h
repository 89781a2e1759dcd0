/* frame_reader.h: a client's frames and messages out of bytes in any chunks, parsed by wslay.
 * Not here: which frames may come (frame_rules.h), and what is answered to them (input.c).
 *
 * A reader (4 KiB of wslay's and its own state) is only needed while a frame or a message is
 * unfinished: it is borrowed from the loop's pool and given back at every message boundary. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_READER_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/transport/transport_side.h"
#include "transport/websocket/frame_event.h"
#include "transport/websocket/frame_rules.h"

struct frame_reader;

/* Borrows a reader for `owner`; NULL if memory ran out. */
struct frame_reader *frame_reader_take(ws_loop *loop, void *owner);

/* Gives it back, or frees it when it is in the middle of something; it leaves the loop's inputs.
 * NULL does nothing. */
void frame_reader_give_back(ws_loop *loop, struct frame_reader *reader);

/* Frees those that the loop keeps. */
void frame_readers_free(ws_loop *loop);

/* Its place in the loop's inputs, and whose it is. */
struct input *frame_reader_input(struct frame_reader *reader);
void *frame_reader_owner(struct input *input);

/* Adds a copy of the next bytes to those that frame_reader_next() has not looked at yet. False if
 * memory ran out. */
bool frame_reader_add(struct frame_reader *reader, const void *data, size_t length);

/* How many bytes were not looked at yet. */
size_t frame_reader_waiting(const struct frame_reader *reader);

/* What the events since the last call have cost (core/clients/input.h), beside the messages themselves. */
uint32_t frame_reader_cost(struct frame_reader *reader);

/* The next event. After FRAME_ERROR and FRAME_NO_MEMORY there is nothing more. */
struct frame_event frame_reader_next(struct frame_reader *reader,
                                     const struct frame_limits *limits);

/* True at a message boundary, with nothing kept of what was added. */
bool frame_reader_idle(const struct frame_reader *reader);

#endif
