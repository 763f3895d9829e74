# SPDX-License-Identifier: Apache-2.0
"""Holds proto/rest/routes.def against the official descriptors: a part of check_descriptors.py."""
import re

from google.protobuf import descriptor_pb2

FIELD_TYPES = descriptor_pb2.FieldDescriptorProto
NUMBERS = {FIELD_TYPES.TYPE_INT32, FIELD_TYPES.TYPE_INT64, FIELD_TYPES.TYPE_UINT32,
           FIELD_TYPES.TYPE_UINT64}
TEXTS = {FIELD_TYPES.TYPE_STRING, FIELD_TYPES.TYPE_BYTES}
PAIR = ".milvus.proto.common.KeyValuePair"
# What a kind may be, of the types that are no messages.
TYPES = {"TEXT": TEXTS, "TEXTS": TEXTS, "JOINED": TEXTS, "JSON": TEXTS, "SECRET": TEXTS,
         "INT": NUMBERS, "JOB": {FIELD_TYPES.TYPE_INT64}, "INT32": {FIELD_TYPES.TYPE_INT32},
         "BOOL": {FIELD_TYPES.TYPE_BOOL}, "WORD": {FIELD_TYPES.TYPE_ENUM},
         "FIXED": {FIELD_TYPES.TYPE_BOOL, FIELD_TYPES.TYPE_ENUM}}
LISTS = {"TEXTS", "JOINED", "OBJECTS", "PAIRS", "PAIR_LIST", "PAIR_VALUE", "PAIR_COUNT", "MAP",
         "COUNTS"}
REQUEST_ONLY = {"INT32", "SECRET", "JSON", "PAIRS", "MAP", "FIXED"}
REPLY_ONLY = {"PAIR_LIST", "PAIR_VALUE", "PAIR_COUNT", "COUNTS", "JOINED"}
# Lists in Milvus of which REST fills one element.
SINGLE = {"flush.collectionName", "add_field.schema", "output_function.function"}
# The shapes that only plans use, by the messages they fill or read: name, message, of a reply.
PLANS = (("schema", "schema.CollectionSchema", False),
         ("field", "schema.FieldSchema", False),
         ("index_param", "milvus.CreateIndexRequest", False),
         ("create_params", "milvus.CreateCollectionRequest", False),
         ("load_state", "milvus.GetLoadingProgressRequest", False),
         ("output_field", "milvus.AlterCollectionSchemaRequest.FieldInfo", False),
         ("output_index", "milvus.AlterCollectionSchemaRequest.FieldInfo", False),
         ("output_function", "milvus.AlterCollectionSchemaRequest.AddRequest", False),
         ("described_indexes", "milvus.DescribeIndexResponse", True),
         ("described_aliases", "milvus.ListAliasesResponse", True),
         ("described_load", "milvus.GetLoadStateResponse", True))


def split(text):
    """The arguments of a macro's call: commas within parentheses part none."""
    depth, start, parts = 0, 0, []
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return parts + [text[start:].strip()]


def calls(text):
    """(name, arguments) of the macros called in a text, one after the other."""
    at = 0
    while match := re.compile(r"\s*(\w+)\(").match(text, at):
        depth, end = 1, match.end()
        while depth > 0:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        yield match.group(1), split(text[match.end():end - 1])
        at = end
    if text[at:].strip():
        yield "?", [text[at:].strip()[:60]]


