# SPDX-License-Identifier: Apache-2.0
"""Runs a command with a listening socket, as systemd would: `activated.py DESCRIPTOR COMMAND...` (sd_listen_fds(3))."""
import os
import sys

FIRST = 3


def main(descriptor, command):
    os.dup2(descriptor, FIRST)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
