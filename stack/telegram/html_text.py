"""Reads a text with `parse_mode=HTML` the way the Bot API does: tags become entities, or the whole text is refused.

Offsets of entities count UTF-16 units, offsets in refusals count bytes, both as the real API does. The rules follow
https://core.telegram.org/bots/api#html-style and the texts of its refusals.
"""

import html
import re
from dataclasses import dataclass, field

from stack.telegram import refusals

_ENTITY_OF_TAG = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "blockquote": "blockquote",
}
_NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_CHARACTER = re.compile(r"&(?:#(?:x[0-9a-fA-F]+|[0-9]+)|[a-z]+);?")
_START_TAG_NAME = re.compile(r"<([^\s>]*)")
_END_TAG = re.compile(r"</([^\s>]*)\s*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>/\"']*")
_BARE_VALUE = re.compile(r"[\w.\-]*", re.ASCII)
_SPACE = re.compile(r"\s*")
_LITERAL = re.compile(r"[^<&]+")


@dataclass(slots=True)
class FormattedText:
    """The text people see, and which ranges of it are bold, linked and so on."""

    text: str
    entities: list[dict[str, object]] = field(default_factory=list)


def parse_html(source: str) -> FormattedText:
    """Give the visible text with its entities; raise the 400 the real API answers when the markup is broken."""
    if "<" not in source and "&" not in source:
        return FormattedText(source)
    return _Parser(source).parse()


def utf16_length(text: str) -> int:
    """Count as Telegram counts: characters outside the first plane are two units."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(slots=True)
class _OpenTag:
    name: str
    offset: int
    attributes: dict[str, str]


class _Parser:
    """One pass over one text; the open tags are a stack."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._visible: list[str] = []
        self._units = 0
        self._open: list[_OpenTag] = []
        self._entities: list[dict[str, object]] = []

    def parse(self) -> FormattedText:
        while self._at < len(self._source):
            self._step()
        if self._open:
            raise refusals.cannot_parse(f'Can\'t find end tag corresponding to start tag "{self._open[-1].name}"')
        self._entities.sort(key=lambda entity: (entity["offset"], -_int(entity["length"])))
        return FormattedText("".join(self._visible), self._entities)

    def _step(self) -> None:
        if self._source.startswith("</", self._at):
            self._end_tag()
        elif self._source[self._at] == "<":
            self._start_tag()
        elif self._source[self._at] == "&":
            self._character()
        else:
            match = _LITERAL.match(self._source, self._at)
            self._show(match.group() if match else self._source[self._at])
            self._at = match.end() if match else self._at + 1

    def _show(self, text: str) -> None:
        self._visible.append(text)
        self._units += utf16_length(text)

    def _character(self) -> None:
        match = _CHARACTER.match(self._source, self._at)
        decoded = _decoded(match.group()) if match else None
        self._show(decoded or "&")
        self._at = match.end() if match and decoded else self._at + 1

    def _start_tag(self) -> None:
        begin = self._at
        match = _START_TAG_NAME.match(self._source, begin)
        name = match.group(1).lower() if match else ""
        self._at = match.end() if match else begin + 1
        if self._at >= len(self._source):
            raise refusals.cannot_parse(f"Unclosed start tag at byte offset {self._byte(begin)}")
        if name not in _ENTITY_OF_TAG:
            raise refusals.cannot_parse(f'Unsupported start tag "{name}" at byte offset {self._byte(begin)}')
        attributes = self._attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise refusals.cannot_parse(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(begin)}')
        self._open.append(_OpenTag(name, self._units, attributes))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        """Read up to and including the closing bracket."""
        attributes: dict[str, str] = {}
        while True:
            self._skip_space()
            if self._at >= len(self._source):
                raise refusals.cannot_parse(f'Unclosed start tag "{tag}" at byte offset {self._byte(begin)}')
            if self._source[self._at] == ">":
                self._at += 1
                return attributes
            name = self._match(_ATTRIBUTE_NAME)
            if not name:
                raise refusals.cannot_parse(
                    f'Empty attribute name in the tag "{tag}" at byte offset {self._byte(begin)}'
                )
            attributes[name.lower()] = self._value()

    def _value(self) -> str:
        self._skip_space()
        if not self._source.startswith("=", self._at):
            return ""
        self._at += 1
        self._skip_space()
        quote = self._source[self._at : self._at + 1]
        if quote not in {"'", '"'}:
            return self._bare_value()
        end = self._source.find(quote, self._at + 1)
        end = len(self._source) if end < 0 else end
        value = html.unescape(self._source[self._at + 1 : end])
        self._at = end + 1
        return value

    def _bare_value(self) -> str:
        begin = self._at
        value = self._match(_BARE_VALUE)
        if self._at < len(self._source) and not (self._source[self._at].isspace() or self._source[self._at] == ">"):
            raise refusals.cannot_parse(f"Unexpected end of name token at byte offset {self._byte(begin)}")
        return value.lower()

    def _end_tag(self) -> None:
        begin = self._at
        if not self._open:
            raise refusals.cannot_parse(f"Unexpected end tag at byte offset {self._byte(begin)}")
        match = _END_TAG.match(self._source, begin)
        name = match.group(1).lower() if match else ""
        self._at = match.end() if match else begin
        if not self._source.startswith(">", self._at):
            raise refusals.cannot_parse(f"Unclosed end tag at byte offset {self._byte(begin)}")
        self._at += 1
        tag = self._open.pop()
        if name and name != tag.name:
            raise refusals.cannot_parse(
                f'Unmatched end tag at byte offset {self._byte(begin)}, expected "</{tag.name}>", found "</{name}>"'
            )
        self._close(tag)

    def _close(self, tag: _OpenTag) -> None:
        length = self._units - tag.offset
        if length == 0 or (tag.name == "a" and not tag.attributes.get("href")):
            return
        entity: dict[str, object] = {"type": _ENTITY_OF_TAG[tag.name], "offset": tag.offset, "length": length}
        if tag.name == "a":
            entity["url"] = tag.attributes["href"]
        if tag.name == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        self._entities.append(entity)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._source, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _skip_space(self) -> None:
        self._match(_SPACE)

    def _byte(self, position: int) -> int:
        return len(self._source[:position].encode())


def _decoded(reference: str) -> str | None:
    """Decode what the Bot API decodes: four names and numeric references; anything else stays as written."""
    body = reference[1:].removesuffix(";")
    if not body.startswith("#"):
        return _NAMED_CHARACTERS.get(body)
    decoded = html.unescape(f"&{body};")
    return decoded if decoded != "\ufffd" else None


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