def snake(name):
    """DataType as the generated C names it: data_type."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Routes:
    """The table, and what of it does not agree with the descriptors."""

    def __init__(self, path, index, methods):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        self.index = index
        self.methods = methods
        self.shapes = {}
        self.routes = []
        self.used = set()
        for name, arguments in calls(text):
            if name == "SHAPE":
                self.shapes[arguments[0]] = [found[1] for found in calls(arguments[1])]
            else:
                self.routes.append((name, arguments))

    def _follow(self, message, names, numbers):
        """The last field, and whether one of them repeats; or what is wrong."""
        repeats = False
        field = None
        if len(names) != len(numbers):
            return None, f"{len(names)} names, {len(numbers)} numbers"
        for name, number in zip(names, numbers):
            found = message and next((f for f in message.field if f.name == name), None)
            if not found or str(found.number) != number:
                return None, f"{name} = {number}: original {found.number if found else 'has none'}"
            field = found
            repeats |= field.label == FIELD_TYPES.LABEL_REPEATED
            message = self.index.messages.get(field.type_name)
        return (field, repeats), None

    def _entry_value(self, field):
        """Of a map's field, the field of its values."""
        entry = self.index.messages.get(field.type_name)
        if entry and entry.options.map_entry:
            return entry.field[1]
        return None

    def _pairs(self, kind, field):
        value = self._entry_value(field)
        if kind == "PAIRS" and value:
            return value.type == FIELD_TYPES.TYPE_STRING
        return field.type_name == PAIR

    def _fits(self, kind, argument, field, reply):
        """Faults of a field of that kind."""
        value = self._entry_value(field)
        if kind in ("OBJECT", "OBJECTS"):
            yield from self._shape(argument, field.type_name, reply)
        elif kind == "MAP":
            yield from self._shape(argument, value.type_name if value else "none", reply)
        elif kind == "COUNTS":
            if not value or value.type not in NUMBERS:
                yield "no map of numbers"
        elif kind == "VALUE":
            if field.type_name != ".milvus.proto.schema.ValueField":
                yield "no ValueField"
        elif kind.startswith("PAIR"):
            if not self._pairs(kind, field):
                yield "no KeyValuePairs"
        elif field.type not in TYPES.get(kind, ()):
            yield f"is no {kind}"
        elif kind == "WORD":
            words = field.type_name.removeprefix(".milvus.proto.").split(".")
            if argument != "__".join(map(snake, words)):
                yield f"is of {field.type_name}"

    def _field(self, where, arguments, message, reply):
        kind, names, numbers = arguments[0], arguments[1].split("."), arguments[2:]
        kind, _, argument = kind.partition("(")
        found, fault = self._follow(message, names, numbers)
        if fault:
            yield f"{where}: {fault}"
            return
        field, repeats = found
        if kind in (REQUEST_ONLY if reply else REPLY_ONLY):
            yield f"{where}: {kind} is for the other way"
        if repeats != (kind in LISTS) and where not in SINGLE:
            yield f"{where}: {'repeats' if repeats else 'does not repeat'}"
        for fault in self._fits(kind, argument.rstrip(")"), field, reply):
            yield f"{where}: {fault}"

    def _shape(self, name, message_name, reply):
        self.used.add(name)
        message = self.index.messages.get(message_name)
        if name not in self.shapes or not message:
            yield f"{name}: no such shape, or no message {message_name}"
            return
        for arguments in self.shapes[name]:
            yield from self._field(f"{name}.{arguments[0]}", arguments[2:], message, reply)

    def _route(self, path, rpc, request, data):
        if rpc not in self.methods:
            yield f"{path}: no RPC {rpc}"
            return
        method = self.methods[rpc]
        if request != "none":
            yield from self._shape(request, method.input_type, False)
        for form, arguments in calls(data.replace("EMPTY", "EMPTY()")):
            reply = self.index.messages[method.output_type]
            if form == "ALL":
                yield from self._shape(arguments[0], method.output_type, True)
            elif form == "ONE":
                yield from self._field(path, arguments, reply, True)

    def faults(self):
        for name, arguments in self.routes:
            if name == "ROUTE" and len(arguments) == 5:
                path, rpc, _, request, data = arguments
                yield from self._route(path, rpc, request, data)
            elif name != "FORWARD":
                yield f"not a row: {name} {arguments[0]}"
        for shape, message, reply in PLANS:
            yield from self._shape(shape, f".milvus.proto.{message}", reply)
        for shape in sorted(self.shapes.keys() - self.used):
            yield f"{shape}: a shape that nothing uses"


def compare_routes(path, index, methods):
    return sorted({f"{path.name}: {fault}" for fault in Routes(path, index, methods).faults()})
