"""Generates the Python stubs beside the .proto files; with ``--check`` only compares them with what is committed."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

PROTO = Path(__file__).resolve().parent


def generate(target: Path) -> int:
    """Runs protoc with the message, stub and gRPC generators into a folder; gives its exit code."""
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    outputs = [f"--{kind}_out=quiet:{target}" for kind in ("mypy", "mypy_grpc")]
    outputs += [f"--{kind}_out={target}" for kind in ("python", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *outputs, *files]
    tools = str(Path(sys.executable).parent)
    return subprocess.run(command, check=False, env={"PATH": tools}).returncode  # noqa: S603 - own arguments


def differing() -> list[str]:
    """Names of generated files that are missing or differ from what the .proto files give."""
    with tempfile.TemporaryDirectory() as folder:
        if generate(Path(folder)):
            return ["(protoc failed)"]
        fresh = [path for path in Path(folder).rglob("*") if path.is_file()]
        return sorted(
            path.name
            for path in fresh
            if not (old := PROTO / path.relative_to(folder)).is_file() or not filecmp.cmp(path, old, shallow=False)
        )


def main(arguments: list[str]) -> int:
    """Generates, or with ``--check`` compares."""
    if arguments != ["--check"]:
        return generate(PROTO)
    names = differing()
    if names:
        sys.stderr.write(f"generated stubs are out of date: {', '.join(names)}; run: python proto/generate.py\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
