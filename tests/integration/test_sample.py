# SPDX-License-Identifier: Apache-2.0
"""The quickstart's samples, as they stand, through the daemon: their clients know no credential."""
import re
import subprocess
import sys

import pytest

from bouncer import configuration
from processes import ROOT

SAMPLES = ROOT / "scripts/quickstart"


@pytest.mark.parametrize("program", ["sample.py", "sample_sdk.py"])
def test_sample(start_bouncer, each_milvus, program):
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)
    arguments = ["--address", bouncer.address, "--daemon", str(bouncer.pid)]
    sample = subprocess.run([sys.executable, SAMPLES / program, *arguments], capture_output=True, text=True, timeout=150)
    assert sample.returncode == 0, sample.stdout + sample.stderr
    assert "inserted 10,000 vectors" in sample.stdout
    clients, upstream = re.search(r"(\d+) client connections, served by (\d+) upstream", sample.stdout).groups()
    assert int(clients) == 6
    assert 1 <= int(upstream) <= 2
