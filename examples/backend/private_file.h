/* private_file.h: a warning about files that only their owner should be able to read. */
#ifndef BACKEND_PRIVATE_FILE_H
#define BACKEND_PRIVATE_FILE_H

/* Logs a line if any user of the system may read or write the file that `option` names. */
void private_file_check(const char *option, const char *path);

#endif
