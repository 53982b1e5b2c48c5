"""What an account changes on the registry: it signs, and anybody who pays the gas may post it."""

import dataclasses
from enum import StrEnum

from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address, encode_call
from marginproof.chains.evm.transactions import Receipt, Registry
from marginproof.model.chains import format_address, parse_address
from marginproof.model.typed_data import authorise_message, revoke_message, rotation_message
from marginproof.prover.account import Account


class ChangeKind(StrEnum):
    """The registry's functions that take an account's signature; the values are their names."""

    AUTHORISE = "authorise"
    REVOKE = "revoke"
    ROTATE_KEY = "rotate_key"


@dataclasses.dataclass(frozen=True, slots=True)
class SignedChange:
    """A signed change: public once posted, and harmless in anybody's hands before.

    Attributes:
        kind: What it does.
        owner: The account's owner address, 20 bytes: part of its identity, whoever signed.
        index: Which of the owner's accounts.
        subject: The venue's address, or the new key's, 20 bytes.
        number: The registry's count of such changes so far; the change is void at any other.
        signature: EIP-712, 65 bytes.
    """

    kind: ChangeKind
    owner: bytes
    index: int
    subject: bytes
    number: int
    signature: bytes = dataclasses.field(repr=False)

    def call(self, registry: bytes) -> tuple[str, bytes]:
        """Address and data of the transaction that anybody may send."""
        data = encode_call(load_artifact(PLEDGE_REGISTRY), self.kind.value, *self._arguments())
        return checksum_address(format_address(registry)), data

    async def post(self, registry: Registry) -> Receipt:
        """Posts it with the registry's sender.

        Raises:
            TransactionReverted: The registry refuses; ``reason`` says why.
            UnavailableError: The endpoint failed or the transaction was not mined in time.
        """
        methods = {
            ChangeKind.AUTHORISE: registry.authorise,
            ChangeKind.REVOKE: registry.revoke,
            ChangeKind.ROTATE_KEY: registry.rotate_key,
        }
        return await methods[self.kind](*self._arguments())

    def _arguments(self) -> tuple[str, int, str, int, bytes]:
        owner, subject = (checksum_address(format_address(address)) for address in (self.owner, self.subject))
        return owner, self.index, subject, self.number, self.signature


def sign_authorisation(account: Account, network_id: bytes, venue: bytes, number: int, *, revoke: bool) -> SignedChange:
    """Lets a venue pledge, or no longer.

    Args:
        account: Whose; its present key signs.
        network_id: 32 bytes.
        venue: Address, 20 bytes.
        number: How often this account and venue were changed before.
        revoke: Whether to take the authorisation back.
    """
    message = (revoke_message if revoke else authorise_message)(network_id, account.account_id, venue, number)
    kind = ChangeKind.REVOKE if revoke else ChangeKind.AUTHORISE
    return _signed(account, kind, venue, number, sign_typed(account.signer, message))


def sign_rotation(account: Account, network_id: bytes) -> SignedChange:
    """Hands the account over to the next key that its master secret gives; the present one signs."""
    number = account.state.key_number
    key = parse_address(account.secret.owner_key(account.state.index, number + 1).address)
    message = rotation_message(network_id, account.account_id, key, number)
    return _signed(account, ChangeKind.ROTATE_KEY, key, number, sign_typed(account.signer, message))


def _signed(account: Account, kind: ChangeKind, subject: bytes, number: int, signature: bytes) -> SignedChange:
    return SignedChange(kind, account.identity.owner, account.identity.index, subject, number, signature)
