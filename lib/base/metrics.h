/* metrics.h: figures as OpenMetrics text.
 * Not here: which figures there are, and the "# EOF" after the last (core/stats.c). */
#ifndef WS_BASE_METRICS_H
#define WS_BASE_METRICS_H

#include <stdint.h>

#include "base/buffer.h"

/* A metric with one sample. Its name is the prefix followed by the name; a counter's sample has the
 * suffix _total. */
void metrics_add_gauge(struct buffer *buffer, const char *prefix, const char *name,
                       const char *help, uint64_t value);
void metrics_add_counter(struct buffer *buffer, const char *prefix, const char *name,
                         const char *help, uint64_t value);

/* The head of a metric whose samples have labels; the caller adds these. */
void metrics_add_head(struct buffer *buffer, const char *prefix, const char *name,
                      const char *type, const char *help);

#endif
