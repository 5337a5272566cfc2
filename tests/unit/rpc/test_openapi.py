"""What the document says of a call, written by hand beside what the `.proto` says of it."""

from typing import Any

import google.api.annotations_pb2
import pytest
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from buf.validate import validate_pb2
from rpc.openapi import document
from rpc.openapi.source import Unsupported

EXTENSIONS = (google.api.annotations_pb2.http, validate_pb2.field)  # a text names them only once they are known


def described(fields: str, *, http: str = 'get: "/shelf"', comment: str = " Reads a shelf.\\n") -> dict[str, Any]:
    """The document of a service with one call, ReadShelf, whose request has these fields."""
    image = text_format.Parse(
        f"""
        file {{
          name: "shop.proto" package: "shop.v1"
          message_type {{ name: "ReadShelfRequest" {fields} }}
          message_type {{
            name: "Shelf"
            field {{ name: "shelf_id" json_name: "shelfId" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }}
            field {{ name: "seen_at" json_name: "seenAt" number: 2 label: LABEL_OPTIONAL
                     type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }}
            field {{ name: "books" json_name: "books" number: 3 label: LABEL_REPEATED
                     type: TYPE_MESSAGE type_name: ".shop.v1.Book" }}
          }}
          message_type {{
            name: "Book"
            field {{ name: "title" json_name: "title" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }}
          }}
          service {{
            name: "ShopService"
            method {{ name: "ReadShelf" input_type: ".shop.v1.ReadShelfRequest" output_type: ".shop.v1.Shelf"
                      options {{ [google.api.http] {{ {http} }} }} }}
          }}
          source_code_info {{
            location {{ path: [6, 0] leading_comments: " Sells books.\\n" }}
            location {{ path: [6, 0, 2, 0] leading_comments: "{comment}" }}
            location {{ path: [4, 0, 2, 0] leading_comments: " The first\\n line of it.\\n" }}
          }}
        }}
        """,
        FileDescriptorSet(),
    )
    return document(image, "shop.proto")


def a_field(name: str, kind: str, rules: str = "", *, more: str = "label: LABEL_OPTIONAL") -> str:
    options = f"options {{ [buf.validate.field] {{ {rules} }} }}" if rules else ""
    return f'field {{ name: "{name}" json_name: "{name}" number: 1 type: {kind} {more} {options} }}'


def asked(field: str) -> dict[str, Any]:
    """How the one field of a body is described."""
    shown: dict[str, Any] = described(field, http='post: "/shelf" body: "*"')["components"]["schemas"][
        "ReadShelfRequest"
    ]
    return shown


def in_query(field: str) -> dict[str, Any]:
    parameter: dict[str, Any] = described(field)["paths"]["/shelf"]["get"]["parameters"][0]
    return parameter


def test_64_bits_in_a_body_are_a_number_or_its_digits_and_keep_the_rule_either_way() -> None:
    schema = asked(a_field("sku", "TYPE_INT64", "int64 { gt: 0 example: 7 }"))

    assert schema["required"] == ["sku"]
    assert schema["properties"]["sku"] == {
        "description": "The first line of it.",
        "type": ["string", "integer"],
        "format": "int64",
        "exclusiveMinimum": 0,
        "maximum": 9223372036854775807,
        "pattern": "^[1-9][0-9]*$",
        "maxLength": 20,
        "examples": ["7"],
    }


def test_a_field_of_a_query_is_a_number_with_its_bounds() -> None:
    assert in_query(a_field("page_size", "TYPE_INT32", "int32 { gte: 0 lte: 100 }")) == {
        "name": "page_size",
        "in": "query",
        "required": False,
        "description": "The first line of it.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 100},
    }


