/* websocket.h: WebSocket (RFC 6455) for a host that has its own sockets and loop.
 *
 * Sans-IO: the host hands in the bytes that it read and asks for the bytes to write; no
 * function here touches a descriptor. All of them belong to the loop's thread, endpoints aside. */
#ifndef WS_MANAGER_WEBSOCKET_H
#define WS_MANAGER_WEBSOCKET_H

#include <sys/uio.h>

#include <ws_manager/connection.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

typedef struct ws_endpoint ws_endpoint;   /* what the connections of one address share */
typedef struct ws_websocket ws_websocket; /* one connection, from its first byte to its last */
typedef struct ws_handshake ws_handshake; /* a client's request, during accept_handshake */

/* Set up by ws_endpoint_options_init(), which fills in the defaults named here. */
typedef struct ws_endpoint_options {
    size_t size;

    /* A valid opening handshake came in. Look at it with ws_handshake_*() and return WS_OK to
     * accept it, or anything else after ws_handshake_refuse() (without that: 503 for
     * WS_ERR_NO_MEMORY, else 403). NULL accepts everyone as anonymous. The handshake is valid
     * during the call; the loop's thread. */
    int (*accept_handshake)(ws_handshake *handshake, void *user_data);
    void *user_data;

    /* The subprotocols that the server speaks, best first (RFC 6455 §4.2.2), at most 64 tokens
     * of at most 128 bytes; the first that the client offered is chosen, none is no error.
     * Copied. */
    const char *const *subprotocols;
    size_t n_subprotocols;

    int32_t protocol; /* enum ws_protocol; default WS_PROTOCOL_JSON */

    uint32_t max_head_bytes;    /* of the request head, which has at most 256 headers, else
                                   431; 256 to 81920, default 16384 */
    uint32_t max_message_bytes; /* of a client's message, else 1009; default 65536 */
    uint32_t max_fragments;     /* frames of a client's message, or one for each 64 bytes of it
                                   if that is more, else 1009; 0: no limit; default 1024 */
    uint32_t max_queue_bytes;   /* waiting for a client; a message that finds more than this
                                   waiting ends the connection with 1013. What is for it alone
                                   (answers, pongs, personal messages) counts with the memory that
                                   it costs, some 110 bytes more; default 1048576 */
    uint32_t
        handshake_timeout_ms;  /* from ws_websocket_new() to the whole head; default 10000 */
    uint32_t ping_interval_ms; /* 0: no pings; default 25000 */
    uint32_t pong_timeout_ms;  /* nothing heard after a ping was written: 1006;
                                      default 20000 */
    uint32_t close_timeout_ms; /* for the peer's answer to our close; default 3000 */

    /* Waiting for all clients of one loop: above it, a client for which anything waits already is
     * too slow; 0: no limit; default 1 GiB. */
    uint64_t max_loop_queue_bytes;
    uint32_t
        queue_high_bytes;     /* for on_backpressure; 0: half of max_queue_bytes, the default */
    uint32_t queue_low_bytes; /* at most the former; 0: a quarter of it, the default */

    uint32_t max_control_frames; /* pings and pongs in a second, else 1008; 0: no limit; default
                                    10000 */

    /* Whether permessage-deflate (RFC 7692) is agreed on with clients that offer it; default 1.
     * accept_handshake may decline it for one client (ws_handshake_decline_deflate()). A message is
     * compressed once for all of them, and between messages nothing is kept for any: both sides
     * begin each message anew (server_ and client_no_context_takeover). What a client sends is
     * inflated to max_message_bytes at most, else 1009. */
    int32_t deflate;
    uint32_t deflate_min_bytes; /* messages smaller than this are not compressed; default 200 */

    /* Continuation frames, and frames without payload that are no control frames, in a second: when
     * so many have come, a message that is empty or goes on beyond its first frame ends the
     * connection with 1008. One that had gone on before may do so to its end, which max_fragments
     * bounds; without that (0) it may not. Bytes pay for frames: a continuation frame does not
     * count if its message has no more of them than one for each 64 bytes that have come,
     * compressed or not, so a client may cut its messages in pieces of that size or larger. 0: no
     * limit; default 10000. */
    uint32_t max_continuation_frames;
} ws_endpoint_options;

/* Fills in the defaults. What is exported is told the size of the caller's struct, so that a newer
 * library writes no more than an older program has room for. Any thread. */
