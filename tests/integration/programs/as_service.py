# SPDX-License-Identifier: Apache-2.0
"""Runs a command as root would have systemd run it: `as_service.py UNIT FOLDER COMMAND...`.

What a unit says of system calls, address families, memory, processes that are seen and files, which are all read-only
but for FOLDER, and a user of no name in the place of the unit's. systemd itself is not needed (systemd.exec(5)).
"""
import ctypes
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path

USER = 64711
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65
CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
SCMP_ALLOW, SCMP_EPERM, SCMP_CMP_EQ = 0x7FFF0000, 0x00050001, 4

libc = ctypes.CDLL(None, use_errno=True)
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def done(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def settings(unit):
    """The values of each setting, in order."""
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", Path(unit).read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def calls_of(name):
    """The system calls of a @group, or the one call."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return set().union(*(calls_of(line) for line in lines if line and not line.startswith("#")))


def allowed_calls(filters):
    allowed = calls_of("@default")
    for line in filters:
        named = set().union(*map(calls_of, line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def allow(context, call, *compare):
    number = seccomp.seccomp_syscall_resolve_name(call.encode())
    if number >= 0:
        array = (Compare * len(compare))(*compare)
        assert seccomp.seccomp_rule_add_array(context, SCMP_ALLOW, number, len(compare), array) == 0, call


def load_filter(calls, families):
    context = ctypes.c_void_p(seccomp.seccomp_init(SCMP_EPERM))
    for call in calls - {"socket"}:
        allow(context, call)
    for family in families:
        allow(context, "socket", Compare(0, SCMP_CMP_EQ, getattr(socket, family), 0))
    assert seccomp.seccomp_load(context) == 0


def mount(source, target, kind, flags, options=None):
    texts = [text.encode() if text else None for text in (source, target, kind)]
    done(libc.mount(*texts, ctypes.c_ulong(flags), options.encode() if options else None))


def enclose(folder):
    """Only the folder can be written to, and only processes of the same user are seen."""
    done(libc.unshare(CLONE_NEWNS))
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount(folder, folder, None, MS_BIND)
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    mount("proc", "/proc", "proc", 0, "hidepid=invisible,subset=pid")


def main(unit, folder, command):
    unit = settings(unit)
    calls = allowed_calls(unit["SystemCallFilter"])
    families = unit["RestrictAddressFamilies"][0].split()
    assert unit["MemoryDenyWriteExecute"] == unit["NoNewPrivileges"] == ["yes"] and unit["LimitCORE"] == ["0"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(int(unit["UMask"][0], 8))
    enclose(folder)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    done(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    load_filter(calls, families)
    done(libc.prctl(PR_SET_MDWE, 1, 0, 0, 0))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
