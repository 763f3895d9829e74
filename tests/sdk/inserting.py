# SPDX-License-Identifier: Apache-2.0
"""The program of an SDK, told to insert row by row.

With SDK_MODE=insert it reads a line of JSON for each: collection, and row with id, vector and perhaps title. It inserts
that by one and the same client, and prints a line as for a step (steps.py), with the number of rows inserted.
"""
import json
import subprocess

from sdks import environment, is_told, read


class Inserting:
    def __init__(self, argv, settings, prefix):
        """prefix: with what the collections' names begin."""
        self.prefix = prefix
        all_settings = environment(SDK_MODE="insert", **settings)
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(argv, env=all_settings, stdin=pipe, stdout=pipe, text=True)

    def insert(self, name, row):
        """Into the collection whose name goes on like that. What it told."""
        print(json.dumps({"collection": self.prefix + name, "row": row}), file=self.popen.stdin, flush=True)
        return read(next(filter(is_told, self.popen.stdout)), self.prefix)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.communicate()
