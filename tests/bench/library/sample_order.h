/* sample_order.h: the data of the event that the programs here send. It has the size of a shop's
 * order. */
#ifndef BENCH_SAMPLE_ORDER_H
#define BENCH_SAMPLE_ORDER_H

#define SAMPLE_ORDER                                                                           \
    "{\"order_id\":4821107,\"client_id\":17331,\"status\":\"pending\",\"items\":["             \
    "{\"sku\":\"WIDGET-1\",\"quantity\":3,\"price_cents\":1999},"                              \
    "{\"sku\":\"GADGET-22\",\"quantity\":1,\"price_cents\":24950}],"                           \
    "\"total_cents\":30947,\"currency\":\"EUR\"}"

enum { SAMPLE_ORDER_LENGTH = sizeof SAMPLE_ORDER - 1 };

_Static_assert(SAMPLE_ORDER_LENGTH == 208, "figures of other sizes cannot be compared");

#endif
