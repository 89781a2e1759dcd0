/* host.h: a host of memory for the WebSocket transport: a manager, a loop and an endpoint, and
 * peers whose "sockets" are buffers. Time is a number; every allocation is counted. */
#ifndef TEST_WEBSOCKET_HOST_H
#define TEST_WEBSOCKET_HOST_H

#include <check.h>

#include <ws_manager/ws_manager.h>

#include "websocket/client.h"

enum { HOST_MAX_PEERS = 32 };

struct host;

/* A client and the server's side of its connection. */
struct peer {
    struct host *host;
    ws_websocket *websocket; /* NULL once it was freed */
    struct bytes received;   /* what the server has written */
    size_t read;             /* of those, what peer_next() and peer_head() took */
    int window_bits;         /* of permessage-deflate, as it was answered; 0: not agreed on */
    struct bytes inflated;   /* the last compressed message */
    size_t writable;         /* what its socket still takes; SIZE_MAX: everything */
    size_t writes;           /* how often it was written to */
    unsigned listed;         /* how often the last turn named it */
    bool ended;
};

enum host_callback { HOST_CONNECT, HOST_DISCONNECT, HOST_MESSAGE, HOST_RAW };

/* The allocator: what lives, and when it fails. */
struct host_memory {
    size_t live;       /* blocks */
    size_t bytes;      /* in them */
    size_t most_bytes; /* at any time, a block that moves counted twice */
    size_t calls;      /* allocations so far */
    size_t fail_at;    /* the number of the one that fails; SIZE_MAX: none */
    bool for_good;     /* all those after it fail too */
    bool failed;       /* one did */
};

struct host {
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    uint64_t now;
    unsigned n_wakes; /* of the loop */
    struct host_memory memory;
    struct peer peers[HOST_MAX_PEERS];
    size_t n_peers;
    unsigned called[4]; /* by enum host_callback */
    uint16_t code;      /* of the last on_disconnect */
    char reason[128];
    struct bytes message; /* of the last accept_message or on_raw */
    bool is_text;
    bool echo; /* raw messages are sent back; on by default */

    /* What a test wants to do in a callback; may be NULL. */
    void (*hook)(struct host *host, enum host_callback callback, struct peer *peer,
                 ws_conn_id id);
    int (*judge)(struct host *host, struct peer *peer, ws_handshake *handshake);
};

struct host_options {
    ws_manager_options manager;
    ws_endpoint_options endpoint;
};

/* Raw protocol, no presence, no pings, a clock that stands still; else the defaults. */
void host_options_init(struct host_options *options);

/* Opens a host; options NULL: those of host_options_init(). */
void host_open(struct host *host, struct host_options *options);

/* As host_open(), but what fails is told: with an allocator that fails. */
int host_try_open(struct host *host, struct host_options *options);

/* Frees everything; nothing may live then. A host that is not open is left alone. */
void host_close(struct host *host);

/* ws_loop_run() until it has nothing more to do, then what it wants to be written is. */
void host_turn(struct host *host);

/* The statistics hold these members, as text. */
void host_expect_stats(struct host *host, const char *members);

/* Lets time pass, and runs the turn. */
void host_pass(struct host *host, uint64_t ms);

/* Writes what the connection wants to be written, as far as the socket takes it. */
void peer_write(struct peer *peer);

/* A new client, before its first byte; it may take the place of one that was freed. */
struct peer *host_peer(struct host *host);

/* A client after its handshake, whose answer was read (the welcome of JSON too). */
struct peer *host_client(struct host *host);

/* The same with further headers in its request: whole lines, each with its CRLF. */
struct peer *host_client_with(struct host *host, const char *headers);

enum chunking { WHOLE, BYTE_BY_BYTE, RANDOM_CHUNKS, N_CHUNKINGS };

/* The client's bytes come in, in a block of their own that is gone afterwards; a turn is run whenever
 * too much waits to be carried out. Returns the last result of ws_websocket_receive();
 * peer_send() also runs a turn. */
int peer_feed(struct peer *peer, const void *data, size_t length, enum chunking chunking);
int peer_send(struct peer *peer, const struct bytes *bytes);
int peer_send_chunked(struct peer *peer, const struct bytes *bytes, enum chunking chunking);
int peer_send_text(struct peer *peer, const char *text); /* as it is, not as a frame */

/* One frame, sent. */
int peer_send_frame(struct peer *peer, unsigned first, const void *payload, size_t length);
int peer_send_close(struct peer *peer, uint16_t code, const char *reason);

/* The HTTP answer at the front; returns its status. */
int peer_head(struct peer *peer);

/* The server's next frame, inflated if it is compressed, as it may only be when that was agreed on;
 * valid until the next call. False if nothing is left to read. */
bool peer_next(struct peer *peer, struct frame *frame);

void peer_expect(struct peer *peer, unsigned opcode, const void *payload, size_t length);
void peer_expect_text(struct peer *peer, const char *text);
void peer_expect_type(struct peer *peer, const char *type); /* a JSON message of that type */
void peer_expect_close(struct peer *peer, uint16_t code);   /* 1005: an empty one */
void peer_expect_close_reason(struct peer *peer, uint16_t code, const char *reason);
void peer_expect_nothing(struct peer *peer);

/* The whole of what the server did about an error: a close with this code, and nothing behind
 * it; the connection waits for the peer's close, which ends it. */
void peer_expect_failed(struct peer *peer, uint16_t code);

void peer_free(struct peer *peer);

/* The suite of a test file, run by main.c. */
Suite *websocket_suite(void);

#endif
