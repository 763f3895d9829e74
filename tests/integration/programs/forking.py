# SPDX-License-Identifier: Apache-2.0
"""A process that forks while its threads search: `forking.py URI COLLECTION CHILDREN`.

Each child searches with the client that it inherited, then with one of its own. Prints in JSON how many of the
parent's searches were right and how many wrong, its errors, and of each child the same for both searches: true, false,
the error, or "hung" where it had to be killed.
"""
import collections
import json
import logging
import os
import select
import signal
import sys
import threading
import time

from pymilvus import MilvusClient

from many import vectors

THREADS, COUNT = 4, 200
LIMIT = 3  # seconds that the children may take
BETWEEN = 20  # searches of the parent's from one fork to the next


class Parent:
    def __init__(self, uri, collection):
        self.uri, self.collection = uri, collection
        self.vectors = vectors(COUNT)
        self.client = self.connect()
        self.results = collections.Counter()
        self.changed = threading.Condition()
        self.is_ending = False
        self.threads = [threading.Thread(target=self.search, args=(n * COUNT // THREADS,)) for n in range(THREADS)]

    def connect(self):
        return MilvusClient(self.uri, token=os.environ.get("SDK_TOKEN", ""), dedicated=True)

    def is_right(self, client, number):
        found = client.search(self.collection, [self.vectors[number]], limit=1, consistency_level="Eventually")
        return found[0][0]["id"] == number

    def outcome(self, make_client, number):
        try:
            return self.is_right(make_client(), number)
        except Exception as error:  # what the SDK throws is what is told
            return repr(error)

    def search(self, number):
        while not self.is_ending:
            number = (number + 1) % COUNT
            outcome = self.outcome(lambda: self.client, number)
            with self.changed:
                self.results[outcome] += 1
                self.changed.notify()

    def wait_for_more(self):
        with self.changed:
            end = self.results.total() + BETWEEN
            self.changed.wait_for(lambda: self.results.total() >= end)

    def fork(self):
        """The child's process, and where it says what it found."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            for number, make_client in enumerate([lambda: self.client, self.connect]):
                os.write(writing, json.dumps(self.outcome(make_client, number)).encode() + b"\n")
            os._exit(0)
        os.close(writing)
        return child, reading

    def run(self, count):
        """What each child found."""
        for thread in self.threads:
            thread.start()
        children = []
        for _ in range(count):
            self.wait_for_more()
            children.append(self.fork())
        end = time.monotonic() + LIMIT
        found = [outcomes_of(*child, end) for child in children]
        self.wait_for_more()
        self.is_ending = True
        for thread in self.threads:
            thread.join()
        return found


def is_over(child, end):
    """Waits for it, in vain if the time is over first."""
    descriptor = os.pidfd_open(child)
    try:
        return bool(select.select([descriptor], [], [], max(0, end - time.monotonic()))[0])
    finally:
        os.close(descriptor)


def outcomes_of(child, reading, end):
    hung = not is_over(child, end)
    if hung:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading) as lines:
        return [json.loads(line) for line in lines] + ["hung"] * hung


def main(uri, collection, count):
    logging.disable()
    parent = Parent(uri, collection)
    children = parent.run(count)
    right, wrong = parent.results.pop(True, 0), parent.results.pop(False, 0)
    print(json.dumps({"right": right, "wrong": wrong, "errors": list(parent.results), "children": children}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
