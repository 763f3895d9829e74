# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a limit."""
import time

LIMIT = 30  # seconds: generous, for slow machines and sanitized builds


def eventually(condition, what, limit=LIMIT):
    """Returns the condition's first true value; an OSError within it counts as not yet."""
    end = time.monotonic() + limit
    while True:
        try:
            value = condition()
        except OSError as error:
            value, what_else = None, f" ({error})"
        else:
            what_else = ""
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}{what_else}")
        time.sleep(0.02)


def settled(value, quiet=1.0):
    """The value, once it has stayed the same for that many seconds."""
    last, since = value(), time.monotonic()
    while time.monotonic() < since + quiet:
        time.sleep(0.02)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
    return last
