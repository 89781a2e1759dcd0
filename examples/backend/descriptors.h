/* descriptors.h: how many file descriptors the process may have, and how many of them clients
 * take. */
#ifndef BACKEND_DESCRIPTORS_H
#define BACKEND_DESCRIPTORS_H

#include "options.h"

/* Raises the limit of descriptors as far as it may be, and lowers options->max_connections if
 * so many clients would leave none for others. Sets options->max_descriptors, so that the
 * database, Redis and the log always find one. */
void descriptors_limit(struct options *options);

#endif
