/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No program that is executed has more rights; none is. Threads inherit this. */
static void drop_bounds(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

void process_close(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    drop_bounds();
}

bool process_must_become(const struct conf *conf)
{
    return conf->user.name && geteuid() != conf->user.uid;
}

bool process_can_become(const struct conf *conf)
{
    return !process_must_become(conf) || geteuid() == 0;
}

/* Those that root has may have been set to stay. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capset, &header, none) == 0;
}

bool process_become(const struct conf *conf)
{
    uid_t uid = conf->user.uid;
    gid_t gid = conf->user.gid;
    if (initgroups(conf->user.name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0 || !drop_capabilities())
        return false;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* another user is another value (prctl(2)) */
    if (setuid(0) == 0)
        abort();
    return true;
}

/* ---- what cannot be read again ---- */

static void warn_of_file(const char *what, const char *path, struct logger *logger)
{
    if (path && access(path, R_OK) != 0)
        log_warning(logger, "%s %s cannot be read again: %s; a change of it takes a restart", what,
                    path, strerrordesc_np(errno));
}

static void warn_of_credential(const struct conf_credential *credential, struct logger *logger)
{
    warn_of_file("token_file", credential->token_file, logger);
    warn_of_file("password_file", credential->password_file, logger);
}

static void warn_of_upstream(const struct conf_upstream *upstream, struct logger *logger)
{
    warn_of_credential(&upstream->credential, logger);
    warn_of_file("ca_file", upstream->tls.ca_file, logger);
    warn_of_file("cert_file", upstream->tls.cert_file, logger);
    warn_of_file("key_file", upstream->tls.key_file, logger);
}

void process_warn(const struct conf *conf, const char *file, struct logger *logger)
{
    warn_of_file("the configuration", file, logger);
    warn_of_file("tokens_file", conf->tokens_file, logger);
    for (size_t i = 0; i < conf->upstream_count; i++)
        warn_of_upstream(&conf->upstreams[i], logger);
    for (size_t i = 0; i < conf->database_count; i++) {
        if (conf->databases[i].own_credential)
            warn_of_credential(&conf->databases[i].credential, logger);
    }
    for (size_t i = 0; i < conf->rule_count; i++)
        warn_of_credential(&conf->rules[i].credential, logger);
}
