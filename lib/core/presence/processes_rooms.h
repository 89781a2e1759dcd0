/* processes_rooms.h: the rooms whose members other processes need to know of this one. Not here:
 * what this process needs of the others (wishes.h), and sending it (processes_send.h). The lock
 * is held, and given back in between if there are many rooms or members. */
#ifndef WS_CORE_PRESENCE_PROCESSES_ROOMS_H
#define WS_CORE_PRESENCE_PROCESSES_ROOMS_H

#include "core/presence/processes_read.h"

/* A process (NO_PROCESS: one too many, whose need is not noted) needs what this one has of some
 * rooms, of all, or all that this one has. Members who come later are sent, too, as long as the
 * room is needed. What exceeds a limit of this process is left out. WS_ERR_INVALID;
 * WS_ERR_NO_MEMORY: to be tried again. */
int processes_rooms_wanted(ws_manager *manager, uint32_t process,
                           const struct presence_command *command);

/* The process still needs some rooms: what it may not have is sent. WS_ERR_INVALID;
 * WS_ERR_NO_MEMORY: to be tried again. */
int processes_rooms_repeated(ws_manager *manager, uint32_t process,
                             const struct presence_command *command);

/* The process does not need some rooms any longer. WS_ERR_INVALID; WS_ERR_NO_MEMORY: to be tried
 * again. */
int processes_rooms_unwanted(ws_manager *manager, uint32_t process,
                             const struct presence_command *command);

/* Processes have died (a bit for each), or one has sent all that it needs. The room may be
 * freed. Returns whether anything has changed. */
bool processes_rooms_forget(struct presence *presence, struct presence_room *room,
                            uint64_t dead, uint64_t ended);

#endif
