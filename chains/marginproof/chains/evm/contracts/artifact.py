"""Compiled contracts, read from the JSON files committed beside their sources: no compiler at run time."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from eth_utils.crypto import keccak

from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.reasons import ReasonCode

COLLATERAL_VAULT = "CollateralVault"
PLEDGE_REGISTRY = "PledgeRegistry"
PRICE_FEED = "PriceFeed"
TEST_TOKEN = "TestToken"  # noqa: S105 - a contract's name, no secret
CONTRACTS = (COLLATERAL_VAULT, PLEDGE_REGISTRY, PRICE_FEED, TEST_TOKEN)

SOURCES = Path(__file__).resolve().parent
ARTIFACTS = SOURCES / "artifacts"


@dataclass(frozen=True)
class Artifact:
    """What the compiler made of one contract.

    Attributes:
        name: The contract's name, also its file's.
        abi: The JSON ABI.
        bytecode: What a deployment sends, before the encoded constructor arguments.
        runtime: The code that lies on the chain, without the immutable values that follow it.
        immutables: Names of the immutable values, in the order in which they follow the code, 32 bytes each.
        storage: Slot of each storage variable by name.
        compiler: Name and version of the compiler.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime: bytes
    immutables: tuple[str, ...]
    storage: dict[str, int]
    compiler: str

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads :meth:`to_json`'s output.

        Raises:
            MalformedError: It is something else.
        """
        try:
            fields = json.loads(text)
            return cls(
                name=fields["name"],
                abi=tuple(fields["abi"]),
                bytecode=bytes.fromhex(fields["bytecode"]),
                runtime=bytes.fromhex(fields["runtime"]),
                immutables=tuple(fields["immutables"]),
                storage={str(name): int(slot) for name, slot in fields["storage"].items()},
                compiler=fields["compiler"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MalformedError("this is no compiled contract", fix="rebuild the artifacts") from error

    def to_json(self) -> str:
        """Sorted and indented, so that a rebuild that changes nothing changes no byte."""
        fields = {
            "name": self.name,
            "abi": list(self.abi),
            "bytecode": self.bytecode.hex(),
            "runtime": self.runtime.hex(),
            "immutables": list(self.immutables),
            "storage": self.storage,
            "compiler": self.compiler,
        }
        return json.dumps(fields, indent=1, sort_keys=True) + "\n"

    def deployed_code(self, **immutables: int | str | bytes) -> bytes:
        """The code that lies at the address of a deployment with these immutable values.

        Args:
            immutables: Every immutable by name: integers, addresses as hex text, or 32 bytes.

        Raises:
            MalformedError: One is missing, not known, or bytes of another length.
        """
        if set(immutables) != set(self.immutables):
            wanted = ", ".join(self.immutables)
            raise MalformedError(f"the immutable values of {self.name} are: {wanted}")
        words = [_word(immutables[name]) for name in self.immutables]
        return self.runtime + b"".join(words)

    def code_hash(self, **immutables: int | str | bytes) -> bytes:
        """Keccak-256 of :meth:`deployed_code`: what an account proof shows of an honest deployment."""
        return bytes(keccak(self.deployed_code(**immutables)))


@cache
def load_artifact(name: str) -> Artifact:
    """One of :data:`CONTRACTS`, by name.

    Raises:
        ConfigurationError: FILE_UNREADABLE if the installation lacks it.
        MalformedError: The file is damaged.
    """
    try:
        text = (ARTIFACTS / f"{name}.json").read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"no compiled contract {name}", code=ReasonCode.FILE_UNREADABLE, fix="reinstall marginproof"
        ) from error
    return Artifact.from_json(text)


def _word(value: int | str | bytes) -> bytes:
    if isinstance(value, bytes):
        if len(value) != 32:
            raise MalformedError("an immutable value given as bytes has 32 of them")
        return value
    number = int(value, 16) if isinstance(value, str) else value
    return number.to_bytes(32, "big")
