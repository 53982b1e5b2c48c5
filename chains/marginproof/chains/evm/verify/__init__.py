"""Ethereum headers, accounts and storage by proof: bytes in, typed facts out, no I/O."""

from marginproof.chains.evm.verify.accounts import AccountFacts, SlotFact, verify_account, verify_slot
from marginproof.chains.evm.verify.headers import BlockHeader, parse_header
from marginproof.chains.evm.verify.proofs import AccountProof, parse_get_proof, verify_proof
from marginproof.chains.evm.verify.registry import policy_slot, recorded_time, signer_set_slot
from marginproof.chains.evm.verify.vault import (
    LockFacts,
    VaultFacts,
    decode_lock,
    lock_slots,
    total_locked_slot,
    vault_facts,
    vault_slots,
    verify_vault,
)

__all__ = [
    "AccountFacts",
    "AccountProof",
    "BlockHeader",
    "LockFacts",
    "SlotFact",
    "VaultFacts",
    "decode_lock",
    "lock_slots",
    "parse_get_proof",
    "parse_header",
    "policy_slot",
    "recorded_time",
    "signer_set_slot",
    "total_locked_slot",
    "vault_facts",
    "vault_slots",
    "verify_account",
    "verify_proof",
    "verify_slot",
    "verify_vault",
]
