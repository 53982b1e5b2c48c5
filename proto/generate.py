"""Generates the Python stubs beside the .proto files; `make proto` runs it, CI checks that nothing changes."""

import subprocess
import sys
from pathlib import Path

PROTO = Path(__file__).resolve().parent


def main() -> int:
    """Runs protoc with the message, stub and gRPC generators."""
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    outputs = [f"--{kind}_out={PROTO}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *outputs, *files]
    environment_path = str(Path(sys.executable).parent)
    return subprocess.run(command, check=False, env={"PATH": environment_path}).returncode  # noqa: S603 - own arguments


if __name__ == "__main__":
    sys.exit(main())
