/* status.h: the names of HTTP statuses (RFC 9110 §15). */
#ifndef WS_TRANSPORT_SHARED_STATUS_H
#define WS_TRANSPORT_SHARED_STATUS_H

/* The name of a status; "Refused" for one that this library gives no name. */
const char *status_name(int status);

#endif
