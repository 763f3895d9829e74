# SPDX-License-Identifier: Apache-2.0
"""All candidates before the canned upstream, with and without TLS to it."""
import contextlib

import candidates
import canned
from certificates import Authority
from loads import Target, measure


def start_all(stack, directory, chosen, authority=None):
    """Targets by candidate, over one upstream; proxies serve all candidates that use them."""
    directory.mkdir()
    upstream = canned.Upstream(directory / "upstream", authority)
    stack.callback(upstream.stop)
    proxies = {}
    for name in dict.fromkeys(candidate.proxy for candidate in chosen if candidate.proxy):
        proxies[name] = candidates.start(name, directory / name, upstream)
        stack.callback(proxies[name].stop)
    return {
        candidate: Target(candidate.client, proxies[candidate.proxy].address, proxies[candidate.proxy].pid)
        if candidate.proxy
        else Target(candidate.client, upstream.address)
        for candidate in chosen
    }


def measure_all(directory, cases, chosen, folder, rounds, count):
    with contextlib.ExitStack() as stack:
        authority = Authority(directory / "authority") if any(case.tls for case in cases) else None
        by_tls = {
            tls: start_all(stack, directory / ("tls" if tls else "plaintext"), chosen, authority if tls else None)
            for tls in {case.tls for case in cases}
        }

        def targets(case):
            return {who.name: target for who, target in by_tls[case.tls].items() if case.has(who)}

        return measure([case for case in cases if targets(case)], targets, folder, rounds, count)
