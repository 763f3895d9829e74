# SPDX-License-Identifier: Apache-2.0
"""Clients that read without a pause, one request at a time each."""
import threading

from pymilvus.grpc_gen import milvus_pb2

from mvb1 import RequestError
from waiting import eventually

QUESTION = milvus_pb2.ShowCollectionsRequest()


class Reading:
    """with Reading(bouncer, 8) as reading: … ; then `errors` has the RequestError of each request that failed."""

    def __init__(self, bouncer, clients):
        self.bouncer = bouncer
        self.lock = threading.Lock()
        self.answers, self.errors = 0, []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.read) for _ in range(clients)]

    def read(self):
        with self.bouncer.plain() as client:
            while not self.is_over.is_set():
                try:
                    client.call("ShowCollections", QUESTION, timeout=20)
                except RequestError as error:
                    with self.lock:
                        self.errors.append(error)
                else:
                    with self.lock:
                        self.answers += 1

    def go_on(self, answers=200):
        """Until there are so many answers more."""
        until = self.answers + answers
        eventually(lambda: self.answers >= until, f"{answers} more answers")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.go_on(len(self.threads))
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
