/* tls.c: TLS to Redis with OpenSSL. hiredis reads and writes through the SSL object that is created
 * here. hiredis' own contexts are not used, because they do not verify the host name. */
#include "cluster/redis/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { TLS_NAME_SIZE = 256 };

static const char *reason(void)
{
    unsigned long error = ERR_peek_error();
    const char *text = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
                                               : ERR_reason_error_string(error);

    return text != NULL ? text : "unknown reason";
}

static bool configure(SSL_CTX *context)
{
    static char no_passphrase[] =
        ""; /* without it OpenSSL would ask for a passphrase at the terminal */

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE); /* so that progress is visible */
    SSL_CTX_set_default_passwd_cb_userdata(context, no_passphrase);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

static bool load_authorities(SSL_CTX *context, const char *ca)
{
    return ca != NULL ? SSL_CTX_load_verify_locations(context, ca, NULL) == 1
                      : SSL_CTX_set_default_verify_paths(context) == 1;
}

static SSL_CTX *new_context(const struct uri *uri, char *text, size_t size)
{
    SSL_CTX *context;
    const char *part = "TLS";

    ERR_clear_error();
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || !configure(context))
        goto fail;
    part = "ca";
    if (!load_authorities(context, uri->ca))
        goto fail;
    part = "cert";
    if (uri->cert != NULL && SSL_CTX_use_certificate_chain_file(context, uri->cert) != 1)
        goto fail;
    part = "key";
    if (uri->key != NULL &&
        SSL_CTX_use_PrivateKey_file(context, uri->key, SSL_FILETYPE_PEM) != 1)
        goto fail;
    if (uri->key != NULL && SSL_CTX_check_private_key(context) != 1)
        goto fail;
    return context;

fail:
    snprintf(text, size, "%s cannot be used: %s", part, reason());
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

/* Sets the address or name that the certificate must be for. The zone of an address is ignored.
 * A name is also sent to the server (SNI). RFC 6066 section 3 allows no address there, and no
 * dot at the end of a name. */
static bool name_server(SSL *tls, const char *name)
{
    char host[TLS_NAME_SIZE];
    size_t length = strcspn(name, "%");

    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length >= sizeof host)
        return false;
    memcpy(host, name, length);
    host[length] = '\0';
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1 ||
           (SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1);
}

bool tls_check(const struct uri *uri, char *text, size_t size)
{
    SSL_CTX *context = new_context(uri, text, size);

    SSL_CTX_free(context);
    return context != NULL;
}

/* --- the store -------------------------------------------------------------------------------- */

static void look_at(struct tls_file *file, const char *path)
{
    struct stat found;

    memset(file, 0, sizeof *file); /* also the padding: files are compared as bytes */
    if (path == NULL || stat(path, &found) != 0)
        return;
    file->device = found.st_dev;
    file->number = found.st_ino;
    file->size = found.st_size;
    file->modified.tv_sec = found.st_mtim.tv_sec;
    file->modified.tv_nsec = found.st_mtim.tv_nsec;
}

static const char *of_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? value : otherwise;
}

static void look_at_all(struct tls_file files[TLS_FILES], const struct uri *uri)
{
    const char *ca = uri->ca;

    look_at(&files[0], uri->cert);
    look_at(&files[1], uri->key);
    look_at(&files[2], ca != NULL ? ca
                                  : of_environment(X509_get_default_cert_file_env(),
                                                   X509_get_default_cert_file()));
    look_at(&files[3], ca != NULL ? NULL
                                  : of_environment(X509_get_default_cert_dir_env(),
                                                   X509_get_default_cert_dir()));
}

void tls_free(struct tls_store *store)
{
    SSL_CTX_free(store->context);
    store->context = NULL;
}

/* The files are looked at before they are read: a change in between is noticed the next time. */
static SSL_CTX *stored_context(struct tls_store *store, const struct uri *uri, char *text,
                               size_t size)
{
    struct tls_file files[TLS_FILES];

    look_at_all(files, uri);
    if (store->context != NULL && memcmp(files, store->files, sizeof files) == 0)
        return store->context;
    tls_free(store);
    memcpy(store->files, files, sizeof files);
    store->context = new_context(uri, text, size);
    return store->context;
}

/* --- connections ------------------------------------------------------------------------------ */

struct ssl_st *tls_begin(struct tls_store *store, redisContext *context, const struct uri *uri,
                         const char *host, char *text, size_t size)
{
    SSL_CTX *own = stored_context(store, uri, text, size);
    SSL *tls;

    if (own == NULL)
        return NULL;
    tls = SSL_new(own); /* holds a reference to `own` */
    if (tls != NULL && name_server(tls, host) && redisInitiateSSL(context, tls) == REDIS_OK)
        return tls;
    snprintf(text, size, "%s", context->err != 0 ? context->errstr : "out of memory");
    if (tls != NULL)
        tls_explain(tls, text, size);
    SSL_free(tls);
    return NULL;
}

void tls_clear_errors(void)
{
    ERR_clear_error();
}

bool tls_wants_read(const struct ssl_st *tls)
{
    return SSL_want_read(tls);
}

void tls_explain(const struct ssl_st *tls, char *text, size_t size)
{
    long result = SSL_get_verify_result(tls);

    if (result != X509_V_OK)
        snprintf(text, size, "the certificate of the server was refused: %s",
                 X509_verify_cert_error_string(result));
    else if (ERR_peek_last_error() != 0)
        snprintf(text, size, "TLS: %s", reason());
    ERR_clear_error();
}
