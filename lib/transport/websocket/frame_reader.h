/* frame_reader.h: reads a client's frames and messages from bytes in chunks of any size, parsed
 * by wslay.
 * Not here: which frames are allowed (frame_rules.h), and the reaction to them (input.c).
 *
 * A reader (4 KiB for wslay and its own state) is needed only while a frame or a message is
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
struct unfinished;

/* Borrows a reader for `owner`; NULL if memory ran out. */
struct frame_reader *frame_reader_take(ws_loop *loop, void *owner);

/* Gives a reader back to the pool, or frees it if a frame or message is unfinished; removes it
 * from the loop's inputs. NULL does nothing. */
void frame_reader_give_back(ws_loop *loop, struct frame_reader *reader);

/* Frees the loop's pool. */
void frame_readers_free(ws_loop *loop);

/* The reader's entry in the loop's inputs; the owner of an entry's reader. */
struct input *frame_reader_input(struct frame_reader *reader);
void *frame_reader_owner(struct input *input);

/* Adds a copy of bytes for frame_reader_next(). False if memory ran out. */
bool frame_reader_add(struct frame_reader *reader, const void *data, size_t length);

/* The number of bytes not parsed yet. */
size_t frame_reader_waiting(const struct frame_reader *reader);

/* Returns the cost of the events since the last call (core/clients/input.h), without that of
 * the messages. */
uint32_t frame_reader_cost(struct frame_reader *reader);

/* Reads the next event. After FRAME_ERROR or FRAME_NO_MEMORY there is none. */
void frame_reader_next(struct frame_reader *reader, const struct frame_limits *limits,
                       struct frame_event *event);

/* Counts the bytes of an unfinished message, after events were read and used, and frees what is not
 * needed for one. While the input is held, unparsed bytes count as well. `is_over`: the reader is
 * given back next. Returns the count, of which the caller sets `give_way`. */
struct unfinished *frame_reader_count_unfinished(const ws_loop *loop,
                                                 struct frame_reader *reader, bool is_over);

/* A message was read and is handled next: until the next count it is not unfinished. */
void frame_reader_count_complete(const ws_loop *loop, struct frame_reader *reader);

/* True at a message boundary, when no bytes are left over. */
bool frame_reader_idle(const struct frame_reader *reader);

#endif
