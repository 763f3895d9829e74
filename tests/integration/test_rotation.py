# SPDX-License-Identifier: Apache-2.0
"""Credentials that are changed while the daemon runs: in Milvus, in the file, in both orders; and wrong ones."""
import base64
import os
import time

import grpc
import numpy
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from accounts import change_password, drop_user, make_administrator, make_user
from asking import Asking
from bouncer import configuration
from codes import PERMISSION_DENIED, UNAUTHENTICATED, UPSTREAM, is_own
from messages import checked
from mvb1 import RequestError
from waiting import eventually

COLLECTIONS = milvus_pb2.ShowCollectionsRequest()


def replace(file, secret):
    """As mv does."""
    fresh = file.with_suffix(".new")
    fresh.write_text(secret)
    fresh.rename(file)


# ---- on Milvus ----


@pytest.fixture
def collection(direct, name):
    """With a vector that can be found."""
    checked(direct.call("CreateCollection", messages.create_collection(name, 2)))
    checked(direct.call("Insert", messages.insert(name, [1], numpy.array([[0.5, 0.5]]))))
    checked(direct.call("CreateIndex", messages.create_index(name)))
    checked(direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=name, replica_number=1)))
    return name


@pytest.fixture
def user(name):
    return "user_" + name[:12]


@pytest.fixture
def start_as(start_bouncer, milvus, tmp_path):
    """start_as(user, password): a daemon before Milvus, and the file of its password."""

    def start(user, password, **databases):
        file = tmp_path / "password"
        file.write_text(password)
        upstream = {"uri": milvus.uri, "user": user, "password_file": str(file)}
        return start_bouncer(configuration(upstream, **databases), milvus.network), file

    return start


@pytest.mark.each_transport
def test_password_changed_under_load(start_as, direct, collection, user):
    """Milvus first, then the file, and the other way round: no search fails."""
    make_user(direct, user, "password-0")
    make_administrator(direct, user)
    bouncer, file = start_as(user, "password-0")
    search = messages.search(collection, [0.5, 0.5], 1)
    eventually(lambda: not bouncer_fails(bouncer, "Search", search), "the collection can be searched")
    with Asking(bouncer, "Search", search) as searching:
        for turn in range(1, 5):
            before, after = f"password-{turn - 1}", f"password-{turn}"
            searching.more(10)
            if turn % 2:
                change_password(direct, user, before, after)
                time.sleep(0.3)  # of searches that Milvus refuses
                replace(file, after)
            else:
                replace(file, after)
                eventually(lambda: bouncer.log_text().count("Milvus refuses what has been read again") == turn / 2, "tried")
                change_password(direct, user, before, after)
            searching.more(10)
    assert not searching.failures, searching.failures[:3]
    assert bouncer.log_text().count("the credential has been read again") == 4
    assert "password-" not in bouncer.log_text()


def bouncer_fails(bouncer, method, message):
    """Milvus tells its proxy of a right some time after it was given."""
    with bouncer.plain() as client:
        try:
            status = client.call(method, message).status
        except RequestError as error:
            assert error.code == PERMISSION_DENIED, error
            return True
        return status.code != 0 or status.error_code != 0


@pytest.mark.each_transport
def test_user_made_anew_under_load(start_as, direct, user):
    """Dropped, and made with another password: who asks in between waits."""
    make_user(direct, user, "first-password")
    bouncer, file = start_as(user, "first-password")
    with Asking(bouncer, "ShowCollections", COLLECTIONS) as asking:
        asking.more()
        drop_user(direct, user)
        time.sleep(0.3)  # of requests that Milvus refuses
        make_user(direct, user, "second-password")
        replace(file, "second-password")
        asking.more()
    assert not asking.failures, asking.failures[:3]


def test_user_that_is_gone_for_longer(start_as, direct, user):
    """Requests are refused after a while, soon without asking Milvus; once the user is there they are served."""
    make_user(direct, user, "the-password")
    bouncer, file = start_as(user, "the-password")
    with bouncer.plain() as client:
        checked(client.call("ShowCollections", COLLECTIONS))
        drop_user(direct, user)
        began = time.monotonic()
        error = client.fails("ShowCollections", COLLECTIONS)
        assert is_own(error, UNAUTHENTICATED, UPSTREAM), error
        assert 4 < time.monotonic() - began < 10
        for what in ("upstream main", f"user {user}", str(file)):
            assert what in error.message and what in bouncer.log_text()
        assert "the-password" not in error.message + bouncer.log_text()
        make_user(direct, user, "the-password")
        eventually(lambda: is_answered(client), "it is served again")


