# SPDX-License-Identifier: Apache-2.0
"""A fake of Milvus that does as it is told and remembers what it was asked; and upstreams that are worse."""
import socket
import threading
import time
from concurrent import futures

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from mvb1 import SERVICE
from waiting import LIMIT, eventually

PREFIX = f"/{SERVICE.full_name}/"
VERSION = "v9.9.9-fake"
SUCCESS = common_pb2.Status()


class Call:
    """One call as it arrived; `ended` is set when it is over, whoever ended it."""

    def __init__(self, method, request, context):
        self.method = method.removeprefix(PREFIX)
        self.request = request
        self.pairs = [tuple(pair) for pair in context.invocation_metadata()]
        self.metadata = dict(self.pairs)
        self.time_remaining = context.time_remaining()
        self.connection = context.peer()  # another one for each connection
        self.ended = threading.Event()
        self.answered = False
        if not context.add_callback(self.ended.set):
            self.ended.set()

    def message(self):
        return milvus_message(SERVICE.methods_by_name[self.method].input_type, self.request)

    def values(self, name):
        """Of a name in the metadata, in order."""
        return [value for key, value in self.pairs if key == name]

    def was_cancelled(self):
        return self.ended.is_set() and not self.answered


def milvus_message(descriptor, data):
    return getattr(milvus_pb2, descriptor.name).FromString(data)


# What a fake does with a call: a behaviour takes (call, context) and returns the reply.


def answer(message):
    return lambda call, context: message.SerializeToString()


def fail(code, text):
    return lambda call, context: context.abort(code, text)


def with_metadata(behaviour, initial=(), trailing=()):
    """The same, with metadata of the server's own."""

    def behave(call, context):
        if initial:
            context.send_initial_metadata(initial)
        context.set_trailing_metadata(trailing)
        return behaviour(call, context)

    return behave


def hang(call, context):
    """Until the client gives up."""
    call.ended.wait(LIMIT)
    return b""


def late(seconds, message):
    """Answers even when nobody waits any more."""

    def behave(call, context):
        time.sleep(seconds)
        return message.SerializeToString()

    return behave


class Gate:
    """A behaviour that holds calls until it is opened."""

    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.is_open = threading.Event()

    def open(self):
        self.is_open.set()

    def __call__(self, call, context):
        self.is_open.wait(LIMIT)
        return self.behaviour(call, context)


class Fake(grpc.GenericRpcHandler):
    """Methods it was told nothing about get an empty reply: success."""

    network = None

    def __init__(self, port=0, host="127.0.0.1"):
        self.lock = threading.Lock()
        self.calls = []
        self.under_way = 0
        self.peak = 0  # of calls under way at once, but for those of the daemon itself
        self.behaviours = {
            "GetVersion": answer(milvus_pb2.GetVersionResponse(status=SUCCESS, version=VERSION)),
        }
        self.server = grpc.server(
            futures.ThreadPoolExecutor(128),
            handlers=[self],
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.absolute_max_metadata_size", 1 << 20),
                ("grpc.max_metadata_size", 1 << 20),
                ("grpc.so_reuseport", 0),
                ("grpc.server.max_pending_requests", 1 << 20),  # else some are refused at random when many wait
                ("grpc.server.max_pending_requests_hard_limit", 1 << 20),
            ],
        )
        self.port = self.server.add_insecure_port(f"{host}:{port}")
        self.uri = f"http://{host}:{self.port}"
        self.upstream = {"uri": self.uri}
        self.server.start()

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self.serve(Call(details.method, request, context), context)
        )

    def serve(self, call, context):
        own = call.method in ("Connect", "GetVersion")
        with self.lock:
            self.calls.append(call)
            self.under_way += not own
            self.peak = max(self.peak, self.under_way)
        try:
            behave = self.behaviours.get(call.method, lambda *_: b"")
            reply = behave(call, context)
            call.answered = not call.ended.is_set()
            return reply
        finally:
            with self.lock:
                self.under_way -= not own

    def on(self, method, behaviour):
        self.behaviours[method] = behaviour

    def asked(self, method):
        """The calls of a method so far."""
        with self.lock:
            return [call for call in self.calls if call.method == method]

    def count(self, method):
        return len(self.asked(method))

    def wait_for(self, method, count=1):
        """Until it was asked that often; returns the last of these calls."""
        eventually(lambda: self.count(method) >= count, f"{count} calls of {method} at the fake")
        return self.asked(method)[count - 1]

    def stop(self):
        """Abruptly: calls under way are cut."""
        self.server.stop(None).wait()


class BlackHole:
    """Accepts connections and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.upstream = {"uri": f"http://127.0.0.1:{self.socket.getsockname()[1]}"}

    def stop(self):
        self.socket.close()
