"""The rules of a field (`buf.validate`) as bounds of JSON Schema. A rule without a word there is never dropped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

from buf.validate import validate_pb2 as validate
from rpc.openapi.source import Unsupported

_NUMBERS = frozenset(
    "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 float double".split()  # noqa: SIM905 - words
)
_FORMATS = ("email", "hostname", "ipv4", "ipv6", "uri", "uuid")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request's field must keep: words of JSON Schema, those of its elements, and what else is known."""

    words: Mapping[str, Any] = field(default_factory=dict)
    of_elements: "Bounds | None" = None
    examples: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    """Rules in CEL, in the words they are refused with."""
    needed: bool = False
    """Whether a request without the field is refused."""


def bounds_of(descriptor: FieldDescriptorProto) -> Bounds:
    """Read the rules beside a field; raise `Unsupported` for one that cannot be said."""
    rules = descriptor.options.Extensions[validate.field]
    return _bounds(rules, where=descriptor.name, optional=descriptor.proto3_optional)


def _bounds(rules: validate.FieldRules, *, where: str, optional: bool = False) -> Bounds:
    if rules.ignore == validate.IGNORE_ALWAYS:
        return Bounds()
    notes = (*(rule.message or rule.expression for rule in rules.cel), *rules.cel_expression)
    kind = rules.WhichOneof("type")
    if kind is None:
        return Bounds(notes=notes, needed=rules.required)
    read = _READERS.get("number" if kind in _NUMBERS else kind)
    if read is None:
        raise Unsupported(f"{where}: rules of {kind}")
    found = read(getattr(rules, kind), where)
    zero_passes = rules.ignore == validate.IGNORE_IF_ZERO_VALUE or optional
    needed = rules.required or (found.needed and not zero_passes)
    return replace(found, notes=notes, needed=needed)


def _number(rules: Any, where: str) -> Bounds:
    words = _translated(
        rules,
        {
            "gt": "exclusiveMinimum",
            "gte": "minimum",
            "lt": "exclusiveMaximum",
            "lte": "maximum",
            "const": "const",
            "in": "enum",
        },
        where,
    )
    refuses_zero = words.get("exclusiveMinimum", -1) >= 0 or words.get("minimum", 0) > 0
    return Bounds(words, examples=tuple(rules.example), needed=refuses_zero or words.get("const", 0) != 0)


def _string(rules: Any, where: str) -> Bounds:
    names = {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "const": "const", "in": "enum"}
    words = _translated(rules, names, where, also=(*_FORMATS, "len"))
    words |= next(({"format": name} for name in _FORMATS if getattr(rules, name)), {})
    if rules.HasField("len"):
        words |= {"minLength": rules.len, "maxLength": rules.len}
    needed = words.get("minLength", 0) > 0 or "format" in words or ("enum" in words and "" not in words["enum"])
    return Bounds(words, examples=tuple(rules.example), needed=needed)


def _repeated(rules: Any, where: str) -> Bounds:
    names = {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}
    words = _translated(rules, names, where, also=("items",))
    elements = _bounds(rules.items, where=where) if rules.HasField("items") else None
    return Bounds(words, of_elements=elements, needed=words.get("minItems", 0) > 0)


def _enum(rules: Any, where: str) -> Bounds:
    _translated(rules, {}, where, also=("defined_only", "example"))  # only names are offered anyway
    return Bounds()


_READERS: Mapping[str, Callable[[Any, str], Bounds]] = {
    "number": _number,
    "string": _string,
    "repeated": _repeated,
    "enum": _enum,
}


def _translated(rules: Message, names: Mapping[str, str], where: str, also: tuple[str, ...] = ()) -> dict[str, Any]:
    """The rules that are set, by their names in JSON Schema; `also` are read elsewhere."""
    words: dict[str, Any] = {}
    for rule, value in rules.ListFields():
        if rule.name in names:
            words[names[rule.name]] = list(value) if rule.is_repeated else value
        elif rule.name not in {*also, "example"}:
            raise Unsupported(f"{where}: the rule {rule.name}")
    return words
