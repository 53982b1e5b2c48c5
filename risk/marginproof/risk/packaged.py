"""Policies that ship with the package."""

from importlib.resources import files
from typing import Final

from marginproof.model.errors import NotFoundError

STANDARD: Final = "standard"


def packaged_policies() -> tuple[str, ...]:
    """Names of the policies that ship."""
    folder = files("marginproof.risk") / "policies"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def packaged_policy(name: str = STANDARD) -> bytes:
    """The bytes of one of them, for :func:`~marginproof.risk.policy.load_policy`.

    Raises:
        NotFoundError: There is none of this name.
    """
    if name not in packaged_policies():
        raise NotFoundError(f"no policy named {name[:64]!r} ships", fix=f"use one of: {', '.join(packaged_policies())}")
    return (files("marginproof.risk") / "policies" / f"{name}.yaml").read_bytes()
