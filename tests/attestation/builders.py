"""Keys, signer sets and containers that the tests of this room start from."""

import dataclasses
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from marginproof import core
from marginproof.attestation.certificates import assemble, certificate_body, partial_signature
from marginproof.model.accounts import AccountIdentity, LockReference, Registration
from marginproof.model.certificates import Certificate, CertificateBody, Leaf, Reference
from marginproof.model.network import Relayer, SignerSet

NETWORK = b"\x11" * 32
UNIVERSE = b"\x22" * 32
CHAIN = "eip155:31337"
OTHER_CHAIN = "eip155:31338"
REGISTRY = b"\x33" * 20
OWNER: LocalAccount = Account.from_key(b"\x01" * 32)
REFERENCE = Reference(17, b"\x44" * 32, 1_700_000_000)
KEYS = [core.SigningKey.from_bytes(bytes(31) + bytes([index])) for index in (1, 2, 3)]


def signer_set(keys: list[core.SigningKey] | None = None, threshold: int = 2) -> SignerSet:
    relayers = tuple(Relayer(index, key.public_key) for index, key in enumerate(keys or KEYS))
    return SignerSet(0, 0, threshold, relayers)


def leaf(number: int, chain: str = CHAIN, commitment: bytes = b"\xc0" + bytes(47)) -> Leaf:
    return Leaf(number.to_bytes(32, "big"), chain, b"\x55" * 32, b"\x66" * 32, commitment)


def body(leaves: tuple[Leaf, ...] = (), **changes: Any) -> CertificateBody:
    made = certificate_body(
        network_id=NETWORK,
        chain=CHAIN,
        epoch=5,
        reference=REFERENCE,
        universe_digest=UNIVERSE,
        leaves=leaves,
        signer_set=signer_set(),
        certificate_seconds=7200,
    )
    return dataclasses.replace(made, **changes)


def certificate(of: CertificateBody, signers: tuple[int, ...] = (0, 2)) -> Certificate:
    return assemble(of, signer_set(), {signer: partial_signature(KEYS[signer], of) for signer in signers})


def registration(**changes: Any) -> Registration:
    identity = AccountIdentity(CHAIN, REGISTRY, bytes.fromhex(OWNER.address[2:]), 0)
    locks = (
        LockReference(CHAIN, b"\x77" * 20, 1, b"\x01" * 32),
        LockReference(CHAIN, b"\x77" * 20, 2, b"\x02" * 32),
        LockReference(OTHER_CHAIN, b"\x77" * 20, 1, b"\x03" * 32),
    )
    made = Registration(NETWORK, identity, 1, 6, b"\x66" * 32, b"\x88" * 32, locks)
    return dataclasses.replace(made, **changes)
