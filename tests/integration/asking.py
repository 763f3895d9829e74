# SPDX-License-Identifier: Apache-2.0
"""A load: threads that ask the same all the time, each on a connection of its own, and keep what failed."""
import threading

from mvb1 import RequestError
from waiting import LIMIT, eventually


class Asking:
    def __init__(self, bouncer, method, message, threads=4):
        self.bouncer, self.method, self.message = bouncer, method, message
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.answers, self.failures = 0, []
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]

    def ask(self):
        with self.bouncer.plain() as client:
            while not self.is_over.is_set():
                try:
                    status = client.call(self.method, self.message).status
                    failure = None if status.code == 0 and status.error_code == 0 else status
                except RequestError as error:
                    failure = error
                with self.lock:
                    self.answers += failure is None
                    self.failures += [failure] if failure else []

    def more(self, count=50):
        """Waits for so many more answers: asked before now or after."""
        enough = self.answers + count
        eventually(lambda: self.answers >= enough, f"{count} more answers; {self.failures[:3]}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(LIMIT)
