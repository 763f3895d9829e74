/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <uthash.h>

#include "auth/token_hash.h"
#include "auth/tokens_file.h"
#include "conf/suggest.h"

#define DIGEST_SIZE     32
#define KEY_SIZE        64    /* a block of SHA-256 */
#define WRONG_KEPT      4     /* of each name */
#define HASHING         50.0  /* ms of a second that hashing wrong ones may take in the long run */
#define HASHING_AT_ONCE 250.0 /* ms of it */

/* A keyed SHA-256 of a secret. */
struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

struct token {
    UT_hash_handle hh;
    char *name;
    char *hash;
    bool has_right;
    struct digest right;
    struct digest wrong[WRONG_KEPT]; /* the last ones */
    unsigned wrong_count;            /* ever */
    struct rate tries;
};

struct tokens {
    const char *path;
    EVP_MD_CTX *keyed;   /* a SHA-256 that has taken in the key: making one anew costs 4 us */
    EVP_MD_CTX *scratch; /* for copies of it */
    struct token *by_name;
    struct rate hashing; /* ms */
};

static void token_free(struct token *token)
{
    free(token->name);
    free(token->hash);
    explicit_bzero(token, sizeof(*token));
    free(token);
}

static void free_all(struct token **by_name)
{
    struct token *token;
    struct token *following;
    HASH_ITER (hh, *by_name, token, following) {
        HASH_DELETE(hh, *by_name, token);
        token_free(token);
    }
}

static struct token *find(struct token *by_name, struct span name)
{
    struct token *token;
    HASH_FIND(hh, by_name, name.at, name.length, token);
    return token;
}

/* ---- reading ---- */

/* What is being read. */
struct reading {
    struct token *by_name;
    int64_t now;
};

static const char *take(void *context, const char *name, const char *hash)
{
    struct reading *reading = context;
    if (find(reading->by_name, span_text(name)))
        return "the name stands twice; keep one of the two";
    struct token *token = calloc(1, sizeof(*token));
    if (!token || !(token->name = strdup(name)) || !(token->hash = strdup(hash)))
        abort();
    rate_init(&token->tries, TOKEN_TRIES / 60.0, TOKEN_TRIES, reading->now);
    HASH_ADD_KEYPTR(hh, reading->by_name, token->name, strlen(token->name), token);
    return NULL;
}

/* What is known of a line that has not changed stays known. */
static void inherit(struct token *fresh, const struct token *old)
{
    if (!old || strcmp(fresh->hash, old->hash) != 0)
        return;
    fresh->has_right = old->has_right;
    fresh->right = old->right;
    memcpy(fresh->wrong, old->wrong, sizeof(fresh->wrong));
    fresh->wrong_count = old->wrong_count;
    fresh->tries = old->tries;
}

int tokens_refresh(struct tokens *tokens, int64_t now, char **ret_error)
{
    struct reading reading = {.now = now};
    if (tokens_file_read(tokens->path, take, &reading, ret_error) != 0) {
        free_all(&reading.by_name);
        return -1;
    }
    for (struct token *token = reading.by_name; token; token = token->hh.next)
        inherit(token, find(tokens->by_name, span_text(token->name)));
    free_all(&tokens->by_name);
    tokens->by_name = reading.by_name;
    return 0;
}

/* Digests never leave the process, so a key in front will do. */
static void draw_key(struct tokens *tokens)
{
    uint8_t key[KEY_SIZE];
    tokens->keyed = EVP_MD_CTX_new();
    tokens->scratch = EVP_MD_CTX_new();
    if (!tokens->keyed || !tokens->scratch || getentropy(key, sizeof(key)) != 0 ||
        !EVP_DigestInit_ex(tokens->keyed, EVP_sha256(), NULL) ||
        !EVP_DigestUpdate(tokens->keyed, key, sizeof(key)))
        abort();
    explicit_bzero(key, sizeof(key));
}

struct tokens *tokens_open(const char *path, int64_t now, char **ret_error)
{
    struct tokens *tokens = calloc(1, sizeof(*tokens));
    if (!tokens)
        abort();
    tokens->path = path;
    draw_key(tokens);
    rate_init(&tokens->hashing, HASHING, HASHING_AT_ONCE, now);
    if (tokens_refresh(tokens, now, ret_error) == 0)
        return tokens;
    tokens_close(tokens);
    return NULL;
}

void tokens_close(struct tokens *tokens)
{
    if (!tokens)
        return;
    free_all(&tokens->by_name);
    EVP_MD_CTX_free(tokens->keyed); /* wipes it */
    EVP_MD_CTX_free(tokens->scratch);
    free(tokens);
}

bool tokens_have(const struct tokens *tokens, const char *name)
{
    return find(tokens->by_name, span_text(name)) != NULL;
}

const char *tokens_nearest(const struct tokens *tokens, const char *name)
{
    const char **names = calloc(HASH_COUNT(tokens->by_name) + 1, sizeof(*names));
    size_t count = 0;
    if (!names)
        abort();
    for (const struct token *token = tokens->by_name; token; token = token->hh.next)
        names[count++] = token->name;
    const char *near = suggest_nearest(name, names);
    free(names);
    return near;
}

/* ---- checking ---- */

static struct digest digest_of(const struct tokens *tokens, struct span secret)
{
    struct digest digest;
    if (!EVP_MD_CTX_copy_ex(tokens->scratch, tokens->keyed) ||
        !EVP_DigestUpdate(tokens->scratch, secret.at, secret.length) ||
        !EVP_DigestFinal_ex(tokens->scratch, digest.bytes, NULL))
        abort();
    return digest;
}

static bool same(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool is_wrong_yet(const struct token *token, const struct digest *digest)
{
    bool found = false;
    for (unsigned i = 0; i < WRONG_KEPT && i < token->wrong_count; i++)
        found |= same(&token->wrong[i], digest);
    return found;
}

static double now_in_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Those that are right cost once each; it is the wrong ones that there may be many of. */
static enum token_check hash(struct tokens *tokens, struct token *token, struct span secret,
                             const struct digest *digest, int64_t now)
{
    double before = now_in_ms();
    if (token_hash_matches(token->hash, secret)) {
        token->right = *digest;
        token->has_right = true;
        return TOKEN_RIGHT;
    }
    rate_charge(&tokens->hashing, now_in_ms() - before, now);
    rate_charge(&token->tries, 1, now);
    token->wrong[token->wrong_count++ % WRONG_KEPT] = *digest;
    return TOKEN_WRONG;
}

static enum token_check check(struct tokens *tokens, struct token *token, struct span secret,
                              int64_t now)
{
    struct digest digest = digest_of(tokens, secret);
    if (token->has_right && same(&token->right, &digest))
        return TOKEN_RIGHT;
    if (is_wrong_yet(token, &digest))
        return TOKEN_WRONG_YET;
    if (!rate_has(&token->tries, 1, now) || !rate_has(&tokens->hashing, 0, now))
        return TOKEN_LATER;
    return hash(tokens, token, secret, &digest, now);
}

enum token_check tokens_check(struct tokens *tokens, struct span authorization, int64_t now,
                              const char **ret_name)
{
    struct shown shown;
    struct token *token =
        shown_read(authorization, &shown) ? find(tokens->by_name, shown.name) : NULL;
    *ret_name = token ? token->name : NULL;
    enum token_check result = token ? check(tokens, token, shown.secret, now) : TOKEN_WRONG_YET;
    shown_wipe(&shown);
    return result;
}
