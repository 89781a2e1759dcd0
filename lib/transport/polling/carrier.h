/* carrier.h: HTTP requests as the carrier of an Engine.IO session (engineio/session.h). */
#ifndef WS_TRANSPORT_POLLING_CARRIER_H
#define WS_TRANSPORT_POLLING_CARRIER_H

#include "transport/engineio/state.h"

extern const struct engineio_carrier polling_carrier;

#endif
