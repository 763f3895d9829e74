# SPDX-License-Identifier: Apache-2.0
"""Clients that others wrote: h2spec, grpcurl and ghz, as scripts/tools.sh builds them."""
import json
import subprocess
import xml.etree.ElementTree as ET

import grpc
import pytest
from google.protobuf import descriptor_pb2
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from fake import VERSION, fail
from mvb1 import SERVICE
from servers import CACHE

TOOLS = CACHE / "tools"
H2SPEC_COUNT = {"normal": 145, "strict": 146}
CALLS = 3000
SERVICE_NAME = SERVICE.full_name

CLOSED_STREAMS = (
    'RFC 9113 5.1, closed: "An endpoint MUST minimally process and then discard any frames it receives in this '
    'state" (of streams that it has reset); "An endpoint can perform this minimal processing for all streams that '
    'are in the "closed" state." h2spec wants the connection error of RFC 7540, which takes a memory of such streams.'
)

# What h2spec, written for RFC 7540, expects and the daemon does not do, by section and title.
EXCEPTIONS = {
    ("http2/3.5", "Sends invalid connection preface"): (
        'RFC 9113 3.4: "A GOAWAY frame (Section 6.8) MAY be omitted in this case, since an invalid preface indicates '
        'that the peer is not using HTTP/2." The connection is closed; before that its client is told why in the '
        "plain protocol, whose frame h2spec takes for half a frame of HTTP/2."
    ),
    ("http2/5.1", "closed: Sends a DATA frame after sending RST_STREAM frame"): CLOSED_STREAMS,
    ("http2/5.1", "closed: Sends a HEADERS frame after sending RST_STREAM frame"): CLOSED_STREAMS,
    ("http2/5.1", "closed: Sends a DATA frame"): CLOSED_STREAMS,
    ("http2/5.1", "closed: Sends a HEADERS frame"): CLOSED_STREAMS,
    ("http2/5.1.1", "Sends stream identifier that is numerically smaller than previous"): (
        'RFC 9113 5.1.1: "The first use of a new stream identifier implicitly closes all streams in the "idle" state '
        'that might have been initiated by that peer with a lower-valued stream identifier." It is a frame on a closed '
        "stream, then, and discarded as such (5.1, as above). nghttpd does the same."
    ),
    ("http2/5.3.1", "Sends PRIORITY frame that depend on itself"): (
        'RFC 9113 5.3.2: "This update to HTTP/2 deprecates the priority signaling defined in RFC 7540"; the rule on '
        "streams that depend on themselves went with it. The daemon's SETTINGS say that it ignores priorities "
        "(RFC 9218 2.1)."
    ),
}


# The daemon answers what is no gRPC so soon that the stream may be closed already when this frame comes.
RACES = {
    ("http2/5.1", "half closed (remote): Sends a DATA frame"),
    ("http2/5.1", "half closed (remote): Sends a HEADERS frame"),
    ("http2/6.1", 'Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state'),
}


def program(name):
    path = TOOLS / name
    assert path.exists(), f"{path} is missing: scripts/tools.sh builds it"
    return path


def run(name, *arguments):
    return subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True, timeout=120)


@pytest.fixture
def bouncer(start_bouncer, fake):
    return start_bouncer(configuration(fake.upstream), tcp=True)


@pytest.fixture(scope="session")
def protoset(tmp_path_factory):
    """The messages and methods of Milvus, as these tools read them."""
    files = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(descriptor):
        if descriptor.name not in seen:
            seen.add(descriptor.name)
            for needed in descriptor.dependencies:
                add(needed)
            descriptor.CopyToProto(files.file.add())

    add(milvus_pb2.DESCRIPTOR)
    path = tmp_path_factory.mktemp("protoset") / "milvus.protoset"
    path.write_bytes(files.SerializeToString())
    return path


