#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds proto/milvus/*.proto, proto/*.def and proto/rest/*.def against the official descriptors of Milvus.

The official ones come with pymilvus, so this runs with a Python that has it. Prints every
difference; exit 0 when there is none, 1 when there are some, 2 when it cannot look.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import check_routes
import pymilvus  # noqa: F401  its grpc_gen cannot be imported without it
from google.protobuf import descriptor_pb2
from pymilvus.grpc_gen import common_pb2, feder_pb2, milvus_pb2, msg_pb2, rg_pb2, schema_pb2

FILES = ("common", "schema", "milvus")
OFFICIAL = (common_pb2, schema_pb2, milvus_pb2, feder_pb2, msg_pb2, rg_pb2)
DATABASE_FIELDS = ("db_name", "dbName")
COLLECTION_FIELDS = ("collection_name", "collectionName", "collection_names", "oldName",
                     "target_collection_name")
DATABASE = re.compile("db_?name|database", re.IGNORECASE)
# Milvus searches in the database of the whole request, whatever its parts name.
NOT_REACHING = {("HybridSearch", 5)}
REACH = re.compile(r"^REACH\((\w+), (\d+)\)$", re.MULTILINE)
STATUS = ".milvus.proto.common.Status"
NUMBER = re.compile(r"^NUMBER\((\w+), (\w+), (\d+)\)$", re.MULTILINE)
ROW = re.compile(r"^RPC\((\w+),\s*(\d+|NESTED\(\s*\d+\s*,\s*\d+\s*\)),\s*"
                 r"(\d+|NESTED\(\s*\d+\s*,\s*\d+\s*\)),(.*),\s*(\w+)\s*\)$")


class Index:
    """Messages and enums of some files by full name, with the leading dot of type_name."""

    def __init__(self, files):
        self.messages = {}
        self.enums = {}
        for file in files:
            prefix = "." + file.package
            self._add_enums(prefix, file.enum_type)
            for message in file.message_type:
                self._add_message(prefix, message)

    def _add_enums(self, prefix, enums):
        for enum in enums:
            self.enums[f"{prefix}.{enum.name}"] = enum

    def _add_message(self, prefix, message):
        name = f"{prefix}.{message.name}"
        self.messages[name] = message
        self._add_enums(name, message.enum_type)
        for nested in message.nested_type:
            self._add_message(name, nested)


def official_files():
    files = []
    for module in OFFICIAL:
        proto = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(proto)
        files.append(proto)
    return files


def subset_files(folder, protoc):
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run([protoc, f"-I{folder}", f"--descriptor_set_out={out.name}",
                        *(f"milvus/{name}.proto" for name in FILES)], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read()).file


def oneof_of(message, field):
    """The oneof that the field is a member of; the hidden one of an `optional` is none."""
    if not field.HasField("oneof_index") or field.proto3_optional:
        return None
    return message.oneof_decl[field.oneof_index].name


def fact_sheet(message, field):
    types = descriptor_pb2.FieldDescriptorProto.Type
    labels = descriptor_pb2.FieldDescriptorProto.Label
    return {"name": field.name, "type": types.Name(field.type), "of": field.type_name,
            "label": labels.Name(field.label), "oneof": oneof_of(message, field)}


def compare_message(name, mine, theirs):
    if mine.options.map_entry != theirs.options.map_entry:
        yield f"{name}: one is a map's entry, the other is not"
    known = {field.number: field for field in theirs.field}
    for field in mine.field:
        if field.number not in known:
            yield f"{name}.{field.name} = {field.number}: no such number in the original"
            continue
        here = fact_sheet(mine, field)
        there = fact_sheet(theirs, known[field.number])
        for key in here:
            if here[key] != there[key]:
                yield f"{name}.{field.name}: {key} is {here[key]}, original {there[key]}"


def compare_enum(name, mine, theirs):
    known = {value.number: value.name for value in theirs.value}
    for value in mine.value:
        if known.get(value.number) != value.name:
            yield (f"{name}.{value.name} = {value.number}: "
                   f"original {known.get(value.number, 'has no such number')}")
    # Enums are printed by name: one that lacks values would print numbers.
    missing = set(known.values()) - {value.name for value in mine.value}
    for value in sorted(missing):
        yield f"{name}: lacks {value}"


def compare_subset(mine, theirs):
    for name, message in mine.messages.items():
        if name in theirs.messages:
            yield from compare_message(name, message, theirs.messages[name])
        else:
            yield f"{name}: no such message in the original"
    for name, enum in mine.enums.items():
        if name in theirs.enums:
            yield from compare_enum(name, enum, theirs.enums[name])
        else:
            yield f"{name}: no such enum in the original"


def compare_numbers(path, index):
    """Numbers of fields that C has by their names: a message is of one of the packages of FILES."""
    for message, field, number in NUMBER.findall(path.read_text()):
        known = {(name, known.name): known.number
                 for name in (f".milvus.proto.{package}.{message}" for package in FILES)
                 if name in index.messages for known in index.messages[name].field}
        numbers = [value for (_, name), value in known.items() if name == field]
        if numbers != [int(number)]:
            yield f"{path.name}: {message}.{field} = {number}: original {numbers}"