@pytest.mark.parametrize(
    ("field", "words", "needed"),
    [
        (
            a_field("f", "TYPE_UINT32"),
            {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 4294967295},
            False,
        ),
        (
            a_field("f", "TYPE_UINT32", "uint32 { gt: 2 lt: 9 }"),
            {"type": "integer", "format": "uint32", "exclusiveMinimum": 2, "exclusiveMaximum": 9},
            True,
        ),
        (a_field("f", "TYPE_STRING", "string { max_len: 9 }"), {"type": "string", "maxLength": 9}, False),
        (
            a_field("f", "TYPE_STRING", 'string { min_len: 1 pattern: "^a+$" }'),
            {"type": "string", "minLength": 1, "pattern": "^a+$"},
            True,
        ),
        (a_field("f", "TYPE_STRING", "string { uuid: true }"), {"type": "string", "format": "uuid"}, True),
        (a_field("f", "TYPE_STRING", 'string { in: ["", "new"] }'), {"type": "string", "enum": ["", "new"]}, False),
        (a_field("f", "TYPE_STRING", 'string { in: ["new"] }'), {"type": "string", "enum": ["new"]}, True),
        (
            a_field("f", "TYPE_STRING", 'string { in: ["new"] }, ignore: IGNORE_IF_ZERO_VALUE'),
            {"type": "string", "enum": ["new"]},
            False,
        ),
        (
            a_field("f", "TYPE_UINT32", "uint32 { gt: 0 }", more="label: LABEL_OPTIONAL proto3_optional: true"),
            {"type": "integer", "format": "uint32", "exclusiveMinimum": 0, "maximum": 4294967295},
            False,
        ),
        (a_field("f", "TYPE_BOOL", "required: true"), {"type": "boolean"}, True),
        (
            a_field(
                "f",
                "TYPE_STRING",
                "repeated { min_items: 1 items { string { max_len: 3 } } }",
                more="label: LABEL_REPEATED",
            ),
            {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1},
            True,
        ),
    ],
)
def test_a_rule_is_a_bound_and_decides_whether_the_field_is_needed(
    field: str, words: dict[str, Any], *, needed: bool
) -> None:
    schema = asked(field)

    assert schema["properties"]["f"] == {"description": "The first line of it.", **words}
    assert schema.get("required", []) == (["f"] if needed else [])


def test_a_rule_in_cel_is_told_in_its_own_words() -> None:
    field = a_field("f", "TYPE_STRING", 'cel { id: "f" message: "must be a page token" expression: "true" }')

    assert in_query(field)["description"] == "The first line of it. must be a page token"


def test_an_answer_has_every_field_and_64_bits_as_digits() -> None:
    schemas = described("")["components"]["schemas"]

    assert schemas["Shelf"] == {
        "type": "object",
        "properties": {
            "shelfId": {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"},
            "seenAt": {"type": "string", "format": "date-time"},
            "books": {"type": "array", "items": {"$ref": "#/components/schemas/Book"}},
        },
        "required": ["shelfId", "books"],
    }


def test_a_message_of_answers_and_requests_has_a_schema_of_each() -> None:
    book = 'field { name: "book" json_name: "book" number: 1 type: TYPE_MESSAGE type_name: ".shop.v1.Book" }'

    made = described(book, http='put: "/shelf" body: "*"')

    assert list(made["paths"]["/shelf"]) == ["put"]
    assert {"Book", "BookInput"} <= set(made["components"]["schemas"])


def test_a_code_in_the_comment_is_an_answer_and_so_is_the_key_a_header() -> None:
    plain = described("")["paths"]["/shelf"]["get"]
    told = described("", comment=" Reads; NOT_FOUND without one. Takes an `idempotency-key`.\\n")["paths"]["/shelf"][
        "get"
    ]

    assert (list(plain["responses"]), "parameters" in plain) == (["200", "400", "default"], False)
    assert list(told["responses"]) == ["200", "400", "404", "409", "default"]
    assert [each["name"] for each in told["parameters"]] == ["Idempotency-Key"]
    assert (told["summary"], told["operationId"]) == ("Reads", "ReadShelf")


@pytest.mark.parametrize(
    ("field", "http", "what"),
    [
        (a_field("f", "TYPE_STRING", 'string { prefix: "a" }'), 'get: "/shelf"', "f: the rule prefix"),
        (a_field("f", "TYPE_BYTES", "bytes { max_len: 3 }"), 'get: "/shelf"', "f: rules of bytes"),
        (a_field("f", "TYPE_SINT64"), 'get: "/shelf"', "f: type TYPE_SINT64"),
        (
            a_field("f", "TYPE_STRING", more="label: LABEL_REPEATED"),
            'get: "/shelf"',
            "f: a list or an object in a query",
        ),
        ("", 'get: "/shelf/{shelf_id}"', "ReadShelf: its google.api.http"),
        ("", 'post: "/shelf" body: "book"', "ReadShelf: its google.api.http"),
    ],
)
def test_what_has_no_words_is_refused_and_never_left_out(field: str, http: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what):
        described(field, http=http)
