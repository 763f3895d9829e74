# SPDX-License-Identifier: Apache-2.0
"""Every kind of field and vector with values from the edges of its range: as pymilvus takes them and gives them back,
and as REST has them in a body and in an answer."""
import base64
import json
import math
from typing import NamedTuple

import numpy
from pymilvus import DataType

DIM, MAX_LENGTH, MAX_CAPACITY = 8, 256, 8
KEYS = [-(2**63), 2**63 - 2, 0, 2**53 + 1, -1, 7]  # Milvus 2.3.5 does not find the greatest
ROWS = len(KEYS)


def same(value):
    return value


class Form(NamedTuple):
    """Each is made from the value as pymilvus takes it."""

    written: object = same  # in a body of REST
    shown: object = same  # in an answer of REST that may have numbers of 64 bits, see told()
    read: object = same  # as pymilvus gives it back


class Kind(NamedTuple):
    name: str
    kind: DataType
    values: list
    options: dict = {}
    form: Form = Form()

    def value(self, row):
        return self.values[row % len(self.values)]


def single(value):
    """A number in 32 bits, as a double has it."""
    return float(numpy.float32(value))


def singles(values):
    return [single(value) for value in values]


def in_base64(value):
    return base64.b64encode(value).decode()


def sparse_shown(value):
    return {str(index): weight for index, weight in value.items()}


def sparse_read(value):
    return {index: single(weight) for index, weight in value.items()}


def edges(bits):
    return [-(1 << bits - 1), (1 << bits - 1) - 1, 0]


LARGE = [-(2**63), 2**63 - 1, 0, 2**53 + 1, -(2**53) - 1]
# The shortest that are read as what they are in 32 bits; the greatest, the least, the least that is normal.
SINGLES = [0.1, 3.4028235e38, -3.4028235e38, 1e-45, 1.1754944e-38, 16777216.0, 123456.79, -1.5]
DOUBLES = [0.1, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 1e22, math.pi]
TEXTS = [
    "",
    "plain",
    "é 漢字 😀 \U0010ffff \u2028",
    'quotes " and \\ and / \b\f\n\r\t \x01\x1f\x7f',
    "{\"not\": 'an object'}",
    "x" * MAX_LENGTH,
]
DOCUMENTS = [
    {},
    {"n": 2**53 + 1, "least": -(2**63), "list": [1, 2.5, None, True, {"deep": ["é 😀", ""]}], "": "no name"},
    {"double": 1e300, "escaped": 'a"b\\c\n'},
]
OF_SINGLES = Form(read=single)

SCALARS = [
    Kind("flag", DataType.BOOL, [True, False]),
    Kind("tiny", DataType.INT8, edges(8)),
    Kind("small", DataType.INT16, edges(16)),
    Kind("medium", DataType.INT32, edges(32)),
    Kind("large", DataType.INT64, LARGE),
    Kind("single", DataType.FLOAT, SINGLES, form=OF_SINGLES),
    Kind("exact", DataType.DOUBLE, DOUBLES),
    Kind("text", DataType.VARCHAR, TEXTS, {"max_length": MAX_LENGTH}),
    Kind("document", DataType.JSON, DOCUMENTS),
]

ANY_DOCUMENT = Kind("any", DataType.JSON, [[1, [2, [3]]], 5, 2.5, True, {}, [], 2**63 - 1])


def array_of(element):
    """Of any length: empty, one, and full, of all its edges."""
    cut = [element.values[:length] for length in (0, 1, MAX_CAPACITY)]
    form = Form(read=lambda values: [element.form.read(value) for value in values])
    options = {**element.options, "element_type": element.kind, "max_capacity": MAX_CAPACITY}
    return Kind(f"array_of_{element.name}", DataType.ARRAY, cut, options, form)


ARRAYS = [array_of(scalar) for scalar in SCALARS if scalar.kind != DataType.JSON]

FLOATS = Kind(
    "floats", DataType.FLOAT_VECTOR, [SINGLES, [0.0] * DIM, [1.0, -2.0, 0.5, 0.1, 0.2, 0.3, 1e-10, 7.0]], {"dim": DIM},
    Form(read=singles),
)  # fmt: skip
BITS = Kind(
    "bits", DataType.BINARY_VECTOR, [bytes(range(n, n + DIM)) for n in (0, 120, 248)], {"dim": 8 * DIM},
    Form(in_base64, in_base64, lambda value: [value]),
)  # fmt: skip
HALVES = numpy.array([0.1, 65504, -65504, 6e-8, 6.1e-5, 1, 0, -2], "<f2")
HALF_FLOATS = Kind(
    "halves", DataType.FLOAT16_VECTOR, [HALVES, -HALVES], {"dim": DIM},
    Form(lambda value: in_base64(value.tobytes()), lambda value: in_base64(value.tobytes()),
         lambda value: [value.tobytes()]),
)  # fmt: skip
BRAIN_BITS = numpy.array([0x3DCD, 0x7F7F, 0xFF7F, 0x0001, 0x0080, 0x3F80, 0, 0xC000], "<u2")
BRAIN_FLOATS = Kind(
    "brains", DataType.BFLOAT16_VECTOR, [BRAIN_BITS.tobytes(), BRAIN_BITS[::-1].tobytes()], {"dim": DIM},
    Form(in_base64, in_base64, lambda value: [value]),
)  # fmt: skip
SMALL_INTS = Kind(
    "bytes", DataType.INT8_VECTOR, [numpy.array([-128, 127, 0, 1, -1, 2, 3, 100], "i1")], {"dim": DIM},
    Form(lambda value: value.tolist(), lambda value: in_base64(value.tobytes()), lambda value: [value.tobytes()]),
)  # fmt: skip
SPARSE = Kind(
    "sparse", DataType.SPARSE_FLOAT_VECTOR,
    [{0: 0.1}, {4294967294: 1e-45, 7: 3.4028235e38}, {1: 1.0, 2: 2.0, 100: 16777216.0}], {},
    Form(sparse_shown, sparse_shown, sparse_read),
)  # fmt: skip

DYNAMIC = [
    {},
    {"extra": 2**53 + 1, "more": {"deep": [1, None, "é"]}},
    {"extra": "text", "none": None, "large": -(2**63)},
    {"double": 0.1, "list": [], "flag": False},
]


def told(kinds, row):
    """A row of REST with documents, which are texts there, and arrays as they are."""
    read = dict(row)
    for kind in kinds:
        value = read.get(kind.name)
        if value is not None and kind.kind == DataType.JSON:
            read[kind.name] = json.loads(value)
        elif value is not None and kind.kind == DataType.ARRAY:
            [of_type] = (value["Data"] or {"none": {"data": []}}).values()
            read[kind.name] = of_type["data"]
    return read


def collection_rows(kinds, dynamic=True):
    """As pymilvus takes them, with all that is dynamic."""
    more = DYNAMIC if dynamic else [{}]
    return [
        {"id": key, **{kind.name: kind.value(n) for kind in kinds}, **more[n % len(more)]}
        for n, key in enumerate(KEYS)
    ]


def formed(kinds, rows, how):
    """The rows with each field as `how` of its form has it; none stays none."""
    forms = {kind.name: getattr(kind.form, how) for kind in kinds}
    return [
        {name: None if value is None else forms.get(name, same)(value) for name, value in row.items()} for row in rows
    ]


def body_of(name, rows, escaped):
    """Of an insert. escaped: what is not ASCII as \\u…"""
    return json.dumps({"collectionName": name, "data": rows}, ensure_ascii=escaped).encode()
