"""EIP-712 messages: readable fields plus the SSZ root of what is signed, for wallets and for contracts."""

from typing import Any

from marginproof.model.accounts import Registration
from marginproof.model.chains import format_address
from marginproof.model.margin import Decision, Outcome, Purpose, Snapshot
from marginproof.model.pledges import PledgeStep

_DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "salt", "type": "bytes32"},
]
"""The salt is the network id: one signature is never valid on two networks."""


def _message(network: bytes, primary: str, fields: list[tuple[str, str]], values: dict[str, Any]) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": _DOMAIN_TYPE,
            primary: [{"name": name, "type": kind} for name, kind in fields],
        },
        "primaryType": primary,
        "domain": {"name": "Marginproof", "version": "1", "salt": network},
        "message": values,
    }


def registration_message(registration: Registration) -> dict[str, Any]:
    """What an account's owner signs to say which locks form the account."""
    return _message(
        registration.network,
        "Registration",
        [("account", "bytes32"), ("number", "uint64"), ("firstEpoch", "uint64"), ("root", "bytes32")],
        {
            "account": registration.account,
            "number": registration.number,
            "firstEpoch": registration.first_epoch,
            "root": registration.root(),
        },
    )


def snapshot_message(snapshot: Snapshot) -> dict[str, Any]:
    """What a venue signs to publish a policy at prices."""
    return _message(
        snapshot.network,
        "Snapshot",
        [("policy", "bytes32"), ("createdAt", "uint64"), ("expiresAt", "uint64"), ("root", "bytes32")],
        {
            "policy": snapshot.policy_digest,
            "createdAt": snapshot.created_at,
            "expiresAt": snapshot.expires_at,
            "root": snapshot.root(),
        },
    )


def decision_message(decision: Decision) -> dict[str, Any]:
    """What a venue signs when it accepts or rejects."""
    return _message(
        decision.network,
        "Decision",
        [
            ("account", "bytes32"),
            ("outcome", "string"),
            ("purpose", "string"),
            ("presentation", "bytes32"),
            ("decidedAt", "uint64"),
            ("root", "bytes32"),
        ],
        {
            "account": decision.account,
            "outcome": Outcome(decision.outcome).name,
            "purpose": Purpose(decision.purpose).name if decision.purpose in set(Purpose) else "UNKNOWN",
            "presentation": decision.presentation_digest,
            "decidedAt": decision.decided_at,
            "root": decision.root(),
        },
    )


def authorise_message(network: bytes, account: bytes, venue: bytes, number: int) -> dict[str, Any]:
    """What an account signs to let a venue pledge; ``number`` counts the changes of this account and venue so far."""
    return _authorisation(network, "Authorise", account, venue, number)


def revoke_message(network: bytes, account: bytes, venue: bytes, number: int) -> dict[str, Any]:
    """What an account signs to take that back; its standing pledge lapses after the network's notice."""
    return _authorisation(network, "Revoke", account, venue, number)


def _authorisation(network: bytes, primary: str, account: bytes, venue: bytes, number: int) -> dict[str, Any]:
    return _message(
        network,
        primary,
        [("account", "bytes32"), ("venue", "address"), ("number", "uint64")],
        {"account": account, "venue": format_address(venue), "number": number},
    )


def pledge_message(network: bytes, account: bytes, step: PledgeStep) -> dict[str, Any]:
    """What an account signs to let a venue's new pledge stand; ``root`` is the digest that it leads to."""
    return _message(
        network,
        "Pledge",
        [
            ("account", "bytes32"),
            ("venue", "address"),
            ("digest", "bytes32"),
            ("universeVersion", "uint64"),
            ("root", "bytes32"),
        ],
        {
            "account": account,
            "venue": format_address(step.venue),
            "digest": step.previous,
            "universeVersion": step.universe_version,
            "root": step.root(),
        },
    )


def rotation_message(network: bytes, account: bytes, key: bytes, number: int) -> dict[str, Any]:
    """What an account's present key signs to hand over to another; ``number`` counts the rotations so far."""
    return _message(
        network,
        "RotateKey",
        [("account", "bytes32"), ("key", "address"), ("number", "uint64")],
        {"account": account, "key": format_address(key), "number": number},
    )


def request_message(network: bytes, account: bytes, method: str, requested_at: int) -> dict[str, Any]:
    """What an account's owner signs to ask a venue or relayer for what is the account's alone.

    For a venue, ``method`` is made by :func:`venue_method`.
    """
    return _message(
        network,
        "Request",
        [("account", "bytes32"), ("method", "string"), ("requestedAt", "uint64")],
        {"account": account, "method": method, "requestedAt": requested_at},
    )


def venue_method(venue: bytes, rpc: str) -> str:
    """The ``method`` of a request to one venue, such as ``0x…/GetBook``: no venue can pass a request on to another."""
    return f"{format_address(venue)}/{rpc}"
