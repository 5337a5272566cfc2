"""What keeps a process from starting, with the cure in the text."""


class BadAddress(ValueError):
    """An address is not of the form host:port."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address!r} is not an address: write host:port, for example 127.0.0.1:9101")
        self.address = address


class AddressInUse(Exception):
    """Nothing can listen at this address."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"cannot listen on {address}: {reason}; stop what uses the port, or change the setting that names it"
        )
        self.address = address


class NotStarted(Exception):
    """A component was used before its start or after its stop."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not running: list it before what uses it")
        self.name = name


class DatabaseUnreachable(Exception):
    """The database did not take a connection within the bound."""

    def __init__(self, name: str, where: str, seconds: float, reason: str) -> None:
        super().__init__(
            f"{name}: no connection to {where} within {seconds:.0f} s ({reason}); is the database running, and is "
            "the address in the settings right?"
        )
        self.name = name
        self.where = where
