/* tls.h: what all TLS connections share: the certificate with its key, and the settings.
 * A connection's bytes are stream.h. */
#ifndef WS_SERVER_TLS_H
#define WS_SERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/parts/server_log.h"

struct ssl_st; /* OpenSSL's SSL */
struct tls;
struct tls_socket;

/* Loads a chain and its key, both PEM; the names are copied. NULL with a line in `problem`, in
 * which the key's file is not named. */
struct tls *tls_open(const char *cert_file, const char *key_file, const struct server_log *log,
                     char *problem, size_t problem_size);

/* After the last connection. NULL does nothing. */
void tls_close(struct tls *tls);

/* Reloads both files for new connections; existing ones keep theirs. False for a bad pair, which is
 * logged and changes nothing. Any thread. */
bool tls_reload(struct tls *tls);

/* The server's log. */
const struct server_log *tls_log(const struct tls *tls);

/* Why OpenSSL's last call in this thread failed, without details. */
const char *tls_problem(void);

/* The server's side of a connection over this socket, which outlives it. NULL when memory is short.
 * Any thread. */
struct ssl_st *tls_accept(struct tls *tls, struct tls_socket *socket);

#endif
