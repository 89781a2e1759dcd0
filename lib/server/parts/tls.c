/* tls.c: what all TLS connections share: the certificate with its key, and the settings.
 * A connection's bytes are in stream_tls.c. */
#include "server/parts/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/parts/tls_hello.h"
#include "server/parts/tls_socket.h"

enum { PROBLEM_BYTES = 256 };

struct tls {
    char *cert_file;
    char *key_file;
    const struct server_log *log;
    BIO_METHOD *socket_method;
    pthread_mutex_t lock; /* of `context`, which tls_reload() replaces */
    SSL_CTX *context;
};

/* Without OpenSSL's details, which may name the key's file. */
const char *tls_problem(void)
{
    unsigned long error = ERR_peek_error();
    const char *text = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
                                               : ERR_reason_error_string(error);

    return text != NULL ? text : "unknown reason";
}

/* Chooses HTTP/1.1, and refuses a client that offers only other protocols (RFC 7301 §3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
                           const unsigned char *offered, unsigned int offered_length,
                           void *user_data)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;

    (void)ssl;
    (void)user_data;
    if (SSL_select_next_proto(&found, chosen_length, ours, sizeof ours - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/* Also called for the hello that a client sends after a HelloRetryRequest. */
static int check_hello(SSL *ssl, int *alert, void *user_data)
{
    const struct tls *tls = user_data;

    if (tls_hello_has_short_lists(ssl))
        return SSL_CLIENT_HELLO_SUCCESS;
    server_log_line(tls->log, WS_LOG_DEBUG, "TLS: a list in the ClientHello is too long");
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    return SSL_CLIENT_HELLO_ERROR;
}

static bool configure(struct tls *tls, SSL_CTX *context)
{
    static char no_passphrase[] = ""; /* else OpenSSL would ask for one at the terminal */
    /* A client chooses the group, and each has P-256 (RFC 8446 §9.1). Others cost the server far
     * more: with ffdhe8192, which OpenSSL includes by default, one handshake takes 190 ms. */
    static char groups[] = "X25519:P-256";

    /* HTTP and WebSocket delimit their messages themselves, so a missing close_notify cannot hide
     * that something was cut off. It is accepted like the end of a connection without TLS. */
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Without partial writes: a call that stops before all its bytes are in records, of which a
     * client with max_fragment_length needs many, is repeated with the same bytes. */
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* Sessions are resumed by tickets, which the clients keep. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb_userdata(context, no_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_client_hello_cb(context, check_hello, tls);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

/* Only the owner should be able to read the key. */
static void check_key_file(const struct tls *tls)
{
    struct stat status;

    if (stat(tls->key_file, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
        server_log_line(tls->log, WS_LOG_WARN,
                        "tls_key_file: %s may be read or written by every user (mode %04o)",
                        tls->key_file, (unsigned)(status.st_mode & 07777));
}

/* NULL with a line in `problem`. */
static SSL_CTX *load(struct tls *tls, char *problem, size_t problem_size)
{
    SSL_CTX *context;

    ERR_clear_error();
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || !configure(tls, context)) {
        snprintf(problem, problem_size, "TLS cannot be set up: %s", tls_problem());
        goto fail;
    }
    if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1) {
        snprintf(problem, problem_size, "tls_cert_file: %s: %s", tls->cert_file, tls_problem());
        goto fail;
    }
    if (SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1) {
        snprintf(problem, problem_size, "tls_key_file: %s", tls_problem());
        goto fail;
    }
    /* A key of the certificate's kind was compared already, one of another kind was not. */
    if (SSL_CTX_check_private_key(context) != 1) {
        snprintf(problem, problem_size,
                 "tls_key_file: the key does not belong to the certificate");
        goto fail;
    }
    check_key_file(tls);
    return context;

fail:
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->socket_method);
    pthread_mutex_destroy(&tls->lock);
    free(tls->cert_file);
    free(tls->key_file);
    free(tls);
}

struct tls *tls_open(const char *cert_file, const char *key_file, const struct server_log *log,
                     char *problem, size_t problem_size)
{
    struct tls *tls = calloc(1, sizeof *tls);

    if (tls == NULL) {
        snprintf(problem, problem_size, "TLS cannot be set up: out of memory");
        return NULL;
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->log = log;
    tls->cert_file = strdup(cert_file);
    tls->key_file = strdup(key_file);
    tls->socket_method = tls_socket_method();
    if (tls->cert_file == NULL || tls->key_file == NULL || tls->socket_method == NULL)
        snprintf(problem, problem_size, "TLS cannot be set up: out of memory");
    else
        tls->context = load(tls, problem, problem_size);
    if (tls->context == NULL) {
        tls_close(tls);
        return NULL;
    }
    return tls;
}

const struct server_log *tls_log(const struct tls *tls)
{
    return tls->log;
}

bool tls_reload(struct tls *tls)
{
    char problem[PROBLEM_BYTES];
    SSL_CTX *context = load(tls, problem, sizeof problem);
    SSL_CTX *old;

    if (context == NULL) {
        server_log_line(tls->log, WS_LOG_ERROR, "the certificate is not reloaded: %s", problem);
        return false;
    }
    pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = context;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    server_log_line(tls->log, WS_LOG_INFO, "the certificate is reloaded");
    return true;
}

SSL *tls_accept(struct tls *tls, struct tls_socket *socket)
{
    BIO *bio = tls_socket_bio(tls->socket_method, socket);
    SSL *ssl;

    pthread_mutex_lock(&tls->lock);
    ssl = SSL_new(tls->context); /* which keeps this context for itself */
    pthread_mutex_unlock(&tls->lock);
    if (ssl == NULL || bio == NULL) {
        BIO_free(bio);
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return ssl;
}
