"""Which gRPC code each refusal is: one table. What is not in it is INTERNAL."""

from grpc import StatusCode

from chassis.rpc_errors import Refusals
from services.loms.api.page_token import BadPageToken
from services.loms.domain import errors


class BadIdempotencyKey(errors.Refusal):
    """The key is empty or too long to keep."""

    def __init__(self, length: int, length_max: int) -> None:
        super().__init__(f"an idempotency key has 1 to {length_max} characters, not {length}")
        self.length = length
        self.length_max = length_max


REFUSALS: Refusals = {
    BadIdempotencyKey: StatusCode.INVALID_ARGUMENT,
    BadPageToken: StatusCode.INVALID_ARGUMENT,
    errors.CountTooLarge: StatusCode.INVALID_ARGUMENT,
    errors.OrderNotFound: StatusCode.NOT_FOUND,
    errors.SkuNotFound: StatusCode.NOT_FOUND,
    errors.IllegalTransition: StatusCode.FAILED_PRECONDITION,
    errors.OutOfStock: StatusCode.FAILED_PRECONDITION,
    errors.IdempotencyKeyReused: StatusCode.FAILED_PRECONDITION,
    errors.RequestInProgress: StatusCode.ABORTED,
}
