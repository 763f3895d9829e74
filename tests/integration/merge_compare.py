# SPDX-License-Identifier: Apache-2.0
"""Whether two replies to one search are the same, and by which name a difference goes that is a server's own.

What is named here differs as well between a server's answer to a search alone and its part of a request with many
vectors that was sent to the server itself: test_merge_same.py shows it of each.
"""
from pymilvus.grpc_gen import milvus_pb2

ORDER = "order of fields"  # 2.3.5: of output_fields and of fields_data, another one in each reply, alone or not
NO_HITS = "heads of fields without a hit"  # 2.3.5: neither these nor ids when alone, and a text in the status
ALL_VALID = "valid_data without a null"  # Lite: it stands where one row of the reply has a null
ROUNDING = "last bit of a score"  # Lite, COSINE: one vector is multiplied in another order than many
LAST_BIT = 1.2e-6  # of a score up to 1; or the sixth decimal, where scores were rounded to that


class Different(AssertionError):
    """Replies differ in a way that has no name."""


def order_fields(reply, _):
    reply.results.fields_data.sort(key=lambda field: field.field_name)
    reply.results.output_fields.sort()


def clear_heads(reply, _):
    if not reply.results.scores:
        reply.status.reason = ""
        for name in ("ids", "fields_data", "output_fields"):
            reply.results.ClearField(name)


def clear_all_valid(reply, _):
    for field in reply.results.fields_data:
        if all(field.valid_data):
            del field.valid_data[:]


def take_scores(reply, wanted):
    """Those of the other, if ours are as good as the same."""
    ours, theirs = reply.results.scores, wanted.results.scores
    if len(ours) == len(theirs) and all(abs(a - b) <= LAST_BIT for a, b in zip(ours, theirs)):
        reply.results.ClearField("scores")
        reply.results.scores.extend(theirs)


RULES = {ORDER: order_fields, NO_HITS: clear_heads, ALL_VALID: clear_all_valid, ROUNDING: take_scores}
OF_MILVUS, OF_LITE = {ORDER, NO_HITS}, {ALL_VALID, ROUNDING}


def equal_under(names, expected, got):
    """Whether they are the same but for the differences of these names."""
    theirs, ours = map(milvus_pb2.SearchResults.FromString, (expected, got))
    for name in names:
        RULES[name](theirs, theirs)
        RULES[name](ours, theirs)
    return theirs.SerializeToString() == ours.SerializeToString()


def differences(expected, got, known):
    """The names, of those known, of what differs between two replies in bytes; Different when that is not all."""
    if expected == got:
        return set()
    if not equal_under(known, expected, got):
        raise Different(describe(*map(milvus_pb2.SearchResults.FromString, (expected, got))))
    return {name for name in known if not equal_under(known - {name}, expected, got)}


def describe(expected, got):
    """The fields that differ."""
    lines = []
    for one, other in ((expected, got), (expected.results, got.results)):
        for field in one.DESCRIPTOR.fields:
            a, b = getattr(one, field.name), getattr(other, field.name)
            if a != b and field.name != "results":
                lines.append(f"{field.name}: {str(a)[:600]}\nbut got {str(b)[:600]}")
    return "\n".join(lines) or "the same fields in other bytes"
