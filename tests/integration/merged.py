# SPDX-License-Identifier: Apache-2.0
"""What a daemon says in its log of what it has merged."""
import re
from typing import NamedTuple

LINE = re.compile(
    r"database (?P<database>\S+): merged (?P<searches>\d+) searches into (?P<calls>\d+) calls, \S+ vectors a call; "
    r"(?P<reads>\d+) equal reads into (?P<read_calls>\d+); sent one by one after all: "
    r"(?P<failed>\d+) calls that failed, (?P<lost>\d+) that were lost, (?P<not_understood>\d+) not understood"
)


class Merged(NamedTuple):
    searches: int = 0
    calls: int = 0
    reads: int = 0
    read_calls: int = 0
    failed: int = 0
    lost: int = 0
    not_understood: int = 0


def merged(bouncer, database="default"):
    """The sum of all; the daemon is ended for it, as it tells the last of it then."""
    bouncer.stop()
    found = [line for line in LINE.finditer(bouncer.log_text()) if line["database"] == database]
    return Merged(*(sum(int(line[name]) for line in found) for name in Merged._fields))
