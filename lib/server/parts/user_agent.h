/* user_agent.h: what a browser's User-Agent says about faults that the server works around.
 * Nothing here is a defence: a client may send any text. */
#ifndef WS_SERVER_USER_AGENT_H
#define WS_SERVER_USER_AGENT_H

#include <stdbool.h>

/* True for the WebKit of Safari 15.0 to 15.3 and of iOS 15.0 to 15.3, which compresses a message
 * with the context of the one before, although client_no_context_takeover (RFC 7692 §7.1.1.2) was
 * agreed on. On iOS every browser and web view is that WebKit. NULL: false. */
bool user_agent_keeps_deflate_context(const char *user_agent);

#endif
