# SPDX-License-Identifier: Apache-2.0
"""Every route, by curl over a Unix socket, on whichever of Milvus Lite and Milvus 2.3.5 has what it takes; what neither
has is answered with what that one says."""
import re

import grpc
import pytest

import rest_cases_collections  # noqa: F401
import rest_cases_data  # noqa: F401
import rest_cases_users
from processes import ROOT
from rest_cases import CASES
from rest_refused import INTERNAL, REFUSED

TABLE = ROOT / "proto/rest/routes.def"
ROUTES = re.findall(r'^(?:ROUTE|FORWARD)\("([\w/]+)"', TABLE.read_text(), re.MULTILINE)
HTTP_STATUS = {grpc.StatusCode.UNIMPLEMENTED: 501, grpc.StatusCode.INTERNAL: 500}


def test_each_has_a_case():
    assert len(ROUTES) == len(set(ROUTES)) == 105
    assert sorted(ROUTES) == sorted([*CASES, *REFUSED, *INTERNAL])


@pytest.mark.parametrize("route", CASES)
def test_done(rest_at, route):
    server, check = CASES[route]
    place = rest_at(server)
    check(place)
    if server == rest_cases_users.MILVUS:
        rest_cases_users.forget(place)


def said_directly(place, method):
    """To an empty request."""
    direct = place.server.direct()
    with pytest.raises(grpc.RpcError) as failed:
        direct.call_bytes(method, b"")
    direct.close()
    return failed.value.code(), failed.value.details()


@pytest.mark.parametrize("route", REFUSED)
def test_what_the_upstream_lacks(rest_at, route):
    refused = REFUSED[route]
    place = rest_at(refused.server)
    code, text = said_directly(place, refused.method)
    answer = place.rest.ask(route, refused.fields)
    assert (answer.status, answer.code) == (HTTP_STATUS[code], code.value[0]), answer
    assert answer.message == text


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_what_takes_the_upstreams_own_http(rest_at, which):
    """Neither has RESTful v2: they are told apart from routes that do not exist."""
    place = rest_at(which)
    for route, fields in INTERNAL.items():
        answer = place.rest.ask(route, fields)
        assert answer.status in (404, 501), answer
        assert answer.code != 0
        assert answer.message