WS_EXPORT void ws_endpoint_options_init_size(ws_endpoint_options *options, size_t size);

static inline void ws_endpoint_options_init(ws_endpoint_options *options)
{
    ws_endpoint_options_init_size(options, sizeof *options);
}

/* Makes an endpoint; `options` is copied, NULL for the defaults. Errors: WS_ERR_INVALID,
 * WS_ERR_SYSTEM (no SHA-1), WS_ERR_NO_MEMORY. Any thread. */
WS_EXPORT int ws_endpoint_new(ws_manager *manager, const ws_endpoint_options *options,
                              ws_endpoint **endpoint);

/* Lets go of an endpoint; its connections keep it until the last has gone. NULL does nothing.
 * Any thread. */
WS_EXPORT void ws_endpoint_free(ws_endpoint *endpoint);

/* --- the request, within accept_handshake -------------------------------------------------- */

/* The path as it was sent, without the query; the query without the '?', "" if there is none. */
WS_EXPORT const char *ws_handshake_path(const ws_handshake *handshake);
WS_EXPORT const char *ws_handshake_query(const ws_handshake *handshake);

/* A header's value by its name in any case, several of one name joined with ", "; NULL if there
 * is none. */
WS_EXPORT const char *ws_handshake_header(ws_handshake *handshake, const char *name);

/* A query parameter, percent-decoded: *value is set and, if `length` is not NULL, *length; the
 * value may hold any byte. WS_ERR_NOT_FOUND: absent; WS_ERR_INVALID: wrongly encoded;
 * WS_ERR_NO_MEMORY. */
WS_EXPORT int ws_handshake_query_parameter(ws_handshake *handshake, const char *name,
                                           const char **value, size_t *length);

/* The websocket and its host's pointer. */
WS_EXPORT ws_websocket *ws_handshake_websocket(const ws_handshake *handshake);

/* Names the user; WS_ERR_INVALID for a bad name, WS_ERR_NO_MEMORY. Without it: anonymous. */
WS_EXPORT int ws_handshake_set_user_id(ws_handshake *handshake, const char *user_id);

/* The application's pointer on the connection (ws_connection_info). */
WS_EXPORT void ws_handshake_set_user_data(ws_handshake *handshake, void *user_data);

/* Chooses another subprotocol than the endpoint did: one that the client offered, else
 * WS_ERR_INVALID; NULL: none. */
WS_EXPORT int ws_handshake_set_subprotocol(ws_handshake *handshake, const char *subprotocol);

/* Answers this client's offer of permessage-deflate with no, so neither side compresses: for one
 * that is known to break what is agreed on. Safari 15.0 to 15.3 keep their compression context
 * between messages although client_no_context_takeover (RFC 7692 section 7.1.1.2) was agreed on,
 * so their second message can't be inflated and ends the connection with 1007. No effect when the
 * client offered nothing or the endpoint's `deflate` is 0. */
WS_EXPORT void ws_handshake_decline_deflate(ws_handshake *handshake);

/* Refuses with an HTTP status from 400 to 599 and a plain text (NULL: the status' name),
 * copied. For 401 and 403 a browser (a request with Origin) is let in and closed at once with
 * 4401 or 4403, since a script can't see an HTTP status. The text goes to the log too, as the reason
 * of every handshake that is refused: level WS_LOG_INFO, with the request's path but never its
 * query; ten lines a second for each loop, then how many were left out. It is the reason of that close too, unless it has more than 123 bytes: then that has none.
 * Errors: WS_ERR_INVALID, WS_ERR_NO_MEMORY. */
WS_EXPORT int ws_handshake_refuse(ws_handshake *handshake, int status, const char *text);

/* --- one connection ----------------------------------------------------------------------- */

/* A new connection, before its first byte; run the loop afterwards, whose next deadline may be that
 * of the handshake. `user_data` is the host's pointer, usually its socket. Errors:
 * WS_ERR_NO_MEMORY. *websocket is set on success only. */
WS_EXPORT int ws_websocket_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                               ws_websocket **websocket);

WS_EXPORT void *ws_websocket_user_data(const ws_websocket *websocket);

/* The connection's id; 0 before the handshake and after the end. */
WS_EXPORT ws_conn_id ws_websocket_id(const ws_websocket *websocket);

typedef struct ws_header {
    const char *name; /* NUL-terminated, as is the value */
    const char *value;
} ws_header;

