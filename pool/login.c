/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/login.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_OPEN    1000 /* ms between two looks at the file */
#define LOOK_HOLDING 100
#define PROBE_TIME   1000 /* ms until a call that was let out does not keep the next one back */

enum login_state { OPEN, HOLDING, CLOSED };

/* Tries that are made after pauses. */
struct tries {
    bool under_way;
    int64_t began;
    int64_t pause; /* the last one */
    int64_t due;
};

struct login {
    struct credential *credential;
    struct logger *logger;
    const char *upstream;
    const char *title;
    enum login_state state;
    uint32_t number;     /* counts up when calls that began before tell nothing any more */
    bool is_proven;      /* a secret has been taken since it was CLOSED */
    struct tries probes; /* not while OPEN */
    uint32_t next_number;
    struct tries nexts; /* of credential_next(), while OPEN */
    int64_t looked;
    int64_t hold_until;
    char words[LOGIN_WORDS_MAX];
    bool has_told; /* the log says that it is CLOSED */
    bool is_unreadable;
    bool has_told_next; /* that the next one is refused */
};

/* ---- tries ---- */

static void try_now(struct tries *tries, int64_t now)
{
    *tries = (struct tries){.due = now};
}

static void try_begins(struct tries *tries, int64_t now)
{
    tries->under_way = true;
    tries->began = now;
}

static void try_failed(struct tries *tries, int64_t now)
{
    int64_t pause = tries->pause > 0 ? 2 * tries->pause : LOGIN_PAUSE_LEAST;
    tries->pause = pause < LOGIN_PAUSE_MOST ? pause : LOGIN_PAUSE_MOST;
    tries->due = now + tries->pause * 3 / 4 + arc4random_uniform((uint32_t)(tries->pause / 2) + 1);
}

/* ---- the log ---- */

#define SUBJECT           "upstream %s, %s: "
#define SUBJECT_OF(login) (login)->upstream, (login)->title

static void tell_closed(struct login *login)
{
    if (!login->has_told)
        log_error(login->logger, SUBJECT "Milvus refuses the credential, %s: %s", SUBJECT_OF(login),
                  login_label(login), login->words);
    login->has_told = true;
}

static void tell_held(const struct login *login)
{
    log_warning(login->logger,
                SUBJECT "Milvus refuses the credential, %s, that it took before: requests wait up "
                        "to %d s for another one: %s",
                SUBJECT_OF(login), login_label(login), LOGIN_HOLD / 1000, login->words);
}

static void tell_next_refused(struct login *login)
{
    if (!login->has_told_next)
        log_warning(login->logger,
                    SUBJECT "Milvus refuses what has been read again, %s; it is tried again, and "
                            "what was read before stays in use: %s",
                    SUBJECT_OF(login), login_label(login), login->words);
    login->has_told_next = true;
}

static void tell_unreadable(struct login *login, const char *error)
{
    if (!login->is_unreadable)
        log_error(login->logger, SUBJECT "%s; what was read before stays in use", SUBJECT_OF(login),
                  error ? error : "no memory for the credential");
}

/* ---- the file ---- */

static void promote(struct login *login)
{
    credential_take_next(login->credential);
    login->number++;
    login->next_number++;
}

static void shut(struct login *login)
{
    login->state = CLOSED;
    login->is_proven = false;
    tell_closed(login);
}

static void hold(struct login *login, int64_t now)
{
    if (login->state != HOLDING)
        login->hold_until = now + LOGIN_HOLD;
    login->state = HOLDING;
}

/* The secret in use is refused, and there is another. */
static void replace(struct login *login, int64_t now)
{
    promote(login);
    try_now(&login->probes, now);
    hold(login, now);
}

static void take_read(struct login *login, int64_t now)
{
    log_info(login->logger, SUBJECT "the credential has been read again, %s", SUBJECT_OF(login),
             login_label(login));
    login->has_told_next = false;
    login->next_number++;
    try_now(&login->nexts, now);
    if (login->state != OPEN)
        replace(login, now);
}

/* Whether the file holds another secret. */
static bool look(struct login *login, int64_t now,
                 int (*read)(struct credential *credential, char **ret_error))
{
    char *error = NULL;
    int result = read(login->credential, &error);
    login->looked = now;
    if (result < 0)
        tell_unreadable(login, error);
    free(error);
    if (result != 0 || read == credential_read)
        login->is_unreadable = result < 0;
    if (result > 0)
        take_read(login, now);
    return result > 0;
}

void login_look(struct login *login, int64_t now)
{
    look(login, now, credential_look);
    if (login->state != HOLDING || now < login->hold_until)
        return;
    shut(login);
    try_failed(&login->probes, now); /* so that all who wait are refused */
}

void login_renew(struct login *login, int64_t now)
{
    if (login_is_clients(login))
        return;
    look(login, now, credential_read);
    login->probes.due = now;
    login->nexts.due = now;
}

/* ---- calls ---- */

bool login_is_open(const struct login *login)
{
    return login->state == OPEN;
}

bool login_lets(const struct login *login, int64_t now)
{
    const struct tries *probes = &login->probes;
    if (login->state == OPEN)
        return true;
    return now >= probes->due && (!probes->under_way || now >= probes->began + PROBE_TIME);
}

