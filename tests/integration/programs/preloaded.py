# SPDX-License-Identifier: Apache-2.0
"""An application for gunicorn --preload: GET /?NUMBER answers with the id that a search for that vector found.

SDK_CLIENT says where its client is made: `parent`, before gunicorn forks its workers, or `worker`, in each of them at
its first request. In the former case it has searched before the fork, too.
"""
import json
import os

from pymilvus import MilvusClient

from many import vectors

URI, COLLECTION, COUNT = os.environ["SDK_URI"], os.environ["SDK_COLLECTION"], int(os.environ["SDK_COUNT"])


class Finder:
    """Has a client from its first search on."""

    def __init__(self):
        self.client = None
        self.vectors = vectors(COUNT)

    def find(self, number):
        self.client = self.client or MilvusClient(URI, token=os.environ.get("SDK_TOKEN", ""))
        return self.client.search(COLLECTION, [self.vectors[number]], limit=1)[0][0]["id"]


finder = Finder()
if os.environ["SDK_CLIENT"] == "parent":
    finder.find(0)


def application(environ, start_response):
    answer = {"process": os.getpid(), "id": finder.find(int(environ["QUERY_STRING"]))}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
