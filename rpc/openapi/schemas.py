"""Messages as JSON Schema, once as a caller writes them and once as the service does.

The two differ: a request's int64 may be a string or a number and keeps its rules; an answer's is a string, and every
field is in an answer, zeros too. A message used both ways becomes two schemas, the request's with the suffix Input.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from buf.validate import validate_pb2 as validate
from rpc.openapi.rules import Bounds, bounds_of
from rpc.openapi.source import Message, Source, Unsupported

Schema = dict[str, Any]

_WELL_KNOWN: Mapping[str, Schema] = {
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
}
_RANGES: Mapping[int, tuple[str, int, int]] = {
    Field.TYPE_INT32: ("int32", -(2**31), 2**31 - 1),
    Field.TYPE_UINT32: ("uint32", 0, 2**32 - 1),
    Field.TYPE_INT64: ("int64", -(2**63), 2**63 - 1),
    Field.TYPE_UINT64: ("uint64", 0, 2**64 - 1),
}
_AS_STRINGS = frozenset({Field.TYPE_INT64, Field.TYPE_UINT64})
_PLAIN: Mapping[int, Schema] = {
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_DOUBLE: {"type": "number"},
    Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}


class Schemas:
    """The schemas of one document, collected while its methods are described."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.components: dict[str, Schema] = {}
        self._answered: set[str] = set()

    def answer(self, name: str) -> Schema:
        """Refer to a message as the service writes it. Describe all answers before the first request."""
        self._answered.add(name)
        return self._component(name, _last(name), _answered_value)

    def request(self, name: str) -> Schema:
        """Refer to a message as a caller writes it."""
        suffix = "Input" if name in self._answered else ""
        return self._component(name, _last(name) + suffix, _requested_value)

    def parameters(self, name: str) -> list[Schema]:
        """Describe the fields of a request that travel in the query."""
        message = self._source.message(name)
        _refuse_rules_of_whole(message)
        return [self._parameter(field, comment) for field, comment in _fields(message)]

    def _parameter(self, field: Field, comment: str) -> Schema:
        bounds = bounds_of(field)
        schema = _in_query(field, bounds)
        if field.label == Field.LABEL_REPEATED or schema is None:
            raise Unsupported(f"{field.name}: a list or an object in a query")
        parameter = {"name": field.json_name, "in": "query", "required": bounds.needed, "schema": schema}
        return _described(parameter, " ".join([comment, *bounds.notes]).strip())

    def _component(self, name: str, title: str, value_of: "Callable[[Schemas, Field], Schema]") -> Schema:
        if title not in self.components:
            self.components[title] = {}  # its place, also for a message within itself
            message = self._source.message(name)
            _refuse_rules_of_whole(message)
            properties = {
                field.json_name: _described(value_of(self, field), " ".join([comment, *bounds_of(field).notes]).strip())
                for field, comment in _fields(message)
            }
            required = _needed(message) if value_of is _requested_value else _always_told(message)
            described = _described({"type": "object", "properties": properties}, message.comment)
            self.components[title] = described | ({"required": required} if required else {})
        return {"$ref": f"#/components/schemas/{title}"}


def _requested_value(schemas: Schemas, field: Field) -> Schema:
    bounds = bounds_of(field)
    if field.label == Field.LABEL_REPEATED:
        element = _requested(schemas, field, bounds.of_elements or Bounds())
        return {"type": "array", "items": element, **bounds.words}
    return _requested(schemas, field, bounds)


def _requested(schemas: Schemas, field: Field, bounds: Bounds) -> Schema:
    if field.type == Field.TYPE_MESSAGE:
        return _WELL_KNOWN.get(field.type_name) or schemas.request(field.type_name)
    if field.type in _AS_STRINGS:
        return _number_or_its_digits(field, bounds)
    return _scalar(field, bounds)


def _answered_value(schemas: Schemas, field: Field) -> Schema:
    value = _answered(schemas, field)
    return {"type": "array", "items": value} if field.label == Field.LABEL_REPEATED else value


def _answered(schemas: Schemas, field: Field) -> Schema:
    if field.type == Field.TYPE_MESSAGE:
        return _WELL_KNOWN.get(field.type_name) or schemas.answer(field.type_name)
    if field.type in _AS_STRINGS:
        return {"type": "string", "format": _RANGES[field.type][0], "pattern": "^-?[0-9]+$"}
    return _scalar(field, Bounds())


def _in_query(field: Field, bounds: Bounds) -> Schema | None:
    return None if field.type == Field.TYPE_MESSAGE else _scalar(field, bounds)


def _scalar(field: Field, bounds: Bounds) -> Schema:
    examples = {"examples": list(bounds.examples)} if bounds.examples else {}
    if field.type in _RANGES:
        return {"type": "integer", **_range(field, bounds), **examples}
    if field.type in _PLAIN:
        return {**_PLAIN[field.type], **bounds.words, **examples}
    raise Unsupported(f"{field.name}: type {Field.Type.Name(field.type)}")


def _range(field: Field, bounds: Bounds) -> Schema:
    """The range of the type, narrowed by the rules."""
    name, least, most = _RANGES[field.type]
    low = {} if "exclusiveMinimum" in bounds.words else {"minimum": least}
    high = {} if "exclusiveMaximum" in bounds.words else {"maximum": most}
    return {"format": name, **low, **high, **bounds.words}


def _number_or_its_digits(field: Field, bounds: Bounds) -> Schema:
    """64 bits as digits in a string, exact everywhere, or as a number: a pattern binds the one, a range the other."""
    reach = _range(field, bounds)
    least = reach.get("minimum", reach.get("exclusiveMinimum", -1) + 1)
    digits = "^[1-9][0-9]*$" if least > 0 else "^[0-9]+$" if least == 0 else "^-?[0-9]+$"
    examples = {"examples": [str(each) for each in bounds.examples]} if bounds.examples else {}
    return {"type": ["string", "integer"], **reach, "pattern": digits, "maxLength": len(str(2**63)) + 1, **examples}


def _refuse_rules_of_whole(message: Message) -> None:
    if message.descriptor.options.HasExtension(validate.message):
        raise Unsupported(f"{message.descriptor.name}: rules of a whole message")


def _fields(message: Message) -> Iterator[tuple[Field, str]]:
    return zip(message.descriptor.field, message.field_comments, strict=True)


def _needed(message: Message) -> list[str]:
    return [field.json_name for field, _ in _fields(message) if bounds_of(field).needed]


def _always_told(message: Message) -> list[str]:
    """Zeros are printed; only messages, and fields that know whether they are set, may be missing."""
    return [
        field.json_name
        for field, _ in _fields(message)
        if field.label == Field.LABEL_REPEATED
        or (field.type != Field.TYPE_MESSAGE and not field.proto3_optional and not field.HasField("oneof_index"))
    ]


def _described(schema: Schema, comment: str) -> Schema:
    return {"description": comment, **schema} if comment else schema


def _last(name: str) -> str:
    return name.rpartition(".")[2]
