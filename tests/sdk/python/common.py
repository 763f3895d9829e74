# SPDX-License-Identifier: Apache-2.0
"""What both Python programs share: the settings, the rows, and the one JSON line a step."""
import json
import os

import grpc
from pymilvus import DataType, MilvusClient, MilvusException

URI = os.environ["SDK_URI"]
USER = os.environ.get("SDK_USER", "")
PASSWORD = os.environ.get("SDK_PASSWORD", "")
PREFIX = os.environ["SDK_PREFIX"]
DATABASE = os.environ["SDK_DATABASE"]
BOOKS, QUICK, TWIN, ALIAS = (f"{PREFIX}_{name}" for name in ("books", "quick", "twin", "alias"))
CREDENTIAL = {"user": USER, "password": PASSWORD}
STRONG = {"consistency_level": "Strong"}
CALL_LIMIT = 20  # seconds
TOO_SHORT = 0.1  # seconds
MANY = 4000  # vectors in one search, so that no server is done within TOO_SHORT
TIMES = 10  # queries that each of two clients has under way at once


def row(key, title=None):
    return {"id": key, "title": title or f"t{key}", "vector": vector(key)}


def vector(x):
    return [float(x), 1.0, 0.0, 0.0]


def schema():
    fields = MilvusClient.create_schema(enable_dynamic_field=False)
    fields.add_field("id", DataType.INT64, is_primary=True)
    fields.add_field("title", DataType.VARCHAR, max_length=64)
    fields.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    return fields


def index():
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    return indexes


def own(names):
    return sorted(name for name in names if name.startswith(PREFIX))


def keys(rows):
    return sorted(row["id"] for row in rows)


def titles(rows):
    return sorted([row["id"], row["title"]] for row in rows)


def hits(result):
    return [[hit["id"], round(hit["distance"], 3)] for hit in result[0]]


def the_same(results):
    """What all are; a step whose repetitions differ shows them."""
    return results[0] if all(result == results[0] for result in results) else results


def error_text(error):
    if isinstance(error, MilvusException):
        return f"{error.code}: {error.message}"
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"


def tell(step, result=None, error=None):
    print(json.dumps({"step": step, "ok": error is None, "result": result, "error": error}), flush=True)
