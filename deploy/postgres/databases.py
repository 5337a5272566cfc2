"""`python -m deploy.postgres.databases NAME …`: the databases and roles of the platform, for the containers.

POSTGRES_ADMIN_URL names the server; the roles of each database get <NAME>_PASSWORD and <NAME>_OWNER_PASSWORD, the
verifier VERIFIER_PASSWORD. Repeating it changes nothing but passwords, so it runs before every start.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from stack.databases import create_database


async def create(names: Sequence[str], environment: Mapping[str, str]) -> None:
    """Make each database with its roles; raises what asyncpg raises, and KeyError for a password that is not given."""
    for name in names:
        await create_database(
            environment["POSTGRES_ADMIN_URL"],
            name,
            owner_password=environment[f"{name.upper()}_OWNER_PASSWORD"],
            app_password=environment[f"{name.upper()}_PASSWORD"],
            verifier_password=environment["VERIFIER_PASSWORD"],
        )
        sys.stdout.write(f"database {name} is ready\n")


if __name__ == "__main__":
    asyncio.run(create(sys.argv[1:], os.environ))
