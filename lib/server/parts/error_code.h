/* error_code.h: the codes of errors in the bodies of answers. The example backend uses them too. */
#ifndef WS_SERVER_ERROR_CODE_H
#define WS_SERVER_ERROR_CODE_H

/* The code that usually goes with a status of HTTP: "not_found" with 404. */
const char *error_code_of(int status);

#endif
