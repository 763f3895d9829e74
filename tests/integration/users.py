# SPDX-License-Identifier: Apache-2.0
"""Requests from processes of other users: `users.py` with a Question in JSON is such a process, which prints Answers.

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


def ask_as(user, address, protocol, *questions):
    """The answer to each question, METHOD or METHOD@DATABASE, on one connection of a process of this user."""
    argument = json.dumps([list(user), address, protocol, questions])
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, __file__, argument], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=2 * LIMIT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [Answer(*answer) for answer in json.loads(done.stdout)]


def main():
    (uid, gid, groups), address, protocol, questions = json.loads(sys.argv[1])
    Channel(address).close()  # gRPC imports some of itself only now
    if uid != os.geteuid():
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
    named = [tuple((question + "@").split("@")[:2]) for question in questions]
    print(json.dumps(list(PROTOCOLS[protocol](address, named))))


if __name__ == "__main__":
    main()
