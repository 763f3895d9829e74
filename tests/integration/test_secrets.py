# SPDX-License-Identifier: Apache-2.0
"""A scan for every secret of a run, on Milvus with mutual TLS: what people are told, and what is in memory.

docs/security.md, "What stays in memory", says for people what the last tests here assert.
"""
import base64
import os
import secrets
from pathlib import Path

import pytest
from pymilvus.grpc_gen import milvus_pb2

from bouncer import IS_SANITIZED, configuration, run
from certificates import SERVER_NAME
from codes import OK, UNAUTHENTICATED
from h2 import H2
from inspected import find_in_memory
from messages import checked
from test_tokens import encoded, make_line
from waiting import eventually

pytestmark = [
    pytest.mark.each_transport,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can look into the daemon"),
]

USER = "scanned"
COLLECTIONS = milvus_pb2.ShowCollectionsRequest()


class Secrets:
    """Each is one of this run alone."""

    def __init__(self):
        self.password, self.wrong_password, self.token, self.wrong_token, self.misplaced = (
            f"{kind}-{secrets.token_hex(12)}" for kind in ("Pw", "wrongpw", "tok", "wrongtok", "misplaced")
        )
        self.upstream = [f"{USER}:{self.password}", f"{USER}:{self.wrong_password}"]  # as Milvus is shown them
        self.shown = [f"reader:{self.token}", f"reader:{self.wrong_token}", f"stranger:{self.wrong_token}"]

    def plain(self):
        return [self.password, self.wrong_password, self.token, self.wrong_token]

    def every_form(self):
        return self.plain() + [self.misplaced] + [encoded(text) for text in self.upstream + self.shown + self.plain()]


class Scanned:
    """The daemon, what has been said to people, and the files of its secrets."""

    def __init__(self, start_bouncer, milvus, authority, folder, used):
        certificate, key = authority.issue("client")
        self.used = used
        self.key = key.read_text()
        self.folder = folder
        tls = {"ca_file": str(authority.certificate), "server_name": SERVER_NAME, "cert_file": str(certificate),
               "key_file": str(key)}  # fmt: skip
        upstream = {"uri": milvus.uri, "tls": tls}
        self.make_user(start_bouncer, milvus, upstream)
        right = {**upstream, "user": USER, "password_file": self.put("password", used.password)}
        wrong = {**upstream, "token_file": self.put("token", f"{USER}:{used.wrong_password}")}
        self.config = configuration(
            upstream,
            upstreams={"main": right, "wrong": wrong},
            databases={"default": {"upstream": "main"}, "wrong": {"upstream": "wrong"}},
            access=[{"match": {"token": "reader"}, "allow": "read"}],
            tokens_file=self.put("tokens", make_line("reader", used.token)),
            log={"level": "debug"},
        )
        self.network = milvus.network
        self.bouncer = start_bouncer(self.config, milvus.network, wait=False)
        eventually(self.bouncer.path.is_socket, "it listens")
        self.said = []

    def put(self, name, text):
        file = self.folder / name
        file.write_text(text + "\n")
        return str(file)

    def make_user(self, start_bouncer, milvus, upstream):
        bouncer = start_bouncer(configuration({**milvus.upstream, **upstream}), milvus.network)
        password = base64.b64encode(self.used.password.encode()).decode()
        with bouncer.plain() as client:
            client.call("DeleteCredential", milvus_pb2.DeleteCredentialRequest(username=USER))
            made = milvus_pb2.CreateCredentialRequest(username=USER, password=password)
            checked(client.call("CreateCredential", made))
        bouncer.stop()

    def ask(self, authorization, database="default"):
        """By frames that are compressed, and by gRPC's own library, whose are not."""
        metadata = [("authorization", authorization), ("dbname", database)]
        with H2(self.bouncer.address) as client:
            reply = client.call("ShowCollections", COLLECTIONS.SerializeToString(), *metadata)
            self.said.append("".join(reply.values("grpc-message")))
        with self.bouncer.channel() as channel:
            call = channel.start("ShowCollections", COLLECTIONS, metadata)
            code = call.code().value[0]
            self.said.append(str(call.exception()))
        assert code == reply.code
        return code

    def do_right_and_wrong(self):
        """All that may come to speak of a secret."""
        for token, code in zip(self.used.shown, (OK, UNAUTHENTICATED, UNAUTHENTICATED)):
            assert self.ask(encoded(token)) == self.ask("Basic " + encoded(token)) == code
            assert self.ask("Bearer " + token) == code
        assert self.ask(encoded(self.used.shown[0]), "wrong") == UNAUTHENTICATED
        checked_by = run("check", "-c", self.bouncer.file, "--connect", network=self.network)
        assert checked_by.returncode == 1 and "wrong" in checked_by.stderr
        self.said.append(checked_by.stdout + checked_by.stderr)

    def misplace(self):
        """A secret stands in the configuration, and secrets' files are wrong."""
        for key in ("password", "token", "user"):
            upstreams = {**self.config["upstreams"], "wrong": {**self.config["upstreams"]["wrong"], key: self.used.misplaced}}
            assert "nothing has changed" in self.bouncer.reload({**self.config, "upstreams": upstreams})
            self.said.append(run("check", "-c", self.bouncer.file).stderr)
        self.put("tokens", f"reader:{self.used.misplaced}")
        self.put("token", f"{self.used.misplaced}\n{self.used.misplaced}")
        assert "tokens stay what they were" in self.bouncer.reload(self.config)
        self.ask(encoded(self.used.shown[0]), "wrong")
        self.said.append(run("check", "-c", self.bouncer.file).stderr)

    def in_memory(self, texts):
        """{text: regions}, of those that are somewhere."""
        found = find_in_memory(self.bouncer.pid, [text.encode() for text in texts])
        return {text.decode(): regions for text, regions in found.items()}


@pytest.fixture
def scanned(start_bouncer, two_way_tls, authority, tmp_path):
    return Scanned(start_bouncer, two_way_tls, authority, tmp_path, Secrets())


def test_nothing_is_told(scanned):
    """In the log, to clients, by commands, and by what proc(5) shows of the process."""
    scanned.do_right_and_wrong()
    scanned.misplace()
    process = Path(f"/proc/{scanned.bouncer.pid}")
    told = [scanned.bouncer.log_text(), *scanned.said]
    told += [(process / file).read_text(errors="replace") for file in ("cmdline", "environ", "comm")]
    for secret in scanned.used.every_form() + key_lines(scanned.key):
        assert not any(secret in text for text in told), [text for text in told if secret in text]
    assert "wrong secret was shown for token reader" in scanned.bouncer.log_text()


def key_lines(pem):
    return [line for line in pem.splitlines() if line and not line.startswith("-----")]


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer keeps what is freed")
def test_what_is_in_memory(scanned, transport):
    scanned.do_right_and_wrong()
    used = scanned.used
    values = [encoded(text) for text in used.upstream]  # of the daemon's own
    gone = used.plain() + used.shown + [encoded(text) for text in used.shown]
    eventually(lambda: scanned.bouncer.count_clients() == 0, "clients are gone, and with them what they have shown")
    assert not scanned.in_memory(gone)
    found = scanned.in_memory(values)
    assert set(found) == set(values)
    for regions in found.values():
        assert any(region.is_for_secrets for region in regions)
        elsewhere = [region for region in regions if not region.is_for_secrets]
        assert transport == "grpc" or not elsewhere
