# SPDX-License-Identifier: Apache-2.0
"""The asynchronous sample of the SDK's announcement, through the daemon and without a credential (programs/bulk.py).

100,000 vectors of dimension 128 in batches of 1,000, all at once, then 1,000 searches at once. SDK_ROWS is another
number of vectors, at least 1,000.
"""
import os

import pytest

from bouncer import one_pool
from sdk_client import run_program

ROWS = int(os.environ.get("SDK_ROWS", "100000"))
LIMIT = 170  # seconds


@pytest.mark.release_only
@pytest.mark.parametrize("pool_size", [1, 4])
def test_announced_sample(start_bouncer, milvus, name, pool_size):
    """1,000 searches take Milvus longer than 5 s, which requests may wait in the daemon's queue by default."""
    config = one_pool(milvus.upstream, pool_size=pool_size, queue_timeout="1m", timeouts={"default": "1m"})
    bouncer = start_bouncer(config, milvus.network)
    result = run_program("bulk", bouncer.address, name, ROWS, limit=LIMIT)
    assert result["rows"] == ROWS
    assert result["missed"] == 0
    assert bouncer.count_upstream() == pool_size
