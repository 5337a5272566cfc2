"""A connection for a block; a database that does not answer is a neighbour that is away, like any other."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from asyncpg import exceptions

from chassis.logs import get_logger
from services.cart.domain.errors import NeighbourAway

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[Any] | PoolConnectionProxy[Any]
else:
    Connection: TypeAlias = object

_AWAY = (
    OSError,  # among them every TimeoutError: no connection within its bound
    exceptions.PostgresConnectionError,
    exceptions.OperatorInterventionError,
    exceptions.InsufficientResourcesError,
    exceptions.InterfaceError,
)

log = get_logger()


class Pool(Protocol):
    """Lends connections."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """Lend one for a block."""
        ...


@asynccontextmanager
async def lent(pool: Pool) -> AsyncIterator[Connection]:
    """Lend a connection; raise NeighbourAway when the database goes away: nothing is known of what was asked last."""
    try:
        async with pool.acquire() as connection:
            yield connection
    except ValueError:  # a bad argument is a mistake of ours, although asyncpg makes it an InterfaceError too
        raise
    except _AWAY as error:
        log.warning("cart.database_away", reason=type(error).__name__)
        raise NeighbourAway("the store of carts") from error
