"""From a service's `.proto` to the OpenAPI document of its HTTP face: paths, schemas, bounds, texts."""

from rpc.openapi.document import document

__all__ = ["document"]
