# SPDX-License-Identifier: Apache-2.0
"""An upstream that does nothing but answer, and what it is asked."""
import socket
import struct

from certificates import SERVER_NAME
from processes import Process, free_port
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2
from waiting import eventually

NAME = "bench"
CREDENTIAL = "bench:secret"  # what is injected
SERVICE = "milvus.proto.milvus.MilvusService"
SUCCESS = common_pb2.Status()
SMALL, LARGE_REQUEST, LARGE_REPLY = 512, 512 << 10, 1 << 20  # bytes


def search_of(size):
    return milvus_pb2.SearchRequest(collection_name=NAME, placeholder_group=bytes(size))


def result_of(size):
    return milvus_pb2.SearchResults(status=SUCCESS, collection_name="x" * size)


REQUESTS = {
    "Search": search_of(SMALL),
    "Insert": search_of(LARGE_REQUEST),
    "Query": search_of(SMALL),
    "Connect": milvus_pb2.ConnectRequest(client_info=common_pb2.ClientInfo(sdk_type="bench")),
    "DescribeCollection": milvus_pb2.DescribeCollectionRequest(collection_name=NAME),
    "HasCollection": milvus_pb2.HasCollectionRequest(collection_name=NAME),
}

REPLIES = {
    "Search": result_of(200),
    "Insert": result_of(200),
    "Query": result_of(LARGE_REPLY),
    "Connect": milvus_pb2.ConnectResponse(status=SUCCESS, server_info=common_pb2.ServerInfo(build_tags="2.3.5")),
    "GetVersion": milvus_pb2.GetVersionResponse(status=SUCCESS, version="2.3.5"),
    "HasCollection": milvus_pb2.BoolResponse(status=SUCCESS, value=True),
    "DescribeCollection": milvus_pb2.DescribeCollectionResponse(
        status=SUCCESS, schema=schema_pb2.CollectionSchema(name=NAME), collectionID=1, collection_name=NAME
    ),
}


def write_replies(folder):
    """A file for each method, as gRPC frames it."""
    folder.mkdir(parents=True)
    for method, message in REPLIES.items():
        body = message.SerializeToString()
        (folder / method).write_bytes(struct.pack(">BI", 0, len(body)) + body)


def write_requests(folder):
    """A file for each method, as the load generator reads it."""
    folder.mkdir()
    for method, message in REQUESTS.items():
        (folder / method).write_bytes(message.SerializeToString())


class Upstream:
    """nghttpd, which answers as if it were Milvus. Neither its windows nor its streams keep anybody waiting."""

    def __init__(self, directory, authority=None):
        """authority: issues its certificate; without it: no TLS."""
        directory.mkdir()
        write_replies(directory / "replies" / SERVICE)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.authority = authority.certificate if authority else None
        certificate, key = authority.issue("server", f"DNS:{SERVER_NAME}") if authority else (None, None)
        self.process = Process(
            ["nghttpd", "-d", directory / "replies", "--trailer", "grpc-status: 0",
             "-w", 24, "-W", 24, "-m", 10000, "-a", "127.0.0.1", *([] if authority else ["--no-tls"]),
             self.port, *([key, certificate] if authority else [])],
            directory / "nghttpd.log",
        )  # fmt: skip

    def wait_ready(self):
        eventually(self.accepts, "nghttpd accepts connections")
        return self

    def accepts(self):
        assert self.process.is_alive(), self.process.log_text()
        with socket.create_connection(("127.0.0.1", self.port)):
            return True

    def stop(self):
        self.process.kill()
