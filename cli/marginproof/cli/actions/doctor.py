"""What ``marginproof doctor`` does: checks of this machine, each with what to do about it."""

import importlib.metadata
import platform
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from marginproof.cli.actions.relayer_status import reachable_relayers
from marginproof.cli.checks import Check, Outcome, result_of
from marginproof.cli.output import Result
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import load_network_file

_OLDEST_PYTHON: Final = (3, 11)
Finding = tuple[Outcome, str, str]
"""Outcome, what was found, and what to do."""


def run(network: Path | None, account: Path | None, timeout_seconds: float) -> Result:
    """Runs all checks; the exit code is 3 when one failed."""
    checks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "core": _core,
        "anvil": _anvil,
        "network file": lambda: _network(network),
        "relayers": lambda: _relayers(network, timeout_seconds),
        "account files": lambda: _account(account),
    }
    return result_of("doctor", [Check(name, *check()) for name, check in checks.items()])


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()}, marginproof {_version('marginproof')}"
    if sys.version_info < _OLDEST_PYTHON:
        return "fail", found, "install Python 3.11 or newer"
    return "pass", found, ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"


def _core() -> Finding:
    try:
        from marginproof import core  # noqa: PLC0415 - whether this works is what is being checked
    except ImportError:
        return "fail", "the core extension cannot be imported", "install marginproof-core for this platform"
    ours, built = _version("marginproof"), core.__version__
    if built != ours:
        return "warn", f"marginproof-core {built}", f"install marginproof-core {ours}"
    return "pass", f"marginproof-core {built}, setup {core.SETUP_DIGEST.hex()[:16]}…", ""


def _anvil() -> Finding:
    try:
        from marginproof.chains.evm.devnet import find_anvil  # noqa: PLC0415 - an optional extra

        program = find_anvil()
    except ImportError:
        return "warn", "chain libraries are not installed", "install marginproof[chains]"
    except MarginproofError as error:
        return "warn", "anvil is not installed; only the demo needs it", error.fix
    return "pass", shutil.which(str(program)) or str(program), ""


def _network(path: Path | None) -> Finding:
    if path is None:
        return "warn", "none named", "name one with --network, or join one: marginproof network join"
    try:
        network = load_network_file(path)
    except MarginproofError as error:
        return "fail", f"{error.code}: {error.message}", error.fix
    return "pass", f"network 0x{network.network_id.hex()[:16]}…", ""


def _relayers(path: Path | None, timeout_seconds: float) -> Finding:
    if path is None:
        return "warn", "not asked", "name a network file"
    try:
        reached, total, threshold = reachable_relayers(path, timeout_seconds)
    except MarginproofError as error:
        return "fail", f"{error.code}: {error.message}", error.fix
    found = f"{reached} of {total} reached"
    if reached < threshold:
        return "fail", found, "check this machine's connection; see: marginproof relayer status"
    return ("pass", found, "") if reached == total else ("warn", found, "see: marginproof relayer status")


def _account(directory: Path | None) -> Finding:
    if directory is None:
        return "warn", "none named", "name one with --account or MARGINPROOF_ACCOUNT"
    try:
        paths = [directory, *sorted(directory.iterdir())]
        open_to_others = [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    except OSError:
        return "fail", f"cannot read {directory.name!r}", "check the path and its owner"
    if open_to_others:
        return "fail", f"others may read: {', '.join(open_to_others)}", f"run: chmod -R go-rwx {directory}"
    return "pass", "readable by their owner only", ""
