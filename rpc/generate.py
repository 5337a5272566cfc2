"""Generate what the `.proto` files promise: `python -m rpc.generate [folder]`.

Beside each `.proto` comes its Python code with type stubs; `buf/validate/validate_pb2.py` is the vocabulary of
validation rules that this code imports (see buf/README.md). Of each service with an HTTP face `deploy/envoy/<name>.pb`
tells Envoy, and `deploy/envoy/<name>.openapi.json` everybody else.
Everything is committed, and a test generates it anew into an empty folder and fails on a difference.

No foreign `.proto` is copied: the rules' descriptor is taken out of the installed protovalidate, Google's files lie in
googleapis-common-protos.
"""

import json
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.metadata import files
from pathlib import Path

from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

from rpc.openapi import document

ROOT = Path(__file__).resolve().parent.parent
RULES = "buf/validate/validate.proto"
# An error with details reaches HTTP as JSON only if Envoy knows the details' types, which no import brings.
ERROR_DETAILS = "google/rpc/error_details.proto"


class ProtocFailed(Exception):
    """protoc refused the sources; its own text is on stderr."""


def main(arguments: Sequence[str]) -> int:
    """Generate into the folder given, by default the checkout itself."""
    generate(Path(arguments[0]) if arguments else ROOT)
    return 0


def generate(target: Path) -> None:
    """Write all generated files under `target`, which mirrors the checkout."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        rules = write_rules_image(Path(scratch) / "rules.binpb")
        _generate_python(rules, target)
        image = descriptor_pb2.FileDescriptorSet.FromString(write_image(Path(scratch) / "all.binpb").read_bytes())
        for source in service_sources():
            described = target / "deploy/envoy" / Path(source).stem
            _describe_to_envoy(rules, source, described.with_suffix(".pb"))
            _describe_to_everybody(image, source, described.with_suffix(".openapi.json"))


def sources() -> list[str]:
    """Return our `.proto` files as protoc names them: relative to the checkout, sorted."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "rpc").rglob("*.proto"))


def service_sources() -> list[str]:
    """Return those of our files that have an HTTP face."""
    return [source for source in sources() if "google.api.http" in (ROOT / source).read_text()]


def write_rules_image(path: Path) -> Path:
    """Write the descriptors that `import "buf/validate/validate.proto"` needs, out of the installed packages."""
    image = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, timestamp_pb2, field_mask_pb2):
        module.DESCRIPTOR.CopyToProto(image.file.add())
    image.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    path.write_bytes(image.SerializeToString(deterministic=True))
    return path


def write_image(path: Path) -> Path:
    """Write all our files with imports and comments as one descriptor image: what buf lints and compares."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = write_rules_image(Path(scratch) / "rules.binpb")
        _protoc(rules, f"--descriptor_set_out={path}", "--include_imports", "--include_source_info", *sources())
    return path


def _generate_python(rules: Path, target: Path) -> None:
    ours = sources()
    _protoc(rules, f"--python_out={target}", f"--mypy_out=quiet:{target}", RULES, *ours)
    _protoc(rules, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *ours)


def _describe_to_envoy(rules: Path, source: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _protoc(rules, f"--descriptor_set_out={path}", "--include_imports", source, ERROR_DETAILS)


def _describe_to_everybody(image: descriptor_pb2.FileDescriptorSet, source: str, path: Path) -> None:
    path.write_text(json.dumps(document(image, source), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _protoc(rules: Path, *arguments: str) -> None:
    paths = [f"--descriptor_set_in={rules}", f"-I{ROOT}", f"-I{_google_protos()}"]
    if protoc.main(["protoc", *_plugins(), *paths, *arguments]) != 0:
        raise ProtocFailed(" ".join(arguments))


def _plugins() -> list[str]:
    """Name the stub generators of this environment by path, so that nothing depends on PATH."""
    scripts = sysconfig.get_path("scripts")
    return [f"--plugin={name}={scripts}/{name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]


def _google_protos() -> Path:
    """Return the folder under which googleapis-common-protos keeps `google/api/annotations.proto`."""
    for file in files("googleapis-common-protos") or ():
        if file.as_posix() == "google/api/annotations.proto":
            return Path(str(file.locate())).parents[2]
    raise ProtocFailed("googleapis-common-protos brings no google/api/annotations.proto")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