def read_rows(path):
    """(line, RPC, database, collection, status) of each row; None for a line that is no row."""
    in_comment = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if in_comment or text.startswith("/*"):
            in_comment = not text.endswith("*/")
            continue
        if not text or text.startswith(("*", "#")):
            continue
        row = ROW.match(text)
        yield (number, *(re.sub(r"\s", "", row.group(i)) for i in (1, 2, 3, 5))) if row \
            else (number, None, text, None, None)


def number_of(message, names):
    for name in names:
        for field in message.field:
            if field.name == name:
                return str(field.number)
    return "0"


def database_of(index, message):
    direct = number_of(message, DATABASE_FIELDS)
    if direct != "0":
        return direct
    for field in message.field:
        if field.name == "entity" and field.type_name in index.messages:
            inner = number_of(index.messages[field.type_name], DATABASE_FIELDS)
            if inner != "0":
                return f"NESTED({field.number},{inner})"
    return "0"


def statuses_of(index, method):
    """What the status column may say of this RPC."""
    if method.output_type == STATUS:
        form = "DIRECT"
    else:
        numbers = [field.number for field in index.messages[method.output_type].field
                   if field.type_name == STATUS]
        form = f"FIELD{min(numbers)}" if numbers else "NONE"
    streams = method.client_streaming or method.server_streaming
    return (form, "STREAM") if streams else (form,)


def compare_row(index, method, database, collection, status):
    request = index.messages[method.input_type]
    if database != database_of(index, request):
        yield f"{method.name}: database {database}, original {database_of(index, request)}"
    expected = number_of(request, COLLECTION_FIELDS)
    if collection != expected:
        yield f"{method.name}: collection {collection}, original {expected}"
    if status not in statuses_of(index, method):
        yield f"{method.name}: status {status}, original {statuses_of(index, method)[0]}"


def further_databases(index, message, known):
    """Numbers of the request's fields that name a database too, by themselves or in their message."""
    for field in message.field:
        inner = index.messages.get(field.type_name)
        names = [field.name] + ([nested.name for nested in inner.field] if inner else [])
        is_known = str(field.number) == known.split(",")[0].removeprefix("NESTED(")
        if not is_known and any(map(DATABASE.search, names)):
            yield field.number


def compare_reaches(path, index, methods, rows):
    """NOT_REACHING says which of them Milvus pays no heed to."""
    mine = {(name, int(field)) for name, field in REACH.findall(path.read_text())}
    theirs = {(name, number) for _, name, database, *_ in rows if name in methods
              for number in further_databases(index, index.messages[methods[name].input_type],
                                              database)}
    for name, number in sorted(mine ^ (theirs - NOT_REACHING)):
        what = "no database there" if (name, number) in mine else "names a database, and is missing"
        yield f"{path.name}: {name}, field {number}: {what}"


def service_methods(files):
    for file in files:
        for service in file.service:
            if service.name == "MilvusService":
                return {method.name: method for method in service.method}
    return {}


def compare_table(path, index, methods):
    seen = set()
    for line, name, database, collection, status in read_rows(path):
        where = f"{path.name}:{line}: "
        if name is None:
            yield f"{where}not a row: {database}"
        elif name in seen:
            yield f"{where}{name} stands twice"
        elif name not in methods:
            yield f"{where}{name}: no such RPC in the original"
        else:
            for fault in compare_row(index, methods[name], database, collection, status):
                yield where + fault
        seen.add(name)
    for name in methods.keys() - seen:
        yield f"{path.name}: lacks {name}"


def main():
    root = pathlib.Path(__file__).resolve().parents[2] / "proto"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proto", type=pathlib.Path, default=root, help="folder of milvus/*.proto")
    parser.add_argument("--rpcs", type=pathlib.Path, default=root / "rpcs.def")
    parser.add_argument("--routes", type=pathlib.Path, default=root / "rest" / "routes.def")
    parser.add_argument("--protoc", default="protoc")
    arguments = parser.parse_args()

    theirs = official_files()
    index = Index(theirs)
    try:
        mine = Index(subset_files(arguments.proto, arguments.protoc))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"check_descriptors: {error}", file=sys.stderr)
        return 2
    faults = sorted(compare_subset(mine, index))
    methods = service_methods(theirs)
    faults += sorted(compare_table(arguments.rpcs, index, methods))
    reaches = arguments.rpcs.with_name("reaches.def")
    faults += compare_reaches(reaches, index, methods, read_rows(arguments.rpcs))
    faults += check_routes.compare_routes(arguments.routes, index, methods)
    faults += compare_numbers(arguments.routes.with_name("numbers.def"), index)
    print("\n".join(faults) if faults else
          f"{len(mine.messages)} messages, {len(mine.enums)} enums and the tables of RPCs and routes agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
