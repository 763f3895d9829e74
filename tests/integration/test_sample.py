# SPDX-License-Identifier: Apache-2.0
"""The quickstart's sample, as it stands, through the daemon: its client knows no credential."""
import re
import subprocess
import sys

from bouncer import configuration
from processes import ROOT

SAMPLE = ROOT / "scripts/quickstart/sample.py"


def test_sample(start_bouncer, each_milvus):
    bouncer = start_bouncer(configuration(each_milvus.upstream), each_milvus.network)
    arguments = ["--address", bouncer.address, "--daemon", str(bouncer.pid)]
    sample = subprocess.run([sys.executable, SAMPLE, *arguments], capture_output=True, text=True, timeout=150)
    assert sample.returncode == 0, sample.stdout + sample.stderr
    assert "inserted 10,000 vectors" in sample.stdout
    clients, upstream = re.search(r"(\d+) client connections, served by (\d+) upstream", sample.stdout).groups()
    assert int(clients) == 6
    assert 1 <= int(upstream) <= 2
