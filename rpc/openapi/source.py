"""A descriptor image as it is read here: every message, method and field by its full name, with its comment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf import descriptor_pb2 as pb

_MESSAGE, _SERVICE = 4, 6
_FIELD, _NESTED, _METHOD = 2, 3, 2
"""Where a comment's path in the source information leads, as descriptor.proto numbers it."""


class Unsupported(Exception):
    """The `.proto` says something that this generator has no words for: teach it here, or say it another way."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message, and what is written above it and its fields."""

    descriptor: pb.DescriptorProto
    comment: str
    field_comments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Method:
    """A method, and what is written above it."""

    descriptor: pb.MethodDescriptorProto
    comment: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its methods, in the order of the file."""

    name: str
    package: str
    comment: str
    methods: Sequence[Method]


class Source:
    """What an image holds; built once."""

    def __init__(self, image: pb.FileDescriptorSet) -> None:
        self._files = {file.name: file for file in image.file}
        self._messages = {name: message for file in image.file for name, message in _messages(file)}

    def services(self, file: str) -> list[Service]:
        """Return the services of one file."""
        found = self._files[file]
        comments = _comments(found)
        return [
            Service(
                name=service.name,
                package=found.package,
                comment=comments.get((_SERVICE, number), ""),
                methods=[
                    Method(method, comments.get((_SERVICE, number, _METHOD, index), ""))
                    for index, method in enumerate(service.method)
                ],
            )
            for number, service in enumerate(found.service)
        ]

    def message(self, name: str) -> Message:
        """Return the message with this full name, as in `.rpc.loms.v1.Item`."""
        return self._messages[name]


def _messages(file: pb.FileDescriptorProto) -> Iterator[tuple[str, Message]]:
    comments = _comments(file)
    for number, message in enumerate(file.message_type):
        yield from _with_nested(message, f".{file.package}", (_MESSAGE, number), comments)


def _with_nested(
    message: pb.DescriptorProto, within: str, path: tuple[int, ...], comments: dict[tuple[int, ...], str]
) -> Iterator[tuple[str, Message]]:
    name = f"{within}.{message.name}"
    said = [comments.get((*path, _FIELD, index), "") for index in range(len(message.field))]
    yield name, Message(message, comments.get(path, ""), said)
    for number, nested in enumerate(message.nested_type):
        yield from _with_nested(nested, name, (*path, _NESTED, number), comments)


def _comments(file: pb.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """The comment above each thing, one line a sentence's worth of lines became one."""
    located = file.source_code_info.location
    return {tuple(each.path): " ".join(each.leading_comments.split()) for each in located if each.leading_comments}