/* The request, for a host that has parsed it itself: `method` "GET", `http_major`.`http_minor`,
 * `target` as it was sent, and its headers in order. Nothing is kept. Bytes that followed the
 * head go to ws_websocket_receive() afterwards. The limits are those of a head that comes in as
 * bytes, 431: max_head_bytes in all, each header counted as "NAME:VALUE" and a line's end, and 256
 * headers. A target or value with a control character, or a name that is no token (RFC 9110
 * §5.6.2), is 400; another method is 405, another major version than 1 is 505. Returns as
 * ws_websocket_receive(); WS_ERR_INVALID if bytes came in before or the handshake is done. */
WS_EXPORT int ws_websocket_upgrade(ws_websocket *websocket, const char *method,
                                   unsigned http_major, unsigned http_minor, const char *target,
                                   const ws_header *headers, size_t n_headers);

/* Hands in `length` bytes that came from the client. They are copied. The opening handshake is
 * answered within this call; frames are carried out by ws_loop_run(), in which the clients take
 * turns, so run the loop afterwards.
 *
 * What waits for its turn is bounded: once 16 KiB do, ws_websocket_wants_read() is 0, and a further
 * call takes nothing and returns WS_ERR_BACKPRESSURE until the loop was run. So a host that hands in
 * what it reads by 64 KiB at a time, and asks before it reads, has at most 80 KiB waiting for a
 * client, and TCP holds the client back.
 * Returns WS_OK; WS_ERR_BACKPRESSURE; WS_ERR_CLOSED when the connection has ended and all was
 * written: close the socket and ws_websocket_free(). Bytes that come after the end are thrown
 * away. */
WS_EXPORT int ws_websocket_receive(ws_websocket *websocket, const void *data, size_t length);

/* Whether the host should read from the client: 0 while enough waits to be carried out, after
 * ws_websocket_eof(), and when only the end is still to be written; else 1. Ask before each read,
 * and leave the socket out of those that the loop watches for reading while it is 0. When it becomes
 * 1 again, ws_loop_next_output() names the connection. The loop's thread. */
WS_EXPORT int ws_websocket_wants_read(const ws_websocket *websocket);

/* The client will send no more, or reading failed. What came before is still carried out by
 * ws_loop_run(), then the connection ends with 1006 (unless it was closing anyway) and
 * ws_loop_next_output() names it. Read no more; freeing it at once drops what is pending. */
WS_EXPORT void ws_websocket_eof(ws_websocket *websocket);

/* What to write now: fills at most `max` pieces and returns how many, 0 when nothing waits.
 * They stay valid until ws_websocket_sent(), _eof() or _free(). Calling it again without
 * ws_websocket_sent() gives the same bytes. */
WS_EXPORT int ws_websocket_output(ws_websocket *websocket, struct iovec *iov, int max);

/* `n` bytes of what ws_websocket_output() gave were written. Fewer than it gave means that the
 * socket is full: the connection is not listed by ws_loop_next_output() until
 * ws_websocket_output() is called again, when the socket is writable. Returns WS_OK, or
 * WS_ERR_CLOSED as ws_websocket_receive(). */
WS_EXPORT int ws_websocket_sent(ws_websocket *websocket, size_t n);

/* 1 when the connection has ended and nothing waits: close the socket and free it. Ask after
 * writing what ws_loop_next_output() named; a connection that ends by a timer is listed there. */
WS_EXPORT int ws_websocket_ended(const ws_websocket *websocket);

/* Starts the closing handshake, as ws_manager_disconnect() but at once; before the handshake it
 * ends the connection. Run the loop and write its output afterwards. Errors: WS_ERR_INVALID (code,
 * reason), WS_ERR_CLOSED (is closing). */
WS_EXPORT int ws_websocket_close(ws_websocket *websocket, uint16_t code, const char *reason);

/* Frees it, at any time, also within a callback of its own; an open connection ends with 1006.
 * NULL does nothing. */
WS_EXPORT void ws_websocket_free(ws_websocket *websocket);

/* The next connection that has bytes to write, wants to be read from again
 * (ws_websocket_wants_read()), or has ended; NULL when there is none. Each is named once a turn,
 * however many events it brought. A host with many clients may stop after some hundred, look for
 * what can be read (without waiting) and go on in its next turn: those that were not named yet come
 * first then. The loop's thread, after ws_loop_run(). */
WS_EXPORT ws_websocket *ws_loop_next_output(ws_loop *loop);

WS_END_DECLS

#endif
