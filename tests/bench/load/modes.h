/* modes.h: what can be measured: each mode opens its connections, prints its figures and returns
 * the exit status. */
#ifndef LOAD_MODES_H
#define LOAD_MODES_H

#include "options.h"

int mode_fanout(const struct options *options);
int mode_paced(const struct options *options);
int mode_echo(const struct options *options);
int mode_idle(const struct options *options);
int mode_handshakes(const struct options *options);
int mode_disconnects(const struct options *options);

#endif
