# SPDX-License-Identifier: Apache-2.0
"""What test_rest_routes.py does with each route: a case is a function of a Place, at the server that has the RPC."""
from typing import NamedTuple


class Case(NamedTuple):
    server: str  # lite or milvus
    check: object


CASES = {}


def case(route, server="lite"):
    def add(check):
        assert route not in CASES, route
        CASES[route] = Case(server, check)
        return check

    return add
