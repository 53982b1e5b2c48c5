"""Transactions on our contracts: thin typed wrappers for the prover, the command and the demo."""

from marginproof.chains.evm.transactions.feed import Answer, Feed
from marginproof.chains.evm.transactions.registry import Registry
from marginproof.chains.evm.transactions.sender import LogEntry, Receipt, Sender, TransactionReverted
from marginproof.chains.evm.transactions.token import Token
from marginproof.chains.evm.transactions.vault import NATIVE, LockState, NewLock, Vault

__all__ = [
    "NATIVE",
    "Answer",
    "Feed",
    "LockState",
    "LogEntry",
    "NewLock",
    "Receipt",
    "Registry",
    "Sender",
    "Token",
    "TransactionReverted",
    "Vault",
]
