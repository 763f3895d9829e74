# SPDX-License-Identifier: Apache-2.0
"""What is written over REST is read over gRPC, and the other way round: nothing is lost, whatever the kind."""
import numpy
import pytest
from pymilvus import DataType, MilvusClient

from fake import Fake
from rest import checked
from rest_kinds import (
    ANY_DOCUMENT, ARRAYS, BITS, BRAIN_FLOATS, FLOATS, HALF_FLOATS, KEYS, LARGE, SCALARS, SMALL_INTS, SPARSE, body_of, collection_rows,
    formed, told,
)  # fmt: skip
from sdk_client import create_collection

ALL = "id < 0 or id >= 0"  # in a list no text says the least
NUMBERS = {"Accept-Type-Allow-Int64": "true"}
STRINGS = {"Accept-Type-Allow-Int64": "false"}
INDEXES = {  # that can be made of each kind: without one nothing is loaded
    DataType.FLOAT_VECTOR: {"index_type": "FLAT", "metric_type": "L2"},
    DataType.BINARY_VECTOR: {"index_type": "BIN_FLAT", "metric_type": "HAMMING"},
    DataType.FLOAT16_VECTOR: {"index_type": "FLAT", "metric_type": "L2"},
    DataType.BFLOAT16_VECTOR: {"index_type": "FLAT", "metric_type": "L2"},
    DataType.INT8_VECTOR: {"index_type": "HNSW", "metric_type": "L2"},
    DataType.SPARSE_FLOAT_VECTOR: {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"},
}
# Where each is to be had: Milvus 2.3.5 has one vector field a collection, Milvus Lite no more than two kinds of them,
# and what none of both has the fake keeps.
PLACES = {
    "scalars on Lite": ("lite", [*SCALARS, FLOATS]),
    "scalars on 2.3.5": ("milvus", [*SCALARS, FLOATS]),
    "arrays on Lite": ("lite", [*ARRAYS, FLOATS]),
    "arrays on 2.3.5": ("milvus", [*ARRAYS, FLOATS]),
    "sparse on Lite": ("lite", [SPARSE]),
    "binary on 2.3.5": ("milvus", [BITS]),
    "float16 on 2.3.5": ("milvus", [HALF_FLOATS]),
    "all vectors of a fake": ("fake", [FLOATS, BITS, HALF_FLOATS, BRAIN_FLOATS, SMALL_INTS, SPARSE]),
    "documents of a fake": ("fake", [ANY_DOCUMENT, FLOATS]),  # real ones want objects
}


def create(client, name, kinds, is_indexed=True, **options):
    """options: of fields, by their names."""
    schema = MilvusClient.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    index = MilvusClient.prepare_index_params()
    for kind in kinds:
        schema.add_field(kind.name, kind.kind, **kind.options, **options.get(kind.name, {}))
        if kind.kind in INDEXES:
            index.add_index(kind.name, **INDEXES[kind.kind])
    client.create_collection(name, schema=schema, index_params=index if is_indexed else None, consistency_level="Strong")


def in_order(rows):
    """As they were written; rows without a null that stands for nothing."""
    rows = sorted(rows, key=lambda row: KEYS.index(int(row["id"])))
    return [dict(row) for row in rows]


def create_at(place, kinds, **options):
    create(place.client, place.name, kinds, is_indexed=not isinstance(place.server, Fake), **options)


def read_by_sdk(place):
    """All of it."""
    return in_order(place.client.query(place.name, ALL, output_fields=["*"], consistency_level="Strong"))


def read_by_rest(place, kinds, headers=None):
    fields = {"outputFields": ["*"], "consistencyLevel": "Strong", "filter": ALL}
    rows = place.call("entities/query", headers or NUMBERS, **fields)
    return in_order([told(kinds, row) for row in rows])


def each_place(function):
    return pytest.mark.parametrize("which, kinds", PLACES.values(), ids=list(PLACES))(function)


@each_place
@pytest.mark.parametrize("escaped", [False, True], ids=["UTF-8", "escaped"])
def test_written_over_rest(rest_at, which, kinds, escaped):
    place = rest_at(which)
    create_at(place, kinds)
    rows = collection_rows(kinds)
    written = place.rest.ask("entities/insert", body_of(place.name, formed(kinds, rows, "written"), escaped), NUMBERS)
    assert checked(written) == {"insertCount": len(KEYS), "insertIds": KEYS}
    assert read_by_sdk(place) == formed(kinds, rows, "read")
    assert read_by_rest(place, kinds) == formed(kinds, rows, "shown")


@each_place
def test_written_over_grpc(rest_at, which, kinds):
    place = rest_at(which)
    create_at(place, kinds)
    rows = collection_rows(kinds)
    place.client.insert(place.name, rows)
    assert read_by_rest(place, kinds) == formed(kinds, rows, "shown")


NULLABLE = [kind._replace(name=f"{kind.name}_or_null") for kind in SCALARS]
NULL = {kind.name: {"nullable": True} for kind in NULLABLE}


def with_nulls(rows):
    """Every other one has no value but its key's and its vector's."""
    names = [kind.name for kind in NULLABLE]
    return [row if n % 2 else {**row, **dict.fromkeys(names)} for n, row in enumerate(rows)]


@pytest.mark.parametrize("spelt", ["null", "left out"])
def test_null(rest_at, spelt):
    place, kinds = rest_at("lite"), [*NULLABLE, FLOATS]
    create_at(place, kinds, **NULL)
    rows = with_nulls(collection_rows(kinds, dynamic=False))
    written = formed(kinds, rows, "written")
    if spelt == "left out":
        written = [{name: value for name, value in row.items() if value is not None} for row in written]
    checked(place.rest.ask("entities/insert", body_of(place.name, written, False), NUMBERS))
    assert read_by_sdk(place) == formed(kinds, rows, "read")
    assert read_by_rest(place, kinds) == formed(kinds, rows, "shown")


def test_null_written_over_grpc(rest_at):
    place, kinds = rest_at("lite"), [*NULLABLE, FLOATS]
    create_at(place, kinds, **NULL)
    rows = with_nulls(collection_rows(kinds, dynamic=False))
    place.client.insert(place.name, rows)
    assert read_by_rest(place, kinds) == formed(kinds, rows, "shown")


DEFAULTS = {"flag": True, "tiny": -128, "medium": 7, "large": 2**53 + 1, "single": 0.5, "exact": 0.1, "text": "é 😀"}


@pytest.mark.parametrize("spelt", [{}, dict.fromkeys(DEFAULTS)], ids=["left out", "null"])
def test_default(rest_at, spelt):
    place, kinds = rest_at("lite"), [kind for kind in [*SCALARS, FLOATS] if kind.name in {*DEFAULTS, FLOATS.name}]
    create_at(place, kinds, **{name: {"default_value": value} for name, value in DEFAULTS.items()})
    row = {"id": 7, FLOATS.name: FLOATS.value(2)}
    place.call("entities/insert", data=[{**row, **spelt}])
    [read] = read_by_sdk(place)
    assert {name: read[name] for name in DEFAULTS} == DEFAULTS
    assert read_by_rest(place, kinds) == [{**row, **DEFAULTS}]


def test_integers_of_64_bits_as_strings(rest_at):
    place, kinds = rest_at("lite"), [kind for kind in SCALARS if kind.kind == DataType.INT64]
    create_at(place, [*kinds, FLOATS])
    rows = [
        {"id": str(key), "large": str(LARGE[n % len(LARGE)]), FLOATS.name: FLOATS.value(2)}
        for n, key in enumerate(KEYS)
    ]
    written = place.call("entities/insert", STRINGS, data=rows)
    assert written == {"insertCount": len(KEYS), "insertIds": [str(key) for key in KEYS]}
    assert [(row["id"], row["large"]) for row in read_by_sdk(place)] == [
        (int(row["id"]), int(row["large"])) for row in rows
    ]
    assert [(row["id"], row["large"]) for row in read_by_rest(place, kinds, STRINGS)] == [
        (row["id"], row["large"]) for row in rows
    ]


def test_numbers_unless_strings_are_asked_for(rest_at):
    """As Milvus without proxy.http.acceptTypeAllowInt64."""
    place = rest_at("lite")
    create_at(place, [FLOATS])
    written = place.call(
        "entities/insert", data=[{"id": 2**53 + 1, FLOATS.name: FLOATS.value(2)}]
    )
    assert written["insertIds"] == [2**53 + 1]


SPELLINGS = {  # other ways to write a vector that REST takes
    "a sparse one as two lists": (SPARSE, {"indices": [4294967294, 7], "values": [0.5, 3]}, {7: 3.0, 4294967294: 0.5}),
    "halves as numbers": (HALF_FLOATS, [0.5, 1, -2, 65504, 0, 0, 6e-8, 0.1],
                          numpy.array([0.5, 1, -2, 65504, 0, 0, 6e-8, 0.1], "<f2")),
    "brain floats as numbers": (BRAIN_FLOATS, [0.5, 1, -2, 3, 0, 0, 0, 0.1],
                                numpy.array([0x3F00, 0x3F80, 0xC000, 0x4040, 0, 0, 0, 0x3DCD], "<u2").tobytes()),
    "floats as whole numbers": (FLOATS, [1, 2, 3, 4, -5, 0, 0, 16777216], [1, 2, 3, 4, -5, 0, 0, 16777216]),
}  # fmt: skip


@pytest.mark.parametrize("kind, written, value", SPELLINGS.values(), ids=list(SPELLINGS))
def test_other_ways_to_write_a_vector(rest_at, kind, written, value):
    place = rest_at("fake")
    create_at(place, [kind])
    place.call("entities/insert", data=[{"id": 7, kind.name: written}])
    [row] = read_by_sdk(place)
    assert row[kind.name] == kind.form.read(value)


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_keys_of_text(rest_at, which):
    place = rest_at(which)
    schema = MilvusClient.create_schema()
    schema.add_field("title", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field(FLOATS.name, FLOATS.kind, **FLOATS.options)
    index = MilvusClient.prepare_index_params()
    index.add_index(FLOATS.name, **INDEXES[FLOATS.kind])
    place.client.create_collection(place.name, schema=schema, index_params=index, consistency_level="Strong")
    keys = ["é 😀", 'a "quoted" one', "7"]
    data = [{"title": key, FLOATS.name: FLOATS.value(n + 1)} for n, key in enumerate(keys)]
    assert place.call("entities/insert", data=data)["insertIds"] == keys
    for key in keys:
        [row] = place.call("entities/get", id=[key], outputFields=["title"])
        assert row == {"title": key}
        assert [row["title"] for row in place.client.get(place.name, key)] == [key]


@pytest.mark.parametrize("which", ["lite", "milvus"])
def test_keys_that_milvus_makes(rest_at, which):
    place = rest_at(which)
    create_collection(place.client, place.name, 4, auto_id=True)
    data = [{"vector": [n, 0, 0, 0]} for n in range(3)]
    written = place.call("entities/insert", NUMBERS, data=data)
    assert written["insertCount"] == 3
    read = place.client.query(place.name, "id > 0", output_fields=["vector"], consistency_level="Strong")
    assert {row["id"]: row["vector"] for row in read} == {
        key: row["vector"] for key, row in zip(written["insertIds"], data)
    }
