/* serve.h: the backend's server: its options, and what it asks of the backend.
 * What requests are answered with is router.h. */
#ifndef BACKEND_SERVE_H
#define BACKEND_SERVE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "app.h"

/* Whether the server accepts the options. False with a line in `problem`. */
bool serve_check(const struct options *options, char *problem, size_t size);

/* Serves until one of the signals, which must be blocked, has ended it; SIGHUP reloads its
 * certificate. app->server is to be freed afterwards. False with a line in `problem` if it
 * cannot begin. */
bool serve(struct app *app, const sigset_t *signals, char *problem, size_t size);

#endif
