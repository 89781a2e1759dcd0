/* running_server.h: a server in the test's own process, and clients that block until they have
 * their answers. */
#ifndef TEST_SERVER_RUNNING_SERVER_H
#define TEST_SERVER_RUNNING_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#include <ws_manager/server.h>
#include <ws_manager/ws_manager.h>

enum { ANSWER_BYTES = 64 * 1024 };

extern ws_manager *manager;
extern ws_server *server;
extern ws_server_options options; /* of the next start() */
extern char problem[256];
extern char answer[ANSWER_BYTES]; /* that was received last, NUL-terminated */

/* A manager, and options of two threads at a free port. */
void running_server_set_up(void);

void start(void);

/* Ends and frees the server and the manager. */
void end(void);

/* --- a client: descriptors that block --- */

int connect_tcp(const char *url);
struct sockaddr_un unix_address(const char *path);
int connect_unix(const char *path);

void send_text(int fd, const char *text);

/* Receives into `answer` until the text is there, or until the end if it is NULL; returns how many
 * bytes. */
size_t receive(int fd, const char *text);
const char *receive_until(int fd, const char *text);
size_t receive_all(int fd);

/* Sends a request with `Connection: close`, receives the whole answer, and closes the
 * descriptor. */
const char *ask_at(int fd, const char *method_and_target, const char *body);
const char *ask(const char *method_and_target, const char *body);

bool begins(const char *text, const char *start_of_it);

#endif
