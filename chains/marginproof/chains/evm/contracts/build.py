"""Compiles the contracts: ``python -m marginproof.chains.evm.contracts.build`` rewrites the artifacts.

Needs the pinned Vyper compiler of the development requirements.
"""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from marginproof.chains.evm.contracts.artifact import ARTIFACTS, CONTRACTS, SOURCES, Artifact
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

_FORMATS = "abi,bytecode,bytecode_runtime,layout"


def compile_contract(source: Path, search_path: Path = SOURCES) -> Artifact:
    """Compiles one source file.

    Args:
        source: The ``.vy`` file; its stem becomes the artifact's name.
        search_path: Where its imports are looked up.

    Raises:
        ConfigurationError: TOOL_MISSING without the compiler, CONFIG_INVALID if it refuses the source.
    """
    try:
        version = importlib.metadata.version("vyper")
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigurationError(
            "the Vyper compiler is not installed",
            code=ReasonCode.TOOL_MISSING,
            fix="pip install -r requirements/develop.txt",
        ) from error
    # Run from the search path: the compiler resolves imports against it and no path of this machine is named.
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [sys.executable, "-m", "vyper", "-p", str(search_path), "-f", _FORMATS, str(source)],
        cwd=search_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ConfigurationError(f"{source.name} does not compile:\n{done.stderr}")
    abi, bytecode, runtime, layout = done.stdout.splitlines()
    places = json.loads(layout)
    immutables = places.get("code_layout", {})
    return Artifact(
        name=source.stem,
        abi=tuple(json.loads(abi)),
        bytecode=bytes.fromhex(bytecode.removeprefix("0x")),
        runtime=bytes.fromhex(runtime.removeprefix("0x")),
        immutables=tuple(sorted(immutables, key=lambda name: int(immutables[name]["offset"]))),
        storage={name: int(place["slot"]) for name, place in places.get("storage_layout", {}).items()},
        compiler=f"vyper {version}",
    )


def main() -> None:
    """Rewrites every artifact."""
    ARTIFACTS.mkdir(exist_ok=True)
    for name in CONTRACTS:
        artifact = compile_contract(SOURCES / f"{name}.vy")
        (ARTIFACTS / f"{name}.json").write_text(artifact.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
