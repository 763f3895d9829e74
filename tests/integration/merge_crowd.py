# SPDX-License-Identifier: Apache-2.0
"""Many clients that search at once, each with a connection of its own, over both protocols; in bytes."""
import contextlib
import itertools
import threading
from typing import NamedTuple

import numpy

from merge_shapes import VECTORS, Shape
from mvb1 import REQUEST, Frame
from waiting import LIMIT

CLIENTS = 64
ACTIVE = 8  # shapes that are asked for at a time
FEW = 3  # vectors of a shape that is Strong
MANY = [(2, 5, 9), (11, 0), (7, 8, 1, 3, 3, 4, 19)]  # vectors of requests with more than one


class Question(NamedTuple):
    shape: Shape
    data: bytes
    alone: bytes  # the server's answer to it


def questions(direct, shape):
    """Those of a shape that will be asked, each answered by the server itself while it does nothing else."""
    singles = FEW if shape.is_strong() else VECTORS
    requests = [shape.request(numbers) for numbers in [*((n,) for n in range(singles)), *MANY]]
    return [Question(shape, data, direct.call_bytes("Search", data)) for data in requests]


class PlainAsker:
    def __init__(self, bouncer):
        self.client, self.numbers = bouncer.plain(), itertools.count(1)

    def __call__(self, data):
        number = next(self.numbers)
        self.client.raw(Frame(REQUEST, number, b"Search", data).pack())
        frame = self.client.reply(number)
        assert frame.code == 0, frame
        return frame.payload

    def close(self):
        self.client.close()


class GrpcAsker:
    def __init__(self, bouncer):
        self.channel = bouncer.channel()

    def __call__(self, data):
        return self.channel.start("Search", data, timeout=2 * LIMIT).result()

    def close(self):
        self.channel.close()


class Crowd:
    """Asks `total` questions, of a few shapes at a time, and calls judge(question, reply) for each."""

    def __init__(self, bouncer, by_shape, total, judge):
        self.bouncer, self.by_shape, self.total, self.judge = bouncer, by_shape, total, judge
        self.numbers = itertools.count()
        self.failures = []

    def draw(self, rng, number):
        first = number * len(self.by_shape) // self.total
        shape = (first + rng.integers(ACTIVE)) % len(self.by_shape)
        return self.by_shape[shape][rng.integers(len(self.by_shape[shape]))]

    def work(self, client):
        rng = numpy.random.default_rng(client)
        with contextlib.closing((PlainAsker, GrpcAsker)[client % 2](self.bouncer)) as ask:
            while (number := next(self.numbers)) < self.total and not self.failures:
                question = self.draw(rng, number)
                self.judge(question, ask(question.data))

    def run(self):
        def run(client):
            try:
                self.work(client)
            except Exception as error:
                self.failures.append(error)

        threads = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]
