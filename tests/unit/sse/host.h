/* host.h: a host in memory for event streams: a manager, loops and an endpoint, and clients whose
 * "sockets" are buffers. Time is a number; every allocation is counted. */
#ifndef TEST_SSE_HOST_H
#define TEST_SSE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <check.h>

#include <ws_manager/ws_manager.h>

#include "support/test_memory.h"

enum { HOST_MAX_PAGES = 16, HOST_LOOPS = 2 };

/* An event as the client's code gets it (WHATWG HTML §9.2.6). */
struct event {
    char *type; /* "message" if the stream named none */
    char *data;
    char *id; /* the last event id */
};

/* A client's request, and what it has received. */
struct page {
    struct host *host;
    ws_loop *loop;
    ws_http *http;  /* NULL once it has been freed */
    char *received; /* what the server has written, always followed by a NUL */
    size_t length;
    size_t writable; /* what its socket still accepts; SIZE_MAX: everything */
    unsigned listed; /* how often the last turn listed it */
    bool ended;
    bool kept_alive; /* it ended so that the socket may be used again */

    /* From the received bytes, by page_read(): */
    size_t length_read;
    int status;
    char *head; /* up to the empty line */
    char *body; /* decoded: chunks, gzip */
    size_t body_length;
    bool is_complete; /* the body has come to its end */
    struct event *events;
    size_t n_events;
    size_t n_read;
    char *last_id;
    char *retry;
    size_t n_comments;
};

struct host {
    ws_manager *manager;
    ws_loop *loops[HOST_LOOPS];
    ws_endpoint *endpoint;
    uint64_t now;
    struct test_memory memory;
    struct page pages[HOST_MAX_PAGES];
    size_t n_pages;

    const char *user_id; /* of the next request; NULL: anonymous */
    const char *client;  /* of the next requests, as the host names it; NULL: it does not */
    int refuse_with;     /* status of the refusal of the next requests; 0: accepted */
    bool declines_gzip;  /* of the next requests */
    const char *allowed; /* the only origin that is allowed */
    uint16_t code;       /* of the last on_disconnect */
    unsigned n_connects;
    unsigned n_disconnects;
    unsigned n_messages;
    char message[128]; /* the last one that a client sent */
    void (*on_backpressure)(struct host *host, int is_high);
    void (*on_message)(struct host *host);
};

struct host_options {
    ws_manager_options manager;
    ws_endpoint_options endpoint;
};

void host_options_init(struct host_options *options);

/* Opens a host; options NULL: those of host_options_init(). */
void host_open(struct host *host, struct host_options *options);

/* As host_open(), but returns failures, and the host's memory has been set up: for an allocator
 * that fails. */
int host_try_open(struct host *host, struct host_options *options);

/* Frees everything, and checks that no memory is left. */
void host_close(struct host *host);

/* Runs the loops until they have nothing more to do, then writes all output. */
void host_turn(struct host *host);

/* Lets time pass, and runs a turn whenever a loop asks for one, and at the end. */
void host_pass(struct host *host, uint64_t ms);

/* Writes what waits for sockets that have room again, as a host does before it runs its loop. */
void host_write(struct host *host);

/* Emits the event `notification` with data {"n":number}. */
void host_emit(struct host *host, const char *room, int number);

/* Makes a request on a loop, complete if it has no body. `headers` are "NAME: VALUE\n" lines, NULL
 * for none; a Host is added. Then runs a turn. */
struct page *host_request(struct host *host, int loop, const char *method, const char *target,
                          const char *headers, const char *body);

/* Makes a request, complete, without a turn. */
struct page *host_begin_request(struct host *host, int loop, const char *method,
                                const char *target, const char *body);

/* A GET on the first loop, of which the welcome has been read. */
struct page *host_stream(struct host *host, const char *target, const char *headers);

/* A GET on the first loop by a host that writes the head and frames the body itself. */
struct page *host_request_body_only(struct host *host, const char *target);

/* Decodes what was received. */
void page_read(struct page *page);

/* The next event; NULL if there is none. */
const struct event *page_next(struct page *page);

/* Checks the next event: its data begins with `data`. */
const struct event *page_expect(struct page *page, const char *type, const char *data);
void page_expect_number(struct page *page, int number);
void page_expect_nothing(struct page *page);

/* The value of a header of the response, up to 255 bytes; NULL if there is none. */
const char *page_header(struct page *page, const char *name);

/* The session id of the welcome. */
const char *page_session(const struct event *welcome);

void page_free(struct page *page);

/* The suite of a test file, run by main.c. */
Suite *sse_suite(void);

#endif
