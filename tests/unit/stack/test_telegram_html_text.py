"""Texts with HTML are read as the Bot API reads them, and refused where it refuses."""

import contextlib
import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.telegram.html_text import parse_html
from stack.telegram.refusals import ApiRefusal


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain & simple", "plain & simple", []),
        ("<b>bold</b> rest", "bold rest", [("bold", 0, 4)]),
        ("🧾 <b>42</b>", "🧾 42", [("bold", 3, 2)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("&lt;b&gt; &amp; &quot;x&quot; &#33; &#x21;", '<b> & "x" ! !', []),
        ("&nbsp; &unknown;", "&nbsp; &unknown;", []),
        ('<a href="https://example.org/?a=1&amp;b=2">here</a>', "here", [("text_link", 0, 4)]),
        ("<span class='tg-spoiler'>psst</span>", "psst", [("spoiler", 0, 4)]),
        ("<blockquote expandable>long</blockquote>", "long", [("expandable_blockquote", 0, 4)]),
        ("<STRONG>x</STRONG>", "x", [("bold", 0, 1)]),
        ("<b></b>x", "x", []),
    ],
)
def test_markup_becomes_ranges(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    parsed = parse_html(source)

    assert parsed.text == text
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in parsed.entities] == entities


def test_a_link_carries_its_decoded_address() -> None:
    parsed = parse_html('<a href="https://example.org/?a=1&amp;b=2">here</a>')

    assert parsed.entities[0]["url"] == "https://example.org/?a=1&b=2"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("🧾<x>", 'Unsupported start tag "x" at byte offset 4'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<a href='x", 'Unclosed start tag "a" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href=x/y>x</a>", "Unexpected end of name token at byte offset 8"),
        ("<b =x>x</b>", 'Empty attribute name in the tag "b" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_broken_markup_refuses_the_whole_text(source: str, reason: str) -> None:
    with pytest.raises(ApiRefusal) as refused:
        parse_html(source)

    assert (refused.value.code, refused.value.description) == (400, f"Bad Request: can't parse entities: {reason}")


@given(st.text())
def test_an_escaped_text_is_shown_as_it_was(text: str) -> None:
    assert parse_html(html.escape(text, quote=False)).text == text


@given(st.text(alphabet="<>/&;ab =\"'🧾", max_size=30))
def test_any_text_is_read_or_refused(source: str) -> None:
    with contextlib.suppress(ApiRefusal):
        assert len(parse_html(source).text) <= len(source)
