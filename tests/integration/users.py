# SPDX-License-Identifier: Apache-2.0
"""Requests from processes of other users: `users.py` with what to do in JSON is such a process, which prints Answers.

It imports all it needs while it is root, whose files others cannot read.
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import grpc
from google.protobuf import message_factory

from channel import Channel
from codes import OK
from h2 import H2
from mvb1 import GOAWAY, SERVICE
from plain import Plain
from processes import ROOT
from waiting import LIMIT


class User(NamedTuple):
    uid: int
    gid: int
    groups: list = []


OURSELVES = User(os.geteuid(), os.getegid())
WEB, INDEXER, STRANGER = User(33, 33), User(2001, 2001, [2100]), User(2002, 2002)


class Answer(NamedTuple):
    code: int
    message: str
    refused: bool = False  # the connection, not the request

    @property
    def is_ok(self):
        return self.code == OK


@contextlib.contextmanager
def public_folder():
    """Where every user may look for a socket."""
    with tempfile.TemporaryDirectory(prefix="mvb-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def empty_message(method):
    return message_factory.GetMessageClass(SERVICE.methods_by_name[method].input_type)()


def ask_plain(address, questions):
    with Plain(address) as client:
        for method, database in questions:
            client.send(method, empty_message(method), database)
            frame = client.frame()
            yield Answer(frame.code, frame.text.decode(), frame.kind == GOAWAY)


def ask_grpc(address, questions):
    with Channel(address) as client:
        for method, database in questions:
            metadata = [("dbname", database)] if database else []
            call = client.start(method, empty_message(method), metadata)
            error = call.exception(LIMIT)
            yield Answer(call.code().value[0], error.details() if isinstance(error, grpc.RpcError) else "")


PROTOCOLS = {"plain": ask_plain, "grpc": ask_grpc}


def start_as(user, address, protocol, *what):
    argument = json.dumps([list(user), address, protocol, *what])
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, __file__, argument],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip


def finished(process):
    """What it printed."""
    out, errors = process.communicate(timeout=2 * LIMIT)
    assert process.returncode == 0, out + errors
    return out


def ask_as(user, address, protocol, *questions):
    """The answer to each question, METHOD or METHOD@DATABASE, on one connection of a process of this user."""
    process = start_as(user, address, protocol, questions)
    return [Answer(*answer) for answer in json.loads(finished(process))]


class Crowd:
    """As many requests as that at once, on one connection; once it is made, the daemon has read them all."""

    def __init__(self, address, protocol, method, message, count):
        if protocol == "plain":
            self.client = Plain(address)
            self.idents = [self.client.send(method, message) for _ in range(count)]
        else:
            self.client = H2(address)
            self.idents = [self.client.ask(method, message.SerializeToString()) for _ in range(count)]
        self.client.ping()

    def codes(self):
        """Of the answers to all."""
        return [self.client.reply(ident).code for ident in self.idents]

    def close(self):
        self.client.close()


class CrowdOf:
    """The same in a process of this user."""

    def __init__(self, user, address, protocol, method, message, count):
        self.process = start_as(user, address, protocol, method, message.SerializeToString().hex(), count)
        assert self.process.stdout.readline() == "sent\n"

    def codes(self):
        return json.loads(finished(self.process))

    def close(self):
        self.process.kill()


def become(user):
    uid, gid, groups = user
    if uid != os.geteuid():
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)


def ask_each(address, protocol, questions):
    named = [tuple((question + "@").split("@")[:2]) for question in questions]
    print(json.dumps(list(PROTOCOLS[protocol](address, named))))


def ask_at_once(address, protocol, method, message, count):
    crowd = Crowd(address, protocol, method, empty_message(method).FromString(bytes.fromhex(message)), count)
    print("sent", flush=True)
    print(json.dumps(crowd.codes()))


def main():
    user, address, protocol, *what = json.loads(sys.argv[1])
    Channel(address).close()  # gRPC imports some of itself only now
    become(user)
    if len(what) == 1:
        ask_each(address, protocol, *what)
    else:
        ask_at_once(address, protocol, *what)


if __name__ == "__main__":
    main()
