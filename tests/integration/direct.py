# SPDX-License-Identifier: Apache-2.0
"""Milvus asked directly, past the daemon."""
import base64

import grpc
from pymilvus.grpc_gen import milvus_pb2_grpc

from fake import PREFIX
from waiting import LIMIT


class Direct:
    """target: 127.0.0.1:port or unix:/path; credential: user:password."""

    def __init__(self, target, credential=None, database=None):
        self.channel = grpc.insecure_channel(target, options=[("grpc.max_receive_message_length", -1)])
        self.stub = milvus_pb2_grpc.MilvusServiceStub(self.channel)
        self.metadata = []
        if credential:
            self.metadata.append(("authorization", base64.b64encode(credential.encode()).decode()))
        if database:
            self.metadata.append(("dbname", database))

    def call(self, method, message):
        return getattr(self.stub, method)(message, metadata=self.metadata, timeout=LIMIT)

    def call_bytes(self, method, data):
        """The same in bytes, both ways."""
        return self.channel.unary_unary(PREFIX + method)(data, metadata=self.metadata, timeout=LIMIT)

    def close(self):
        self.channel.close()