def is_answered(client):
    frame = client.reply(client.send("ShowCollections", COLLECTIONS))
    return frame.code == 0


# ---- on a fake, which sees each call ----


class Guarded:
    """A fake that takes these secrets, and notes what it was shown."""

    def __init__(self, fake, *right):
        self.fake = fake
        self.right = set(right)
        self.shown = []
        for method in ("Connect", "GetVersion", "ShowCollections"):
            fake.on(method, self.behave)

    def behave(self, call, context):
        secret = base64.b64decode(call.metadata.get("authorization", "")).decode()
        self.shown.append(secret)
        if secret not in self.right:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "invalid token")
        return b""


@pytest.fixture
def guarded(fake):
    return Guarded(fake, "old", "new")


@pytest.fixture
def start_with(start_bouncer, fake):
    def start(file, **options):
        return start_bouncer(configuration({**fake.upstream, "token_file": str(file)}), **options)

    return start


def rename(folder):
    replace(folder / "token", "new")


def overwrite(folder):
    """In place, and slowly."""
    with open(folder / "token", "w") as file:
        for piece in ("", "n", "e", "w"):
            file.write(piece)
            file.flush()
            time.sleep(0.4)  # longer than requests take, so that they meet it


def remake(folder):
    (folder / "token").unlink()
    time.sleep(0.4)
    (folder / "token").write_text("new")


def swap(folder):
    """As Kubernetes does: the file is a link into a folder that is a link, which is replaced."""
    (folder / "..2").mkdir()
    (folder / "..2/token").write_text("new")
    os.symlink("..2", folder / "..data_tmp")
    os.rename(folder / "..data_tmp", folder / "..data")


def make_plain(folder):
    (folder / "token").write_text("old")


def make_linked(folder):
    (folder / "..1").mkdir()
    (folder / "..1/token").write_text("old")
    os.symlink("..1", folder / "..data")
    os.symlink("..data/token", folder / "token")


@pytest.mark.parametrize(
    "make, change", [(make_plain, rename), (make_plain, overwrite), (make_plain, remake), (make_linked, swap)]
)
def test_file_changed_without_a_refusal(start_with, guarded, tmp_path, make, change):
    """Milvus takes both: the new one is used from the next second on, on the same connections, and no request fails."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    make(folder)
    bouncer = start_with(folder / "token")
    with Asking(bouncer, "ShowCollections", COLLECTIONS) as asking:
        asking.more()
        connections = {call.connection for call in guarded.fake.asked("ShowCollections")}
        change(folder)
        eventually(lambda: guarded.shown[-1] == "new", "the new one is used")
        asking.more()
    assert not asking.failures, asking.failures[:3]
    assert {call.connection for call in guarded.fake.asked("ShowCollections")} == connections
    assert "" not in guarded.shown
    assert guarded.shown[-10:] == ["new"] * 10


def test_hangup_reads_it_at_once(start_with, guarded, tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    bouncer = start_with(file)
    with bouncer.plain() as client:
        for secret in ("new", "old", "new"):
            replace(file, secret)
            bouncer.reload()
            client.call("ShowCollections", COLLECTIONS)
            assert guarded.shown[-1] == secret


def test_wrong_secret_is_not_hammered(start_with, guarded, tmp_path):
    """Of very many requests few are seen by Milvus, and no client waits for its answer."""
    file = tmp_path / "token"
    file.write_text("wrong")
    bouncer = start_with(file)
    with bouncer.plain() as client:
        error = client.fails("ShowCollections", COLLECTIONS)
        assert is_own(error, UNAUTHENTICATED, UPSTREAM), error
        began, asked = time.monotonic(), 0
        while time.monotonic() < began + 3:
            error = client.fails("ShowCollections", COLLECTIONS)
            asked += 1
        assert asked > 1000
        assert error.message.startswith("milvus-bouncer: database default: upstream: upstream main refuses")
        assert f"token in {file}" in error.message and "invalid token" in error.message
        # Each connection of a pool asks who is there; then after 0.1, 0.3, 0.7, 1.5, 3.1 s, a quarter more or less
        assert len(guarded.shown) <= 12, guarded.shown
        assert bouncer.log_text().count("Milvus refuses the credential") == 1
        replace(file, "new")
        assert is_answered(client), "another file is read at once"
