"""Brings a lock's own key to what its next transaction needs; whoever pays is neither the account nor a lock."""

import dataclasses
from typing import Final

from eth_account.signers.local import LocalAccount

from marginproof.chains.evm.transactions import Sender, Token
from marginproof.model.chains import NATIVE_ASSET, format_address
from marginproof.model.errors import ConfigurationError
from marginproof.prover.account import Account
from marginproof.prover.keys import check_lock_key

DEFAULT_GAS_RESERVE: Final = 10**16
"""Base units of the native coin that a lock's key keeps for gas: now, for notice and for withdrawal."""


@dataclasses.dataclass(frozen=True)
class Funding:
    """Who pays for locks.

    Attributes:
        key: The key that pays; None if the locks' own keys were funded by other means.
        gas_reserve: What each lock's key is left with for gas, base units of the native coin.
        timeout_seconds: How long to wait for a transaction to be mined.
    """

    key: LocalAccount | None = dataclasses.field(default=None, repr=False)
    gas_reserve: int = DEFAULT_GAS_RESERVE
    timeout_seconds: float = 60.0


async def fund_lock_key(
    account: Account, funding: Funding, sender: Sender, url: str, token: bytes, amount: int
) -> None:
    """Sends the lock's key what it lacks; does nothing when it lacks nothing, so a repeat is safe.

    Args:
        account: Whose lock it is.
        funding: Who pays.
        sender: The lock's key on its chain.
        url: JSON-RPC address of that chain.
        token: What will be locked, 20 bytes; zeros for the native coin.
        amount: How much of it, base units.

    Raises:
        ConfigurationError: Something is lacking and there is no funding key.
        RefusedError: LOCK_OWNER_REUSED: the funding key would link the lock to the account.
        UnavailableError: The endpoint failed, or a transfer was not mined in time.
    """
    native_wanted = funding.gas_reserve + (amount if token == NATIVE_ASSET else 0)
    native_lacking = native_wanted - await sender.balance(sender.address)
    token_lacking = 0
    if token != NATIVE_ASSET:
        token_lacking = amount - await Token(sender, format_address(token)).balance_of(sender.address)
    if native_lacking <= 0 and token_lacking <= 0:
        return
    if funding.key is None:
        raise ConfigurationError(
            f"the lock's key {sender.address} has too little for this transaction",
            fix="name a key that pays with --funding-key-file, or send coins to this address",
            fields={"address": sender.address},
        )
    check_funding_key(account, funding.key)
    if funding.key.address not in account.state.funders:
        funders = (*account.state.funders, funding.key.address)
        account.remember(dataclasses.replace(account.state, funders=funders))
    async with Sender(url, funding.key, timeout_seconds=funding.timeout_seconds) as payer:
        if native_lacking > 0:
            await payer.transfer(sender.address, native_lacking)
        if token_lacking > 0:
            await Token(payer, format_address(token)).transfer(sender.address, token_lacking)


def check_funding_key(account: Account, key: LocalAccount) -> None:
    """Refuses a funding key that is a lock's own, or the account's, or that pays for the account on the registry.

    Raises:
        RefusedError: LOCK_OWNER_REUSED.
    """
    known = account.own_addresses().union(account.state.payers)
    check_lock_key(key.address, known, account.lock_addresses())
