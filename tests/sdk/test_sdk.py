# SPDX-License-Identifier: Apache-2.0
"""Each SDK as it comes from its registry: its program does through the daemon, without a credential, what it does
directly, and fails there as it fails directly."""
import re

import pytest

from sdks import SDKS, WAYS
from steps import STEPS, expected_error, expected_result

REFUSED = "(?i)unauthenticated|missing authorization|fail connecting to server"  # pymilvus hides the reason
CASES = [(sdk, way) for sdk in SDKS for way in WAYS[sdk]]


def as_expected(server, sdk, step, told):
    pattern = expected_error(server, sdk, step)
    if pattern:
        return re.search(pattern, told.get("error", ""))
    return told == {"result": expected_result(server, step)}


@pytest.mark.parametrize("sdk", SDKS)
def test_direct(site, sdk):
    told = site.told(sdk, "direct")
    assert list(told) == list(STEPS)
    assert {step: answer for step, answer in told.items() if not as_expected(site.name, sdk, step, answer)} == {}


@pytest.mark.parametrize("sdk, way", CASES)
def test_through_the_daemon(site, sdk, way):
    direct, through = site.told(sdk, "direct"), site.told(sdk, way)
    assert list(through) == list(STEPS)
    assert {step: (direct[step], through[step]) for step in STEPS if direct[step] != through[step]} == {}


@pytest.mark.parametrize("site", ["milvus"], indirect=True)
@pytest.mark.parametrize("sdk", SDKS)
def test_credential_is_the_daemons(site, sdk):
    """Without one, the same program gets nowhere directly."""
    without = {"SDK_URI": site.settings("direct")["SDK_URI"]}
    told = site.run(sdk, "direct", without)
    assert list(told) == list(STEPS)
    assert {step: answer for step, answer in told.items() if "result" in answer} == {}
    assert re.search(REFUSED, told["connect"]["error"])
