/* tls_updates.c: a TLS 1.3 client that updates its keys more often than anyone needs to, for
 * test_tls.py: Python's ssl cannot.
 *
 *   tls-updates PORT ROUNDS UPDATES     prints how many requests were answered, one a round */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(2);
    }
    return fd;
}

/* Each is a record of its own, and brings no data. */
static bool send_updates(SSL *ssl, int count)
{
    for (int i = 0; i < count; i++) {
        if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
            SSL_do_handshake(ssl) != 1) {
            return false;
        }
    }
    return true;
}

static bool is_answered(SSL *ssl)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char body[] = "{\"status\":\"ok\"}";
    char answer[4096];
    size_t length = 0;

    if (SSL_write(ssl, request, sizeof request - 1) <= 0) {
        return false;
    }
    while (memmem(answer, length, body, sizeof body - 1) == NULL) {
        int part = SSL_read(ssl, answer + length, (int)(sizeof answer - length));

        if (part <= 0) {
            return false;
        }
        length += (size_t)part;
    }
    return true;
}

int main(int argc, char **argv)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;
    int rounds = argc == 4 ? atoi(argv[2]) : -1;
    int answered = 0;
    int fd;

    if (rounds < 0 || ssl == NULL) {
        fputs("usage: tls-updates PORT ROUNDS UPDATES\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    fd = connect_to((unsigned)atoi(argv[1]));
    if (SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 || SSL_set_fd(ssl, fd) != 1 ||
        SSL_connect(ssl) != 1) {
        fputs("no TLS 1.3\n", stderr);
        return 2;
    }
    while (answered < rounds && send_updates(ssl, atoi(argv[3])) && is_answered(ssl)) {
        answered++;
    }
    printf("%d\n", answered);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return 0;
}
