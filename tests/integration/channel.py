# SPDX-License-Identifier: Apache-2.0
"""A client by gRPC's own library, as the SDKs are, with a connection of its own."""
import grpc

from codes import PHASE_NAMES
from fake import PREFIX
from mvb1 import reply_message
from waiting import LIMIT

OPTIONS = {
    "grpc.use_local_subchannel_pool": 1,  # else channels of one process share connections
    "grpc.max_receive_message_length": -1,
    "grpc.enable_http_proxy": 0,
}


def own_text(phase, database="default"):
    """What an error of the daemon's own begins with."""
    return f"milvus-bouncer: database {database}: {PHASE_NAMES[phase]}: "


class Channel:
    """options: more of the library's own."""

    def __init__(self, address, options=None, compression=None):
        every = {**OPTIONS, **(options or {})}
        self.channel = grpc.insecure_channel(address, options=list(every.items()), compression=compression)

    def start(self, method, message, metadata=(), timeout=LIMIT, **options):
        """A future of the reply in bytes; message: of protobuf or in bytes."""
        path = method if method.startswith("/") else PREFIX + method
        data = message if isinstance(message, bytes) else message.SerializeToString()
        return self.channel.unary_unary(path).future(data, metadata=metadata, timeout=timeout, **options)

    def call(self, method, message, metadata=(), timeout=LIMIT, **options):
        return reply_message(method, self.start(method, message, metadata, timeout, **options).result())

    def fails(self, method, message, metadata=(), timeout=LIMIT, **options):
        """The RpcError that a call ends with."""
        try:
            reply = self.start(method, message, metadata, timeout, **options).result()
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{method} was answered: {reply}")

    def stream(self, method, messages, metadata=(), timeout=LIMIT, **options):
        """Sends the messages of an iterable, and is one of the replies; all in bytes."""
        path = method if method.startswith("/") else PREFIX + method
        return self.channel.stream_stream(path)(iter(messages), metadata=metadata, timeout=timeout, **options)

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