class H2spec:
    """One run of it, which has begun."""

    def __init__(self, bouncer, directory, mode):
        self.report = directory / f"{mode}.xml"
        port = bouncer.tcp_address.rsplit(":", 1)[1]
        command = [program("h2spec"), "--port", port, "--timeout", "2", "--junit-report", self.report]
        strict = ["--strict"] * (mode == "strict")
        self.process = subprocess.Popen([*command, *strict], stdout=subprocess.PIPE, text=True)

    def ended(self):
        """Its cases, as they stand in the report, and what it printed of those that failed."""
        output, _ = self.process.communicate(timeout=120)
        return ET.parse(self.report).findall(".//testcase"), output.partition("Failures:")[2]


def test_h2spec(bouncer, tmp_path):
    runs = {mode: H2spec(bouncer, tmp_path, mode) for mode in H2SPEC_COUNT}
    for mode, run_of_mode in runs.items():
        cases, output = run_of_mode.ended()
        assert len(cases) == H2SPEC_COUNT[mode]
        failed = {(case.get("package"), case.get("classname")) for case in cases if case.find("error") is not None}
        assert failed - RACES == set(EXCEPTIONS), output
        assert not [case.get("classname") for case in cases if case.find("skipped") is not None]


def grpcurl(bouncer, protoset, is_unix, method, message=None, *arguments):
    where = ["-unix", bouncer.path] if is_unix else [bouncer.tcp_address]
    data = ["-d", json.dumps(message or {})]
    return run("grpcurl", "-plaintext", "-protoset", protoset, *data, *arguments, *where, f"{SERVICE_NAME}/{method}")


@pytest.mark.parametrize("is_unix", [False, True])
def test_grpcurl(bouncer, fake, protoset, is_unix):
    done = grpcurl(bouncer, protoset, is_unix, "GetVersion")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == VERSION
    message = {"collection_name": "books"}
    done = grpcurl(bouncer, protoset, is_unix, "Search", message, "-H", "dbname: one", "-max-time", 10)
    assert done.returncode == 0, done.stderr
    call = fake.wait_for("Search")
    assert call.message().collection_name == "books"
    assert call.metadata["dbname"] == "one"
    assert call.time_remaining <= 10.1


def test_grpcurl_of_a_failure(bouncer, fake, protoset):
    fake.on("Search", fail(grpc.StatusCode.NOT_FOUND, "no such: käse"))
    done = grpcurl(bouncer, protoset, True, "Search")
    assert done.returncode == 64 + 5
    assert "NotFound" in done.stderr and "no such: käse" in done.stderr


@pytest.mark.parametrize("is_unix", [False, True])
def test_ghz(bouncer, fake, protoset, is_unix):
    """Thousands of calls over a few connections, without an error."""
    where = bouncer.address if is_unix else bouncer.tcp_address
    done = run(
        "ghz", "--insecure", "--protoset", protoset, "--call", f"{SERVICE_NAME}.GetVersion", "--format", "json",
        "--total", CALLS, "--concurrency", 50, "--connections", 5, where,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["statusCodeDistribution"] == {"OK": CALLS}
    assert not report["errorDistribution"]


@pytest.mark.parametrize("is_unix", [False, True])
def test_ghz_upstream(bouncer, fake, protoset, is_unix):
    """The same with calls that go to the upstream, each with a message of its own."""
    where = bouncer.address if is_unix else bouncer.tcp_address
    data = json.dumps({"collection_name": "c{{.RequestNumber}}"})
    done = run(
        "ghz", "--insecure", "--protoset", protoset, "--call", f"{SERVICE_NAME}.HasCollection", "--format", "json",
        "--data", data, "--total", CALLS, "--concurrency", 50, "--connections", 5, where,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCodeDistribution"] == {"OK": CALLS}
    asked = [call.message().collection_name for call in fake.asked("HasCollection")]
    assert sorted(asked) == sorted(f"c{number}" for number in range(CALLS))
