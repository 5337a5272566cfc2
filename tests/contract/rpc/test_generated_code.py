import json
import subprocess
import sysconfig
from pathlib import Path

import pytest

from rpc.generate import ROOT, generate, sources, write_image

LINT = {
    "version": "v1",
    "lint": {"use": ["STANDARD", "COMMENT_RPC", "COMMENT_SERVICE"], "ignore": ["google", "buf"]},
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("generated")
    generate(target)
    return target


def test_the_committed_code_is_what_the_sources_generate(fresh: Path) -> None:
    generated = sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file())

    different = [str(path) for path in generated if not _same(fresh / path, ROOT / path)]

    assert different == [], "run `make proto` and commit what it changes"


def test_no_generated_file_outlives_its_source(fresh: Path) -> None:
    committed = [path for folder in ("rpc", "buf", "deploy/envoy") for path in _generated_under(ROOT / folder)]

    orphans = [str(path) for path in committed if not (fresh / path).exists()]

    assert orphans == []


def test_every_proto_keeps_the_lint_rules(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.binpb")
    buf = Path(sysconfig.get_path("scripts")) / "buf"

    linted = subprocess.run(  # noqa: S603 - the pinned buf of this environment on a file made above
        [buf, "lint", image, "--config", json.dumps(LINT)], capture_output=True, text=True, check=False
    )

    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def test_loms_is_among_the_sources() -> None:
    assert "rpc/loms/v1/loms.proto" in sources()


def _same(left: Path, right: Path) -> bool:
    return right.exists() and left.read_bytes() == right.read_bytes()


def _generated_under(folder: Path) -> list[Path]:
    patterns = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi", "*.pb", "*.openapi.json")
    return [path.relative_to(ROOT) for pattern in patterns for path in folder.rglob(pattern)]
