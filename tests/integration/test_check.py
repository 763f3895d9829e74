# SPDX-License-Identifier: Apache-2.0
"""`milvus-bouncer check`: every fault at once, with its place and what would be right; --connect tries upstreams."""
import re

import pytest

from bouncer import configuration, run, yaml
from processes import free_port

GOOD = """\
listen:
  - address: unix:/run/milvus-bouncer/milvus.sock
    mode: "0660"
  - address: "[::1]:19530"
    database: analytics
upstreams:
  main:
    uri: https://milvus.example.com:19530
    token_file: app.token
    tls: {server_name: milvus.example.com}
    connect_timeout: 10s
    keepalive: 30s
databases:
  analytics:
    upstream: main
    name: analytics_v2
    pool_size: 2
    max_in_flight: 256
    queue_size: 1024
    queue_timeout: 500ms
    timeouts: {default: 30s, Search: 2s, Insert: 1m}
    max_timeout: 1h
  "*": {upstream: main}
schema_cache: {ttl: 60s, max_entries: 4096}
limits: {max_clients: 10000, max_message: 64MiB}
log: {level: info, format: text}
"""


@pytest.fixture
def check(tmp_path):
    """check(text, *arguments): the command on a file with this text."""
    file = tmp_path / "bouncer.yaml"
    (tmp_path / "app.token").write_text("token")

    def check_text(text, *arguments):
        file.write_text(text)
        done = run("check", "-c", file, *arguments)
        done.output = (done.stdout + done.stderr).replace(str(file), "FILE")
        return done

    return check_text


def test_all_is_well(check):
    done = check(GOOD)
    assert done.returncode == 0, done.output


def place_of(text, wrong):
    """LINE:COLUMN of a word in a text."""
    before = text[: text.index(wrong)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    "right, wrong, marked, told",
    [
        ("pool_size: 2", "pool_siz: 2", "pool_siz", "pool_size"),
        ("pool_size: 2", "pool_size: two", "two", "1"),
        ("pool_size: 2", "pool_size: 0", "0\n    max_in", "1"),
        ("connect_timeout: 10s", "connect_timeout: 10", "10\n    keep", "ms"),
        ("max_message: 64MiB", "max_message: 64MB", "64MB", "MiB"),
        ("https://milvus", "tcp://milvus", "tcp:", "https://"),
        ("level: info", "level: inof", "inof", "info"),
        ("upstream: main\n    name", "upstream: mian\n    name", "mian", "main"),
        ("token_file: app.token", "token_file: missing.token", "missing.token", "missing.token"),
        ("token_file: app.token", "token: hush-hush", "token: hush", "token_file"),
        ("queue_size: 1024", "pool_size: 1024", "pool_size: 1024", "pool_size"),
        ('mode: "0660"', 'mode: "0999"', '"0999"', "octal"),
        ("name: analytics_v2", "name: grün", "grün", "ASCII"),
        ("  analytics:\n", "  ana lytics:\n", "ana lytics:", "ASCII"),
        ("    database: analytics\nup", "    database: [a]\nup", "[a]", "one value"),
        ("unix:/run/milvus-bouncer/milvus.sock", "unix:milvus.sock", "unix:milvus.sock", "unix:/"),
    ],
)
def test_fault(check, right, wrong, marked, told):
    assert right in GOOD
    text = GOOD.replace(right, wrong)
    done = check(text)
    assert done.returncode == 1
    lines = [line for line in done.output.splitlines() if line.startswith("FILE:" + place_of(text, marked) + ":")]
    assert lines, done.output
    assert told in lines[0]
    assert "hush-hush" not in done.output


def test_all_faults_at_once(check):
    text = GOOD.replace("pool_size: 2", "pool_siz: 2").replace("level: info", "level: inof").replace("10s", "ten")
    done = check(text)
    assert done.returncode == 1
    places = set(re.findall(r"^FILE:\d+:\d+: ", done.output, re.MULTILINE))
    assert len(places) == 3, done.output


@pytest.mark.parametrize("section", ["admin: {address: unix:/run/admin.sock}", "metrics: {address: 127.0.0.1:9464}"])
def test_key_of_a_later_version(check, section):
    done = check(GOOD + section + "\n")
    assert done.returncode == 1
    assert section.split(":")[0] in done.output


@pytest.mark.parametrize("text", ["", "upstreams: [", "a: &x b\nc: *y\n", "- list\n", "\t"])
def test_text_that_is_no_configuration(check, text):
    done = check(text)
    assert done.returncode == 1
    assert re.search(r"FILE:\d+:\d+: .+", done.output), done.output


def test_file_that_is_not_there(tmp_path):
    done = run("check", "-c", tmp_path / "missing.yaml")
    assert done.returncode == 1
    assert "missing.yaml" in done.stderr


def check_connect(tmp_path, config, network=None):
    file = tmp_path / "connect.yaml"
    file.write_text(yaml(config))
    return run("check", "-c", file, "--connect", network=network)


def test_connect(tmp_path, each_milvus):
    done = check_connect(tmp_path, configuration(each_milvus.upstream), each_milvus.network)
    assert done.returncode == 0, done.stderr


def test_connect_with_a_wrong_credential(tmp_path, milvus):
    wrong = {"uri": milvus.uri, **milvus.credential("nobody", "wrong-password")}
    done = check_connect(tmp_path, configuration(wrong), milvus.network)
    assert done.returncode == 1
    output = done.stdout + done.stderr
    assert "upstream main, database *: Milvus refuses the credential, user nobody (password in " in done.stderr
    assert "wrong-password" not in output


def test_connect_tries_the_upstream_of_any_other_name(tmp_path, lite):
    """Also where "default" is an entry of its own."""
    config = configuration(lite.upstream)
    config["upstreams"]["away"] = {"uri": f"http://127.0.0.1:{free_port()}", "connect_timeout": "100ms"}
    config["databases"] = {"default": {"upstream": "main"}, "*": {"upstream": "away"}}
    done = check_connect(tmp_path, config)
    assert done.returncode == 1
    assert "database *: upstream away" in done.stderr


def test_connect_with_an_authority_that_is_none(tmp_path):
    file = tmp_path / "junk.pem"
    file.write_text("junk")
    done = check_connect(tmp_path, configuration({"uri": "https://127.0.0.1:1", "tls": {"ca_file": str(file)}}))
    assert done.returncode == 1
    assert "junk.pem: no certificates in PEM" in done.stderr


def test_connect_to_nobody(tmp_path):
    upstream = {"uri": f"http://127.0.0.1:{free_port()}", "connect_timeout": "1s"}
    done = check_connect(tmp_path, configuration(upstream))
    assert done.returncode == 1
    assert "main" in done.stdout + done.stderr
