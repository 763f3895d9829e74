# SPDX-License-Identifier: Apache-2.0
"""The daemon's credentials are the only ones: the client has none. On Milvus with authentication."""
import os

import numpy
import pytest
from pymilvus.grpc_gen import milvus_pb2

import messages
from accounts import collections, grant, make_database, make_role, make_user, wait_until_allowed
from bouncer import configuration
from codes import PERMISSION_DENIED, UNAUTHENTICATED, UPSTREAM, is_own
from messages import checked
from servers import ROOT_CREDENTIAL

COLLECTIONS = milvus_pb2.ShowCollectionsRequest()
WRONG = "not-the-password"


@pytest.fixture
def start(start_bouncer, milvus):
    """start(settings): a daemon before Milvus with these settings of a credential."""

    def start_with(settings, **options):
        config = configuration({"uri": milvus.uri, **settings})
        return start_bouncer(config, milvus.network, **options)

    return start_with


def is_served(bouncer):
    with bouncer.plain() as client:
        checked(client.call("ShowCollections", COLLECTIONS))
        return True


def secret_file(tmp_path, text):
    file = tmp_path / "secret"
    file.write_text(text)
    return str(file)


def is_refused(bouncer):
    """With an answer that does not show the secret, and a log that names the credential but does not show it either."""
    with bouncer.plain() as client:
        error = client.fails("ShowCollections", COLLECTIONS)
    assert is_own(error, UNAUTHENTICATED, UPSTREAM), error
    assert WRONG not in error.message + bouncer.log_text()
    return True


def test_user_and_password_file(start, tmp_path):
    assert is_served(start({"user": "root", "password_file": secret_file(tmp_path, "Milvus\n")}))


def test_token_file(start, tmp_path):
    assert is_served(start({"token_file": secret_file(tmp_path, ROOT_CREDENTIAL + "\n")}))


def test_systemd_credential(start, tmp_path):
    secret_file(tmp_path, "Milvus")
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert is_served(start({"user": "root", "password_file": "secret"}, env=environment))


def test_wrong_password(start, tmp_path):
    bouncer = start({"user": "root", "password_file": secret_file(tmp_path, WRONG)})
    assert is_refused(bouncer)
    assert "root" in bouncer.log_text()


def test_wrong_token(start, tmp_path):
    file = secret_file(tmp_path, "root:" + WRONG)
    bouncer = start({"token_file": file})
    assert is_refused(bouncer)
    assert file in bouncer.log_text()


def test_missing_credential(start):
    assert is_refused(start({}))


def test_credential_corrected_while_the_daemon_runs(start, tmp_path):
    bouncer = start({"user": "root", "password_file": secret_file(tmp_path, WRONG)})
    assert is_refused(bouncer)
    secret_file(tmp_path, "Milvus")
    assert is_served(bouncer)


def test_password_changed_in_milvus_and_file(start, direct, tmp_path):
    make_user(direct, "carol", "first-password")
    bouncer = start({"user": "carol", "password_file": secret_file(tmp_path, "first-password")})
    assert is_served(bouncer)
    make_user(direct, "carol", "second-password")
    secret_file(tmp_path, "second-password")
    assert is_served(bouncer)


def test_role_that_may_not_insert(start, milvus, direct, name):
    checked(direct.call("CreateCollection", messages.create_collection(name, 2)))
    make_user(direct, "reader", "reader-password")
    make_role(direct, "reading", "reader")
    grant(direct, "reading", "Query")
    row = messages.insert(name, [1], numpy.array([[0.5, 0.5]]))
    with start(milvus.credential("reader", "reader-password")).plain() as client:
        checked(client.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name)))
        error = client.fails("Insert", row)
    assert error.code == PERMISSION_DENIED
    assert "PrivilegeInsert" in error.message and not error.message.startswith("milvus-bouncer:")
    with start(milvus.credential("root", "Milvus")).plain() as client:
        assert checked(client.call("Insert", row)).insert_cnt == 1


def test_two_databases_with_two_users(start_bouncer, milvus, direct, name):
    """Each user may make collections in its own database, and the daemon uses each for its database only."""
    users = {"alpha": "alice", "beta": "bob"}
    databases = {}
    for database, user in users.items():
        make_database(direct, database)
        make_user(direct, user, user + "-password")
        make_role(direct, user + "_role", user)
        grant(direct, user + "_role", "CreateCollection", "Global", database)
        databases[database] = {"upstream": "main", **milvus.credential(user, user + "-password")}
        itself = milvus.direct(database, f"{user}:{user}-password")
        wait_until_allowed(itself, "CreateCollection", messages.create_collection("first", 2))
        itself.close()
    swapped = {"alpha": databases["beta"], "beta": databases["alpha"]}
    right = start_bouncer(configuration({"uri": milvus.uri}, databases=databases), milvus.network)
    wrong = start_bouncer(configuration({"uri": milvus.uri}, databases=swapped), milvus.network)
    request = messages.create_collection(name, 2)
    with right.plain() as client, wrong.plain() as stranger:
        for database in users:
            assert stranger.fails("CreateCollection", request, database).code == PERMISSION_DENIED
            checked(client.call("CreateCollection", request, database))
            assert collections(direct, database) == {"first", name}
