"""Which HTTP status each refusal is: one table. What is not in it is an error of ours."""

from http import HTTPStatus

from chassis.problems import HttpRefusals
from services.cart.domain import errors

HTTP_REFUSALS: HttpRefusals = {
    errors.CartIsEmpty: HTTPStatus.NOT_FOUND,
    errors.UnknownSku: HTTPStatus.PRECONDITION_FAILED,
    errors.NotEnoughStock: HTTPStatus.PRECONDITION_FAILED,
    errors.OrderRefused: HTTPStatus.PRECONDITION_FAILED,
    errors.CheckoutUnderWay: HTTPStatus.CONFLICT,
    errors.NeighbourAway: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DeadlinePassed: HTTPStatus.GATEWAY_TIMEOUT,
}
