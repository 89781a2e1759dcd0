/* address_table_test.c: counting connections by address, exactly, also from several threads. Not
 * here: the answer to a connection above the limit (e2e/test_access.py). */
#include "server/parts/address_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "server/parts/address.h"
#include "support/suite.h"

enum { N_ADDRESSES = 1000, MAX_PER_ADDRESS = 3, N_THREADS = 4, N_ROUNDS = 20000 };

static struct address_table table;
static struct address_count *entered[N_ADDRESSES][MAX_PER_ADDRESS];

static struct in6_addr v4(uint32_t number)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(number)};

    memcpy(&peer, &address, sizeof address);
    return address_of_socket(&peer);
}

static struct in6_addr v6(const char *text, uint16_t port)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = port};

    inet_pton(AF_INET6, text, &address.sin6_addr);
    memcpy(&peer, &address, sizeof address);
    return address_of_socket(&peer);
}

START_TEST(connections_are_limited_and_released)
{
    ck_assert(address_table_open(&table, MAX_PER_ADDRESS));
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N_ADDRESSES; i++) {
            struct in6_addr peer = v4(i);
            struct address_count *one_more;

            for (size_t k = 0; k < MAX_PER_ADDRESS; k++)
                ck_assert_int_eq(address_table_enter(&table, &peer, &entered[i][k]),
                                 ADDRESS_ENTERED);
            ck_assert_int_eq(address_table_enter(&table, &peer, &one_more),
                             ADDRESS_HAS_TOO_MANY);
        }
        ck_assert_uint_eq(address_table_refused(&table), (round + 1) * N_ADDRESSES);
        ck_assert_uint_eq(table.count, N_ADDRESSES);
        for (uint32_t i = 0; i < N_ADDRESSES; i++)
            for (size_t k = 0; k < MAX_PER_ADDRESS; k++)
                address_table_leave(&table, entered[i][k]);
        ck_assert_uint_eq(table.count, 0);
    }
    address_table_close(&table);
}
END_TEST

START_TEST(the_port_is_not_part_of_an_address)
{
    struct in6_addr peer = v6("2001:db8::1", 1);
    struct in6_addr other_port = v6("2001:db8::1", 2);
    struct in6_addr other = v6("2001:db8:0:1::1", 1);
    struct address_count *address;

    ck_assert(address_table_open(&table, 1));
    ck_assert_int_eq(address_table_enter(&table, &peer, &address), ADDRESS_ENTERED);
    ck_assert_int_eq(address_table_enter(&table, &other_port, &address), ADDRESS_HAS_TOO_MANY);
    ck_assert_int_eq(address_table_enter(&table, &other, &address), ADDRESS_ENTERED);
    address_table_close(&table);
}
END_TEST

/* A client with one IPv6 address has the 2^64 of its subnet. */
START_TEST(an_ipv6_subnet_is_one_address)
{
    static const struct {
        const char *text;
        enum address_result result;
    } peers[] = {
        {"2001:db8::1", ADDRESS_ENTERED},
        {"2001:db8::2", ADDRESS_HAS_TOO_MANY},
        {"2001:db8::ffff:ffff:ffff:ffff", ADDRESS_HAS_TOO_MANY},
        {"2001:db8:0:1::1", ADDRESS_ENTERED},
        {"::1", ADDRESS_ENTERED},
    };
    struct address_count *address;

    ck_assert(address_table_open(&table, 1));
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        struct in6_addr peer = v6(peers[i].text, 1);

        ck_assert_int_eq(address_table_enter(&table, &peer, &address), peers[i].result);
    }
    address_table_close(&table);
}
END_TEST

START_TEST(an_ipv4_address_is_itself_also_when_mapped)
{
    struct in6_addr unspecified = v6("::", 1);
    struct in6_addr plain = v4(0x7f000001);
    struct in6_addr mapped = v6("::ffff:127.0.0.1", 1);
    struct in6_addr other = v6("::ffff:127.0.0.2", 1);
    struct address_count *address;

    ck_assert(address_table_open(&table, 1));
    ck_assert_int_eq(address_table_enter(&table, &unspecified, &address), ADDRESS_ENTERED);
    ck_assert_int_eq(address_table_enter(&table, &plain, &address), ADDRESS_ENTERED);
    ck_assert_int_eq(address_table_enter(&table, &mapped, &address), ADDRESS_HAS_TOO_MANY);
    ck_assert_int_eq(address_table_enter(&table, &other, &address), ADDRESS_ENTERED);
    address_table_close(&table);
}
END_TEST

static void *come_and_go(void *user_data)
{
    (void)user_data;
    for (uint32_t i = 0; i < N_ROUNDS; i++) {
        struct in6_addr peer = v4(i % 7);
        struct address_count *address;

        if (address_table_enter(&table, &peer, &address) == ADDRESS_ENTERED)
            address_table_leave(&table, address);
    }
    return NULL;
}

START_TEST(threads_release_every_connection)
{
    pthread_t threads[N_THREADS];

    ck_assert(address_table_open(&table, 2));
    for (size_t i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(table.count, 0);
    address_table_close(&table);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        connections_are_limited_and_released, the_port_is_not_part_of_an_address,
        an_ipv6_subnet_is_one_address,        an_ipv4_address_is_itself_also_when_mapped,
        threads_release_every_connection,     NULL,
    };

    return suite_run("address-table", tests);
}
