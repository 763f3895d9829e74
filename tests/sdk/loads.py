# SPDX-License-Identifier: Apache-2.0
"""Loads of the SDKs that are not Python's.

With SDK_MODE=load a program does as ../integration/programs/load.py: by one client without repeats, until SIGTERM, four
workers each search for one of the first rows of SDK_COLLECTION, insert a row with a key of their own into it, from
SDK_FIRST_KEY on, and one for which Milvus makes the key, known by its tag, into SDK_COLLECTION_auto. It prints a line
for each that ended: what, key, and what was found or the error.
"""
from contextlib import ExitStack, contextmanager

import sdk_load
from processes import Process
from sdks import command, environment

FIRST_KEYS = {"node": 1_000_000, "go": 2_000_000, "java": 3_000_000}


class Load(sdk_load.Load):
    def __init__(self, sdk, uri, collection, directory):
        settings = {"SDK_URI": uri, "SDK_COLLECTION": collection, "SDK_FIRST_KEY": str(FIRST_KEYS[sdk])}
        log = directory / f"load-{sdk}.log"
        self.process = Process(command(sdk), log, env=environment(SDK_MODE="load", **settings))


@contextmanager
def loads(uri, collection, directory):
    """One of each SDK, going on."""
    with ExitStack() as stack:
        all_loads = []
        for sdk in FIRST_KEYS:
            all_loads.append(Load(sdk, uri, collection, directory))
            stack.callback(all_loads[-1].kill)
        for load in all_loads:
            load.goes_on()
        yield all_loads
        for load in all_loads:
            load.stop()