bool login_refuses(struct login *login, int64_t now)
{
    if (login->state != CLOSED || login_lets(login, now))
        return false;
    login_look(login, now);
    return login->state == CLOSED;
}

bool login_holds(const struct login *login)
{
    return login->state == HOLDING;
}

struct span login_begin(struct login *login, bool is_stream, int64_t now,
                        struct login_pass *ret_pass)
{
    if (login_is_clients(login)) {
        *ret_pass = (struct login_pass){0};
        return login_authorization(login);
    }
    if (login->state == OPEN && now >= login->looked + LOOK_OPEN)
        look(login, now, credential_look);
    struct span next = credential_next(login->credential);
    if (login->state != OPEN)
        try_begins(&login->probes, now);
    if (next.length == 0 || is_stream || login->nexts.under_way || now < login->nexts.due) {
        *ret_pass = (struct login_pass){.number = login->number};
        return credential_authorization(login->credential);
    }
    try_begins(&login->nexts, now);
    *ret_pass = (struct login_pass){.number = login->next_number, .is_next = true};
    return next;
}

/* Of what comes from between us and Milvus nothing is to be learned. */
static bool is_taken(const struct upstream_end *end)
{
    return end->from_peer && end->code != CODE_UNAUTHENTICATED && end->code != CODE_UNAVAILABLE;
}

static bool is_refused(const struct upstream_end *end)
{
    return end->from_peer && end->code == CODE_UNAUTHENTICATED;
}

static void open_up(struct login *login)
{
    login->state = OPEN;
    login->is_proven = true;
    login->has_told = false;
    login->probes = (struct tries){0};
}

static void keep_words(struct login *login, struct span words)
{
    snprintf(login->words, sizeof(login->words), "%.*s", SPAN_ARGS(words));
}

static enum login_verdict next_ended(struct login *login, const struct login_pass *pass,
                                     const struct upstream_end *end, int64_t now)
{
    bool is_old =
        pass->number != login->next_number || credential_next(login->credential).length == 0;
    if (!is_old)
        login->nexts.under_way = false;
    if (!is_old && is_taken(end)) {
        promote(login);
        open_up(login);
    }
    if (!is_refused(end))
        return LOGIN_TAKEN;
    keep_words(login, end->message);
    if (!is_old) {
        try_failed(&login->nexts, now);
        tell_next_refused(login);
    }
    return LOGIN_REPEAT;
}

/* Puts another secret in the place of the one that is refused, if the file has one. */
static bool find_another(struct login *login, int64_t now)
{
    if (look(login, now, credential_read))
        return true;
    if (credential_next(login->credential).length == 0)
        return false;
    replace(login, now);
    return true;
}

static enum login_verdict refused(struct login *login, int64_t now)
{
    bool was_open = login->state == OPEN;
    if (was_open) {
        login->state = CLOSED;
        login->number++;
        try_now(&login->probes, now);
    }
    if (find_another(login, now))
        return LOGIN_REPEAT;
    try_failed(&login->probes, now);
    if (!login->is_proven) {
        shut(login);
        return LOGIN_REFUSED;
    }
    if (was_open)
        tell_held(login);
    hold(login, now);
    return LOGIN_REPEAT;
}

enum login_verdict login_ended(struct login *login, const struct login_pass *pass,
                               const struct upstream_end *end, int64_t now)
{
    if (login_is_clients(login))
        return is_refused(end) ? LOGIN_REFUSED : LOGIN_TAKEN;
    if (pass->is_next)
        return next_ended(login, pass, end, now);
    bool is_judged = pass->number != login->number;
    if (!is_judged)
        login->probes.under_way = false;
    if (!is_judged && is_taken(end))
        open_up(login);
    if (!is_refused(end))
        return LOGIN_TAKEN;
    keep_words(login, end->message);
    if (is_judged)
        return login->state == CLOSED ? LOGIN_REFUSED : LOGIN_REPEAT;
    return refused(login, now);
}

int64_t login_due(const struct login *login, int64_t now)
{
    if (login->state != HOLDING)
        return LOGIN_NEVER;
    int64_t due = now + LOOK_HOLDING;
    if (!login->probes.under_way && login->probes.due > now && login->probes.due < due)
        due = login->probes.due;
    return login->hold_until < due ? login->hold_until : due;
}

/* ---- what it is ---- */

bool login_is_clients(const struct login *login)
{
    return credential_is_clients(login->credential);
}

struct span login_authorization(const struct login *login)
{
    return credential_authorization(login->credential);
}

const char *login_label(const struct login *login)
{
    return credential_label(login->credential);
}

const char *login_words(const struct login *login)
{
    return login->words;
}

struct login *login_new(const struct login_setup *setup, char **ret_error)
{
    struct login *login = calloc(1, sizeof(*login));
    if (!login)
        abort();
    login->logger = setup->logger;
    login->upstream = setup->upstream;
    login->title = setup->title;
    if (setup->authorization)
        login->credential = credential_of_client(*setup->authorization);
    else if (credential_open(setup->credential, &login->credential, ret_error) != 0) {
        free(login);
        return NULL;
    }
    return login;
}

void login_free(struct login *login)
{
    if (!login)
        return;
    credential_close(login->credential);
    free(login);
}
