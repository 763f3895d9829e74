/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/token_hash.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define METHOD      "$y$" /* yescrypt */
#define COST_CHOSEN 0     /* libcrypt's own choice: 16 MiB */
#define COST_DRAWN  1     /* the least */

bool token_hash_valid(const char *hash)
{
    return crypt_checksalt(hash) == CRYPT_SALT_OK;
}

static bool is_secret(struct span secret)
{
    return secret.length > 0 && secret.length <= TOKEN_SECRET_MAX &&
           !memchr(secret.at, '\0', secret.length);
}

/* As crypt(3): the setting is a hash, or what one begins with. To be freed; NULL where it fails. */
static char *hash_of(struct span secret, const char *setting)
{
    char text[TOKEN_SECRET_MAX + 1];
    struct crypt_data *data = is_secret(secret) ? calloc(1, sizeof(*data)) : NULL;
    if (!data)
        return NULL;
    memcpy(text, secret.at, secret.length);
    text[secret.length] = '\0';
    const char *hash = crypt_rn(text, setting, data, (int)sizeof(*data));
    char *copy = hash ? strdup(hash) : NULL;
    explicit_bzero(text, sizeof(text));
    explicit_bzero(data, sizeof(*data));
    free(data);
    return copy;
}

bool token_hash_matches(const char *hash, struct span secret)
{
    char *other = hash_of(secret, hash);
    size_t length = strlen(hash);
    bool same = other && strlen(other) == length && CRYPTO_memcmp(other, hash, length) == 0;
    free(other);
    return same;
}

char *token_hash_make(struct span secret, bool drawn)
{
    char *setting = crypt_gensalt_ra(METHOD, drawn ? COST_DRAWN : COST_CHOSEN, NULL, 0);
    char *hash = setting ? hash_of(secret, setting) : NULL;
    free(setting);
    return hash;
}
