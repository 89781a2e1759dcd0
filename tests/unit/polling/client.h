/* client.h: clients of Engine.IO that poll, on the host in memory for HTTP requests
 * (sse/host.h). */
#ifndef TEST_POLLING_CLIENT_H
#define TEST_POLLING_CLIENT_H

#include "sse/host.h"

extern struct host host;

/* The connection for which on_connect was called last. */
extern ws_conn_id connected;

/* An answer; valid until the next one. */
struct answer {
    int status;
    char type[64];
    char body[4096];
};

/* The options of host_options_init() with a protocol of Engine.IO; raw messages are echoed. */
void polling_options_init(struct host_options *options, int32_t protocol);

/* The loop's answer to a whole request; `query` follows "/engine.io/?EIO=4&transport=polling". */
const struct answer *polling_exchange(int loop, const char *method, const char *query,
                                      const char *body);

/* Opens a session on the first loop, and returns "&sid=…", valid until the next call. */
const char *polling_session(void);

/* Requests of that session. A poll whose answer is awaited stays in the host. */
const struct answer *polling_poll(int loop);
const struct answer *polling_post(int loop, const char *body);
struct page *polling_wait(int loop);

/* Makes a POST without running a turn. */
struct page *polling_begin_post(int loop, const char *body);

/* Reads the answer of a poll that waited, and frees it. Status 0: it still waits. */
const struct answer *polling_answer(struct page *page);

/* Check an answer. */
void expect_packets(const struct answer *answer, const char *packets);
void expect_error(const struct answer *answer, int status, int code);

#endif
