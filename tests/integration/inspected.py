# SPDX-License-Identifier: Apache-2.0
"""A process as root sees it: what proc(5) says of it, and what is in its memory."""
import re
from pathlib import Path
from typing import NamedTuple

REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)")


def status(pid, thread=None):
    """The lines of /proc/PID/status by their names; of a thread, if it is given."""
    folder = Path(f"/proc/{pid}") if thread is None else Path(f"/proc/{pid}/task/{thread}")
    return dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)


def threads(pid):
    return [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]


def limits(pid, name):
    """(soft, hard) of one."""
    line = re.search(rf"^{name} +(\S+) +(\S+)", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    return line.groups()


class Region(NamedTuple):
    start: int
    end: int
    name: str
    flags: frozenset  # VmFlags of smaps

    @property
    def is_for_secrets(self):
        """Locked, and no part of a core dump."""
        return {"lo", "dd"} <= self.flags


def regions(pid):
    found = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        opening = REGION.fullmatch(line)
        if opening:
            found.append((int(opening[1], 16), int(opening[2], 16), opening[4], opening[3]))
        elif line.startswith("VmFlags:"):
            start, end, name, rights = found[-1]
            if "r" in rights and name not in ("[vvar]", "[vsyscall]"):
                yield Region(start, end, name, frozenset(line.split()[1:]))


def memory(pid):
    """(region, its bytes) of all that can be read."""
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        for region in list(regions(pid)):
            file.seek(region.start)
            try:
                yield region, file.read(region.end - region.start)
            except OSError:  # pages of a device, or gone
                continue


def find_in_memory(pid, needles):
    """{needle: regions that hold it} of those that are found; needles are bytes."""
    found = {}
    for region, content in memory(pid):
        for needle in needles:
            if needle in content:
                found.setdefault(needle, []).append(region)
    return found
