"""Transactions on our contracts: thin typed wrappers for the prover, the command and the demo."""

from marginproof.chains.evm.transactions.feed import Answer, Feed
from marginproof.chains.evm.transactions.posting import (
    BroadcastOutcome,
    Call,
    CountAt,
    Fees,
    PostingEndpoint,
    PreparedTransaction,
    prepare,
)
from marginproof.chains.evm.transactions.receipts import LogEntry, Receipt, TransactionReverted
from marginproof.chains.evm.transactions.registry import (
    AccountState,
    AuthorisationState,
    PledgeState,
    Registry,
    release_call,
    swap_call,
)
from marginproof.chains.evm.transactions.sender import Sender
from marginproof.chains.evm.transactions.token import Token
from marginproof.chains.evm.transactions.vault import NATIVE, LockState, NewLock, Vault

__all__ = [
    "NATIVE",
    "AccountState",
    "Answer",
    "AuthorisationState",
    "BroadcastOutcome",
    "Call",
    "CountAt",
    "Feed",
    "Fees",
    "LockState",
    "LogEntry",
    "NewLock",
    "PledgeState",
    "PostingEndpoint",
    "PreparedTransaction",
    "Receipt",
    "Registry",
    "Sender",
    "Token",
    "TransactionReverted",
    "Vault",
    "prepare",
    "release_call",
    "swap_call",
]
