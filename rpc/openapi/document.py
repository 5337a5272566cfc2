"""One OpenAPI 3.1 document of one service, for the HTTP face Envoy makes of it (`google.api.http`).

A gRPC code named in a method's comment is an answer of it, and one whose comment names the metadata `idempotency-key`
takes the header: what is written for people is what the document says.
"""

import re
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from rpc.openapi.schemas import Schema, Schemas
from rpc.openapi.source import Method, Service, Source, Unsupported

_VERBS = ("get", "put", "post", "delete", "patch")
_HTTP_OF = {
    "INVALID_ARGUMENT": "400",
    "FAILED_PRECONDITION": "400",
    "NOT_FOUND": "404",
    "ABORTED": "409",
    "RESOURCE_EXHAUSTED": "429",
}
_REFUSED = {
    "400": "A rule is broken, or the state of things forbids it: `details[0].reason` says which.",
    "404": "What was asked for is not there: `details[0].reason` says what.",
    "409": "The first request with this key still runs: ask again.",
    "429": "Too much at once: ask again later.",
    "default": "No answer. 500: an error of ours, found by `details[0].metadata.trace_id`. 503: the service is away. "
    "504: it did not answer in time.",
}
_KEY = "idempotency-key"
_ABOUT = (
    "int64 travels as a string in answers and is taken as a string or a number.",
    "`orderId` and `order_id` are both understood. Zeros are printed. Unknown fields of a body are ignored.",
    "A refusal is one object: `code` (of gRPC), `message`, `details`; `details[0].reason` names it.",
)

_REFUSAL: Schema = {
    "type": "object",
    "description": "Why there is no answer.",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": "integer", "description": "The code of gRPC."},
        "message": {"type": "string", "description": "One sentence for people."},
        "details": {
            "type": "array",
            "description": "The first names the refusal; empty where the service was not reached.",
            "items": {
                "type": "object",
                "required": ["@type"],
                "properties": {
                    "@type": {"type": "string"},
                    "reason": {"type": "string", "description": "The refusal's name, for programs."},
                    "domain": {"type": "string"},
                    "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        },
    },
}
_KEY_PARAMETER: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again get the first answer, marked `idempotency-replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_REPLAYED: Schema = {
    "description": "`true` when this is the first answer again.",
    "schema": {"type": "string", "enum": ["true"]},
}


def document(image: FileDescriptorSet, file: str) -> dict[str, Any]:
    """Describe the one service of `file`, whose image carries comments; raise `Unsupported` for what has no words."""
    source = Source(image)
    (service,) = source.services(file)
    schemas = Schemas(source)
    answers = {method.descriptor.name: schemas.answer(method.descriptor.output_type) for method in service.methods}
    paths: dict[str, dict[str, Any]] = {}
    for method in service.methods:
        verb, path, body = _route(method)
        operation = _operation(service, method, schemas, answers[method.descriptor.name], has_body=body)
        paths.setdefault(path, {})[verb] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": service.name,
            "version": service.package.rpartition(".")[2],
            "description": "\n\n".join([service.comment, *_ABOUT]),
        },
        "tags": [{"name": service.name, "description": service.comment}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas.components, "Refusal": _REFUSAL}.items())),
            "responses": {_response_name(status): _refused(text) for status, text in _REFUSED.items()},
        },
    }


def _route(method: Method) -> tuple[str, str, bool]:
    rule = method.descriptor.options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    path = getattr(rule, verb) if verb in _VERBS else ""
    if not path or "{" in path or rule.body not in {"", "*"} or rule.additional_bindings:
        raise Unsupported(f"{method.descriptor.name}: its google.api.http")
    return verb, path, rule.body == "*"


def _operation(service: Service, method: Method, schemas: Schemas, answer: Schema, *, has_body: bool) -> dict[str, Any]:
    takes_key = _KEY in method.comment
    parameters = [_KEY_PARAMETER] if takes_key else []
    asked: dict[str, Any] = {}
    if has_body:
        schema = schemas.request(method.descriptor.input_type)
        asked["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    else:
        parameters = [*schemas.parameters(method.descriptor.input_type), *parameters]
    if parameters:
        asked["parameters"] = parameters
    answered: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": answer}}}
    if takes_key:
        answered["headers"] = {"idempotency-replayed": _REPLAYED}
    return {
        "operationId": method.descriptor.name,
        "tags": [service.name],
        "summary": method.comment.partition(":")[0].partition(".")[0].partition(";")[0],
        "description": method.comment,
        **asked,
        "responses": {"200": answered, **_refusals(method.comment, takes_key=takes_key)},
    }


def _refusals(comment: str, *, takes_key: bool) -> dict[str, Schema]:
    named = {status for code, status in _HTTP_OF.items() if re.search(rf"\b{code}\b", comment)}
    statuses = sorted({"400", *named, *({"409"} if takes_key else ())})
    return {status: {"$ref": f"#/components/responses/{_response_name(status)}"} for status in [*statuses, "default"]}


def _response_name(status: str) -> str:
    return "Failed" if status == "default" else f"Refused{status}"


def _refused(text: str) -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {"description": text, "content": content}
