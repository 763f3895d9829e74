/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>

struct advice {
    long code;
    const char *text;
};

/* What is wrong with the server's certificate (X509_V_ERR_…), in OpenSSL's words, and then: */
static const struct advice of_its_certificate[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "; the server needs a new one"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "; see to the clocks of both hosts"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "; tls.server_name says which name it must have"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "; tls.server_name says which name it must have"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "; to trust it alone, make it tls.ca_file"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "; tls.ca_file must hold its authority's"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "; tls.ca_file must hold its authority's"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "; tls.ca_file must hold its authority's"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "; tls.ca_file holds another authority of that name"},
    {X509_V_ERR_INVALID_PURPOSE, "; it is not for servers (extendedKeyUsage)"},
    {X509_V_ERR_INVALID_CA, "; its authority's may not issue certificates"},
    {0, ""},
};

/* What the server says of our certificate (SSL_R_…); of one that is missing some say no other. */
static const struct advice of_ours[] = {
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, ""},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, ": it does not know the authority"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, ""},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, ": it is for another use"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, ": it has expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, ": it is revoked"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, ""},
    {0, NULL},
};

/* Other faults (SSL_R_…), before OpenSSL's words. */
static const struct advice of_the_rest[] = {
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "it finds nothing that both can do, or asks for a certificate of ours (tls.cert_file)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "it has no TLS 1.2 or later"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "it has no TLS 1.2 or later"},
    {SSL_R_WRONG_VERSION_NUMBER, "what it says is not TLS; is it http://?"},
    {0, "TLS fails"},
};

static const char *find(const struct advice *advice, long code)
{
    while (advice->code != code && advice->code != 0)
        advice++;
    return advice->text;
}

static void write_fault(const SSL *ssl, unsigned long error, char *to, size_t room)
{
    const char *words = ERR_reason_error_string(error);
    const char *ours = find(of_ours, ERR_GET_REASON(error));
    if (!words)
        words = "unknown reason";
    if (!ours)
        snprintf(to, room, "%s (%s)", find(of_the_rest, ERR_GET_REASON(error)), words);
    else if (SSL_get_certificate(ssl))
        snprintf(to, room, "it refuses tls.cert_file%s (%s)", ours, words);
    else
        snprintf(to, room,
                 "it asks for a certificate of ours; set tls.cert_file and tls.key_file (%s)",
                 words);
}

bool tls_reason(const struct ssl_st *ssl, unsigned long error, char *to, size_t room)
{
    long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK)
        snprintf(to, room, "its certificate is refused: %s%s",
                 X509_verify_cert_error_string(verified), find(of_its_certificate, verified));
    else if (error != 0)
        write_fault(ssl, error, to, room);
    return verified != X509_V_OK || error != 0;
}
