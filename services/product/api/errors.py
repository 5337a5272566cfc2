"""Which gRPC code and which HTTP status each refusal is: one table a face. What is in none is an error of ours."""

from http import HTTPStatus

from grpc import StatusCode

from chassis.problems import HttpRefusals
from chassis.rpc_errors import Refusals
from services.product.domain import errors


class BadApiKey(errors.Refusal):
    """The header X-API-KEY is missing or is not ours."""

    def __init__(self) -> None:
        super().__init__("the header X-API-KEY is missing or wrong")


REFUSALS: Refusals = {
    errors.ProductNotFound: StatusCode.NOT_FOUND,
    errors.TooManyCalls: StatusCode.RESOURCE_EXHAUSTED,
}

HTTP_REFUSALS: HttpRefusals = {
    BadApiKey: HTTPStatus.UNAUTHORIZED,
    errors.ProductNotFound: HTTPStatus.NOT_FOUND,
    errors.TooManyCalls: HTTPStatus.TOO_MANY_REQUESTS,
}
