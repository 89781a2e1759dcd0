/* host.h: a host in memory for the WebSocket transport: a manager, a loop and an endpoint, and
 * peers whose "sockets" are buffers. Time is a number; every allocation is counted. */
#ifndef TEST_WEBSOCKET_HOST_H
#define TEST_WEBSOCKET_HOST_H

#include <check.h>

#include <ws_manager/cluster.h>
#include <ws_manager/ws_manager.h>

#include "websocket/client.h"

enum { HOST_MAX_PEERS = 32 };

struct host;

/* A client and the server's side of its connection. */
struct peer {
    struct host *host;
    ws_websocket *websocket; /* NULL once it has been freed */
    struct bytes received;   /* what the server has written */
    size_t read;             /* how much of that peer_next() and peer_head() took */
    int window_bits;         /* of permessage-deflate, from the answer; 0: not agreed on */
    struct bytes inflated;   /* the last compressed message */
    size_t writable;         /* what its socket still accepts; SIZE_MAX: everything */
    size_t writes;           /* how often it was written to */
    unsigned listed;         /* how often the last turn listed it for output */
    bool ended;
};

enum host_callback { HOST_CONNECT, HOST_DISCONNECT, HOST_MESSAGE, HOST_RAW };

/* The allocator: counts, and when it fails. */
struct host_memory {
    size_t live;       /* blocks */
    size_t bytes;      /* in these blocks */
    size_t most_bytes; /* the maximum of `bytes`; a block that moves is counted twice */
    size_t calls;      /* allocations so far */
    size_t fail_at;    /* the number of the allocation that fails; SIZE_MAX: none */
    bool for_good;     /* all later allocations fail too */
    bool failed;       /* one failed */
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
    const ws_cluster *cluster; /* NULL: none */
};

/* Raw protocol, no presence, no pings, a clock that stands still; otherwise the defaults. */
void host_options_init(struct host_options *options);

/* Opens a host; options NULL: those of host_options_init(). */
void host_open(struct host *host, struct host_options *options);

/* As host_open(), but returns failures: for an allocator that fails. */
int host_try_open(struct host *host, struct host_options *options);

/* Frees everything, and checks that no memory is left. Does nothing for a host that is not open. */
void host_close(struct host *host);

/* Runs the loop until it has nothing more to do, then writes all output. */
void host_turn(struct host *host);

/* Runs a loop until it has nothing more to do, then takes all output and discards it: for
 * connections without a peer. */
void loop_turn(ws_loop *loop);

/* Checks that the statistics contain these members, given as text. */
void host_expect_stats(struct host *host, const char *members);

/* Lets time pass, and runs a turn. */
void host_pass(struct host *host, uint64_t ms);

/* Writes the connection's output, as far as the socket accepts it. */
void peer_write(struct peer *peer);

/* A new client, before its first byte; it may take the place of one that was freed. */
struct peer *host_peer(struct host *host);

/* A client after its handshake, whose answer has been read (with JSON the welcome too). */
struct peer *host_client(struct host *host);

/* A client after its handshake, with further headers in its request: whole lines, each with its
 * CRLF. */
struct peer *host_client_with(struct host *host, const char *headers);

/* A client that has sent its request, with further headers; the answer has not been read. */
struct peer *host_request(struct host *host, const char *headers);
void peer_request(struct peer *peer, const char *headers);

/* A client whose handshake is complete, before the turn in which the application learns of it. */
struct peer *host_newcomer(struct host *host);

enum chunking { WHOLE, BYTE_BY_BYTE, RANDOM_CHUNKS, N_CHUNKINGS };

/* Hands in the client's bytes, in a block of their own that is freed afterwards; runs a turn
 * whenever too much input is pending. Returns the last result of ws_websocket_receive();
 * peer_send() also runs a turn. */
int peer_feed(struct peer *peer, const void *data, size_t length, enum chunking chunking);
int peer_send(struct peer *peer, const struct bytes *bytes);
int peer_send_chunked(struct peer *peer, const struct bytes *bytes, enum chunking chunking);
int peer_send_text(struct peer *peer, const char *text); /* unframed */

/* Sends one frame. */
int peer_send_frame(struct peer *peer, unsigned first, const void *payload, size_t length);
int peer_send_close(struct peer *peer, uint16_t code, const char *reason);

/* Reads the HTTP answer at the front; returns its status. */
int peer_head(struct peer *peer);

/* Checks that a line is in the HTTP answer. */
void peer_expect_header(const struct peer *peer, const char *line);

/* Reads the server's next frame, inflated if it is compressed, which requires that this was agreed
 * on; valid until the next call. False if nothing is left to read. */
bool peer_next(struct peer *peer, struct frame *frame);

void peer_expect(struct peer *peer, unsigned opcode, const void *payload, size_t length);
void peer_expect_text(struct peer *peer, const char *text);
void peer_expect_type(struct peer *peer, const char *type); /* a JSON message of that type */
void peer_expect_close(struct peer *peer, uint16_t code);   /* 1005: an empty close */
void peer_expect_close_reason(struct peer *peer, uint16_t code, const char *reason);
void peer_expect_nothing(struct peer *peer);

/* Everything that the server did about an error: a close with this code, and nothing after it; the
 * connection waits for the peer's close, which ends it. */
void peer_expect_failed(struct peer *peer, uint16_t code);

void peer_free(struct peer *peer);

/* The suite of a test file, run by main.c. */
Suite *websocket_suite(void);

#endif
