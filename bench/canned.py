# SPDX-License-Identifier: Apache-2.0
"""An upstream that does nothing but answer, and what it is asked."""
import struct

from processes import Process, free_port
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

NAME = "bench"
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
}

REPLIES = {
    "Search": result_of(200),
    "Insert": result_of(200),
    "Query": result_of(LARGE_REPLY),
    "Connect": milvus_pb2.ConnectResponse(status=SUCCESS, server_info=common_pb2.ServerInfo(build_tags="2.3.5")),
    "GetVersion": milvus_pb2.GetVersionResponse(status=SUCCESS, version="2.3.5"),
    "DescribeCollection": milvus_pb2.DescribeCollectionResponse(
        status=SUCCESS, schema=schema_pb2.CollectionSchema(name=NAME), collectionID=1, collection_name=NAME
    ),
}


def write_requests(folder):
    """A file for each method, as the load generator reads it."""
    folder.mkdir()
    for method, message in REQUESTS.items():
        (folder / method).write_bytes(message.SerializeToString())


def start(directory):
    """nghttpd, and its port; its windows do not keep large requests waiting."""
    folder = directory / SERVICE
    folder.mkdir(parents=True)
    for method, message in REPLIES.items():
        body = message.SerializeToString()
        (folder / method).write_bytes(struct.pack(">BI", 0, len(body)) + body)
    port = free_port()
    command = ["nghttpd", "-d", directory, "--no-tls", "--trailer", "grpc-status: 0", "-w", 24, "-W", 24]
    return Process([*command, "-a", "127.0.0.1", port], directory / "nghttpd.log"), port
