/* metrics.c: figures as OpenMetrics text. */
#include "base/metrics.h"

void metrics_add_head(struct buffer *buffer, const char *prefix, const char *name,
                      const char *type, const char *help)
{
    buffer_add_text(buffer, "# TYPE ");
    buffer_add_text(buffer, prefix);
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, type);
    buffer_add_text(buffer, "\n# HELP ");
    buffer_add_text(buffer, prefix);
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, help);
    buffer_add_text(buffer, "\n");
}

static void add_sample(struct buffer *buffer, const char *prefix, const char *name,
                       const char *suffix, uint64_t value)
{
    buffer_add_text(buffer, prefix);
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, suffix);
    buffer_add_text(buffer, " ");
    buffer_add_number(buffer, value);
    buffer_add_text(buffer, "\n");
}

void metrics_add_gauge(struct buffer *buffer, const char *prefix, const char *name,
                       const char *help, uint64_t value)
{
    metrics_add_head(buffer, prefix, name, "gauge", help);
    add_sample(buffer, prefix, name, "", value);
}

void metrics_add_counter(struct buffer *buffer, const char *prefix, const char *name,
                         const char *help, uint64_t value)
{
    metrics_add_head(buffer, prefix, name, "counter", help);
    add_sample(buffer, prefix, name, "_total", value);
}
