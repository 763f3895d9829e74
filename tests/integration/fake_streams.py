# SPDX-License-Identifier: Apache-2.0
"""A fake of Milvus with streaming methods, which counts the messages that pass."""
import grpc

from fake import PREFIX, Call, Fake
from waiting import LIMIT


class StreamCall(Call):
    """A stream as it goes on; a behaviour takes its messages from `requests`."""

    def __init__(self, method, requests, context):
        super().__init__(method, None, context)
        self.received = []
        self.sent = 0
        self.requests = self.recorded(requests)

    def recorded(self, requests):
        for message in requests:
            self.received.append(message)
            yield message


# What a fake does with a stream: a behaviour takes (call, context) and yields the replies.


def echo(call, context):
    yield from call.requests


def echo_until_cancelled(call, context):
    """gRPC's library shows a cancel as the end of the requests at first, hence the waiting."""
    yield from call.requests
    call.ended.wait(LIMIT)


def swallow(call, context):
    """Takes all there is, then says how many it were."""
    yield b"%d" % sum(1 for _ in call.requests)


def send(messages):
    """Takes what is asked, then sends these, whatever an iterable makes them."""

    def behave(call, context):
        next(call.requests)
        yield from messages

    return behave


class StreamFake(Fake):
    """Methods are streams once they have been told how to behave by on_stream(). A full path names one of another
    service."""

    def __init__(self, port=0):
        self.streams = {}
        super().__init__(port)

    def on_stream(self, method, behaviour):
        self.streams[method] = behaviour

    def service(self, details):
        if details.method.removeprefix(PREFIX) not in self.streams:
            return super().service(details)
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self.serve_stream(StreamCall(details.method, requests, context), context)
        )

    def serve_stream(self, call, context):
        with self.lock:
            self.calls.append(call)
        for message in self.streams[call.method](call, context):
            yield message
            call.sent += 1
        call.answered = not call.ended.is_set()
