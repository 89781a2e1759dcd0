/* command.h: builds a Redis command from arguments. The arguments are not copied: they must
 * stay valid until the command is sent. Not here: sending it (link.h). */
#ifndef WS_REDIS_COMMAND_H
#define WS_REDIS_COMMAND_H

#include <stddef.h>
#include <string.h>

enum {
    BATCH_MAX_EVENTS = 256,
    EVENT_ARGUMENTS = 7, /* for each event in a command that appends a batch */
    COMMAND_MAX_ARGUMENTS = 12 + BATCH_MAX_EVENTS * EVENT_ARGUMENTS
};

struct command {
    int count;
    const char *arguments[COMMAND_MAX_ARGUMENTS];
    size_t lengths[COMMAND_MAX_ARGUMENTS];
};

static inline void command_add(struct command *command, const char *text, size_t length)
{
    command->arguments[command->count] = text;
    command->lengths[command->count++] = length;
}

static inline void command_add_text(struct command *command, const char *text)
{
    command_add(command, text, strlen(text));
}

#endif
