# pragma version 0.4.3
# pragma evm-version cancun
"""
@title PledgeRegistry
@license Apache-2.0 OR MIT
@notice The home chain's notice board: which venues an account lets pledge, what stands pledged to each, and in which
        order that came about; venues' policies some time before these hold; agreements between venues; the relayers'
        successive signer sets.

        Nobody owns this contract and nothing in it can be changed or taken back. It judges no proof and knows no
        amount: a pledge is a commitment. What it keeps true is the order. Every change of an account's pledges
        advances the account's digest, and a venue swaps its pledge only on the digest that the account signed
        for: what was proven about the other venues' pledges still stands when the new one takes its place.

        An account is named by the owner's address and an index; whoever calls gives these two and an EIP-712 message
        signed by the account's key, which is the owner's until it is rotated. Anybody may post such a message.

        It judges no signature of relayers: a set k + 1 counts for whoever finds it signed by enough of set k,
        starting from set 0, which the network's configuration pins. Records are keyed by their whole content, so
        that a false one never takes the place of a true one.

        Storage is read by proof: see docs/contracts.md and modules/pledge_words.vy.
"""

from modules import pledge_words
from modules import signatures
from modules import ssz_roots

struct PledgeView:
    venue: address
    commitment: Bytes[48]
    universe_version: uint64
    revoked_at: uint256


struct AccountView:
    digest: bytes32
    key: address
    key_number: uint64
    pledges: DynArray[PledgeView, 16]


struct AuthorisationView:
    number: uint64
    authorised: bool
    revoked_at: uint256


event PolicyAnnounced:
    venue: indexed(address)
    digest: indexed(bytes32)
    effective_at: uint256


event SignerSetRecorded:
    index: indexed(uint256)
    root: indexed(bytes32)
    record: indexed(bytes32)
    first_epoch: uint256
    signature: Bytes[1024]


event VenueAuthorised:
    account: indexed(bytes32)
    venue: indexed(address)
    number: uint64


event VenueRevoked:
    account: indexed(bytes32)
    venue: indexed(address)
    number: uint64
    digest: bytes32
    # First second in which the venue's pledge may lapse; zero where none stands.
    lapses_at: uint256


event PledgeSwapped:
    account: indexed(bytes32)
    venue: indexed(address)
    digest: bytes32
    commitment: Bytes[48]
    universe_version: uint64


event PledgeReleased:
    account: indexed(bytes32)
    venue: indexed(address)
    digest: bytes32


event PledgeLapsed:
    account: indexed(bytes32)
    venue: indexed(address)
    digest: bytes32


event KeyRotated:
    account: indexed(bytes32)
    key: indexed(address)
    number: uint64


event Agreed:
    venue: indexed(address)
    other: indexed(address)


event AgreementEnded:
    venue: indexed(address)
    other: indexed(address)
    # First second in which it no longer holds.
    until: uint256


# A year, in seconds: longer delays are mistakes.
MAX_DELAY: constant(uint256) = 31_536_000
MAX_EPOCH: constant(uint256) = 2 ** 64 - 1
COMMITMENT_BYTES: constant(uint256) = 48
# "Until further notice": no block has this time.
NO_END: constant(uint256) = 2 ** 64 - 1

POLICY_DELAY: immutable(uint256)
NOTICE_SECONDS: immutable(uint256)
NETWORK_ID: immutable(bytes32)
# The half of an account id's tree that is the same for every account of this registry.
HOME_BRANCH: immutable(bytes32)
DOMAIN_SEPARATOR: immutable(bytes32)

# The order of these declarations is part of the interface: they are read by storage proof.
# venue -> policy digest -> first second in which the policy holds; zero = never announced.
policy_effective_at: public(HashMap[address, HashMap[bytes32, uint256]])
# index -> record -> block time of its publication; zero = never published.
signer_set_recorded_at: public(HashMap[uint256, HashMap[bytes32, uint256]])
# account id -> digest, key and pledges.
accounts: HashMap[bytes32, pledge_words.Account]
# account id -> venue -> packed authorisation.
authorisations: HashMap[bytes32, HashMap[address, uint256]]
# venue -> other venue -> first second in which its agreement no longer holds; zero = it never agreed.
agreed_until: public(HashMap[address, HashMap[address, uint256]])
# account id -> key -> whether the account was ever rotated to it.
key_used: HashMap[bytes32, HashMap[address, bool]]


@deploy
def __init__(n: uint64, configuration_digest: bytes32, policy_delay: uint256, notice_seconds: uint256):
    """
    @param n Entries of the network's vectors.
    @param configuration_digest Digest of the network's configuration, which names both delays too.
    @param policy_delay Seconds from the announcement of a policy, or of the end of an agreement, to its effect.
    @param notice_seconds Seconds from a revocation to the first in which the revoked venue's pledge may lapse.
    """
    assert n == 256 or n == 512 or n == 1024 or n == 2048, "VECTOR_LENGTH_UNKNOWN"
    assert configuration_digest != empty(bytes32), "DIGEST_EMPTY"
    assert policy_delay > 0 and policy_delay <= MAX_DELAY, "DELAY_OUT_OF_RANGE"
    assert notice_seconds > 0 and notice_seconds <= MAX_DELAY, "DELAY_OUT_OF_RANGE"
    POLICY_DELAY = policy_delay
    NOTICE_SECONDS = notice_seconds
    HOME_BRANCH = ssz_roots._home_branch(convert(chain.id, uint64), self)
    NETWORK_ID = ssz_roots._network_id(HOME_BRANCH, n, configuration_digest)
    DOMAIN_SEPARATOR = signatures._domain_separator(NETWORK_ID)


@view
@external
def policy_delay() -> uint256:
    return POLICY_DELAY


@view
@external
def notice_seconds() -> uint256:
    return NOTICE_SECONDS


@view
@external
def network_id() -> bytes32:
    """
    @return hash_tree_root of {home chain, this registry, n, configuration digest}.
    """
    return NETWORK_ID


@view
@external
def account_id(owner: address, index: uint64) -> bytes32:
    """
    @return hash_tree_root of {home chain, this registry, owner, index}.
    """
    return ssz_roots._account_id(HOME_BRANCH, owner, index)


@view
@external
def read_account(account: bytes32) -> AccountView:
    """
    @return Digest, key (zero = the owner's, never rotated) and standing pledges, in no order.
    """
    control: uint256 = self.accounts[account].control
    pledges: DynArray[PledgeView, 16] = []
    for index: uint256 in range(pledge_words._count(control), bound=pledge_words.MAX_PLEDGES):
        pledge: pledge_words.Pledge = self.accounts[account].pledges[index]
        pledges.append(
            PledgeView(
                venue=pledge.venue,
                commitment=pledge_words._commitment(pledge),
                universe_version=pledge_words._universe_version(pledge),
                revoked_at=pledge_words._pledge_revoked_at(pledge),
            )
        )
    return AccountView(
        digest=self.accounts[account].digest,
        key=pledge_words._key(control),
        key_number=pledge_words._key_number(control),
        pledges=pledges,
    )


@view
@external
def read_authorisation(account: bytes32, venue: address) -> AuthorisationView:
    """
    @return How often it was changed, whether it holds, and since when it is revoked while a pledge still stands.
    """
    authorisation: uint256 = self.authorisations[account][venue]
    return AuthorisationView(
        number=pledge_words._number(authorisation),
        authorised=pledge_words._authorised(authorisation),
        revoked_at=pledge_words._revoked_at(authorisation),
    )


# ---- the account's side: anybody posts what its key has signed


@external
def authorise(owner: address, index: uint64, venue: address, number: uint64, signature: Bytes[65]):
    """
    @notice Let a venue pledge this account's headroom.
    @param number How often this account has authorised or revoked this venue before.
    """
    assert venue != empty(address), "VENUE_INVALID"
    account: bytes32 = ssz_roots._account_id(HOME_BRANCH, owner, index)
    authorisation: uint256 = self._numbered(account, venue, number)
    assert not pledge_words._authorised(authorisation), "ALREADY_AUTHORISED"
    assert pledge_words._revoked_at(authorisation) == 0, "REVOCATION_RUNNING"
    message: bytes32 = signatures._numbered(signatures.AUTHORISE_TYPE, account, venue, number)
    signatures._check(DOMAIN_SEPARATOR, message, self._signer(account, owner), signature)
    self.authorisations[account][venue] = pledge_words._pack_authorisation(number + 1, 0, 0)
    log VenueAuthorised(account=account, venue=venue, number=number + 1)


@external
def revoke(owner: address, index: uint64, venue: address, number: uint64, signature: Bytes[65]):
    """
    @notice Take that back. The venue swaps no more; a pledge that stands does so until it is released, or lapses.
    """
    account: bytes32 = ssz_roots._account_id(HOME_BRANCH, owner, index)
    authorisation: uint256 = self._numbered(account, venue, number)
    assert pledge_words._authorised(authorisation), "NOT_AUTHORISED"
    message: bytes32 = signatures._numbered(signatures.REVOKE_TYPE, account, venue, number)
    signatures._check(DOMAIN_SEPARATOR, message, self._signer(account, owner), signature)
    position: uint256 = pledge_words._position(authorisation)
    revoked_at: uint256 = 0
    lapses_at: uint256 = 0
    if position != 0:
        revoked_at = block.timestamp
        lapses_at = revoked_at + NOTICE_SECONDS
        # Its low 64 bits are zero while the venue is authorised.
        self.accounts[account].pledges[position - 1].tail |= revoked_at
    self.authorisations[account][venue] = pledge_words._pack_authorisation(number + 1, revoked_at, position)
    # Whatever is being proven or posted now was signed for before the revocation: it must not pass after it.
    digest: bytes32 = self._advance(account, venue, empty(bytes32), empty(bytes16), 0)
    log VenueRevoked(account=account, venue=venue, number=number + 1, digest=digest, lapses_at=lapses_at)


@external
def rotate_key(owner: address, index: uint64, key: address, number: uint64, signature: Bytes[65]):
    """
    @notice Hand the account over to another key. The old one signs nothing any more, and never again.
    @param number How often the key was rotated before.
    """
    account: bytes32 = ssz_roots._account_id(HOME_BRANCH, owner, index)
    control: uint256 = self.accounts[account].control
    assert number == pledge_words._key_number(control), "NUMBER_STALE"
    assert key != empty(address), "KEY_EMPTY"
    # What an old key has signed and nobody posted must not come back to life.
    assert key != owner and not self.key_used[account][key], "KEY_USED_BEFORE"
    message: bytes32 = signatures._numbered(signatures.ROTATE_TYPE, account, key, number)
    signatures._check(DOMAIN_SEPARATOR, message, self._signer(account, owner), signature)
    self.key_used[account][key] = True
    self.accounts[account].control = pledge_words._pack_control(key, number + 1, pledge_words._count(control))
    log KeyRotated(account=account, key=key, number=number + 1)


# ---- the venue's side


@external
def swap(
    owner: address,
    index: uint64,
    digest: bytes32,
    commitment: Bytes[48],
    universe_version: uint64,
    signature: Bytes[65],
):
    """
    @notice Set or replace the calling venue's pledge, if the account's digest is still the one that was signed for.
    @param digest The account's digest, on which the proof was made.
    @param commitment The new pledge.
    @param universe_version Version of the universe that it counts in.
    @param signature The account's, over the Pledge message.
    """
    account: bytes32 = ssz_roots._account_id(HOME_BRANCH, owner, index)
    authorisation: uint256 = self.authorisations[account][msg.sender]
    assert pledge_words._authorised(authorisation), "NOT_AUTHORISED"
    assert digest == self.accounts[account].digest, "DIGEST_STALE"
    assert len(commitment) == COMMITMENT_BYTES, "COMMITMENT_LENGTH"
    pledge: pledge_words.Pledge = pledge_words._pack_pledge(msg.sender, commitment, universe_version)
    tail: bytes16 = convert(convert(pledge.tail >> 128, uint128), bytes16)
    # Zeros stand for the end of a pledge.
    assert pledge.head != empty(bytes32) or tail != empty(bytes16), "COMMITMENT_EMPTY"
    advanced: bytes32 = self._advance(account, msg.sender, pledge.head, tail, universe_version)
    message: bytes32 = signatures._pledge(account, msg.sender, digest, universe_version, advanced)
    signatures._check(DOMAIN_SEPARATOR, message, self._signer(account, owner), signature)
    self._set(account, pledge, authorisation)
    log PledgeSwapped(
        account=account,
        venue=msg.sender,
        digest=advanced,
        commitment=commitment,
        universe_version=universe_version,
    )


@external
def release(account: bytes32):
    """
    @notice Give up the calling venue's pledge. It needs nobody's consent: it frees headroom.
    """
    digest: bytes32 = self._remove(account, msg.sender)
    log PledgeReleased(account=account, venue=msg.sender, digest=digest)


@external
def lapse(account: bytes32, venue: address):
    """
    @notice Remove a revoked venue's pledge once its notice is over. Anybody may call this.
    """
    revoked_at: uint256 = pledge_words._revoked_at(self.authorisations[account][venue])
    assert revoked_at != 0, "NOT_REVOKED"
    assert block.timestamp >= revoked_at + NOTICE_SECONDS, "NOTICE_NOT_OVER"
    digest: bytes32 = self._remove(account, venue)
    log PledgeLapsed(account=account, venue=venue, digest=digest)


@external
def agree(other: address):
    """
    @notice Agree to count another venue's pledges in full. It holds while both sides have agreed.
    """
    assert other != empty(address) and other != msg.sender, "VENUE_INVALID"
    assert self.agreed_until[msg.sender][other] != NO_END, "ALREADY_AGREED"
    self.agreed_until[msg.sender][other] = NO_END
    log Agreed(venue=msg.sender, other=other)


@external
def end_agreement(other: address):
    """
    @notice Take that back, with the delay of a policy: nobody's margin changes from one block to the next.
    """
    assert self.agreed_until[msg.sender][other] == NO_END, "NOT_AGREED"
    until: uint256 = block.timestamp + POLICY_DELAY
    self.agreed_until[msg.sender][other] = until
    log AgreementEnded(venue=msg.sender, other=other, until=until)


# ---- policies and signer sets


@external
def announce_policy(digest: bytes32):
    """
    @notice Announce a policy of the calling venue. Once per policy: the time it holds from never moves.
    """
    assert digest != empty(bytes32), "DIGEST_EMPTY"
    assert self.policy_effective_at[msg.sender][digest] == 0, "ALREADY_ANNOUNCED"
    effective_at: uint256 = block.timestamp + POLICY_DELAY
    self.policy_effective_at[msg.sender][digest] = effective_at
    log PolicyAnnounced(venue=msg.sender, digest=digest, effective_at=effective_at)


@pure
@external
def signer_set_record(root: bytes32, first_epoch: uint256, signature: Bytes[1024]) -> bytes32:
    """
    @return The key under which these contents are recorded.
    """
    return self._record(root, first_epoch, signature)


@external
def record_signer_set(index: uint256, root: bytes32, first_epoch: uint256, signature: Bytes[1024]):
    """
    @notice Publish a signer set. The contents lie in the event; storage holds their digest and the time.
    @param index Number of the set; 0 is pinned by the network's configuration and never recorded.
    @param root hash_tree_root of the set.
    @param first_epoch First epoch in which it signs.
    @param signature What the previous set signed, in the encoding of the attestation format.
    """
    assert index > 0, "INDEX_ZERO"
    assert root != empty(bytes32), "ROOT_EMPTY"
    assert first_epoch <= MAX_EPOCH, "EPOCH_OUT_OF_RANGE"
    assert len(signature) > 0, "SIGNATURE_EMPTY"
    record: bytes32 = self._record(root, first_epoch, signature)
    assert self.signer_set_recorded_at[index][record] == 0, "ALREADY_RECORDED"
    self.signer_set_recorded_at[index][record] = block.timestamp
    log SignerSetRecorded(index=index, root=root, record=record, first_epoch=first_epoch, signature=signature)


@pure
@internal
def _record(root: bytes32, first_epoch: uint256, signature: Bytes[1024]) -> bytes32:
    # Everything before the signature has a fixed length, so that no two contents share a preimage.
    return sha256(concat(root, convert(first_epoch, bytes32), signature))


# ---- shared steps


@view
@internal
def _signer(account: bytes32, owner: address) -> address:
    key: address = pledge_words._key(self.accounts[account].control)
    if key == empty(address):
        return owner
    return key


@view
@internal
def _numbered(account: bytes32, venue: address, number: uint64) -> uint256:
    """
    @return The packed authorisation, if that many changes were made to it.
    """
    authorisation: uint256 = self.authorisations[account][venue]
    assert number == pledge_words._number(authorisation), "NUMBER_STALE"
    return authorisation


@internal
def _advance(
    account: bytes32, venue: address, head: bytes32, tail: bytes16, universe_version: uint64
) -> bytes32:
    """
    @return The account's new digest, which covers the one before it.
    """
    digest: bytes32 = ssz_roots._step(self.accounts[account].digest, venue, head, tail, universe_version)
    self.accounts[account].digest = digest
    return digest


@internal
def _set(account: bytes32, pledge: pledge_words.Pledge, authorisation: uint256):
    position: uint256 = pledge_words._position(authorisation)
    if position != 0:
        self.accounts[account].pledges[position - 1].head = pledge.head
        self.accounts[account].pledges[position - 1].tail = pledge.tail
        return
    control: uint256 = self.accounts[account].control
    count: uint256 = pledge_words._count(control)
    assert count < pledge_words.MAX_PLEDGES, "TOO_MANY_PLEDGES"
    self.accounts[account].pledges[count] = pledge
    self._set_count(account, control, count + 1)
    self.authorisations[account][pledge.venue] = pledge_words._pack_authorisation(
        pledge_words._number(authorisation), 0, count + 1
    )


@internal
def _remove(account: bytes32, venue: address) -> bytes32:
    """
    @notice Remove a venue's pledge; where it was revoked, that is over then. The last pledge moves into the gap.
    @return The account's new digest.
    """
    authorisation: uint256 = self.authorisations[account][venue]
    position: uint256 = pledge_words._position(authorisation)
    assert position != 0, "NO_PLEDGE"
    control: uint256 = self.accounts[account].control
    last: uint256 = pledge_words._count(control)
    if position != last:
        moved: pledge_words.Pledge = self.accounts[account].pledges[last - 1]
        self.accounts[account].pledges[position - 1] = moved
        other: uint256 = self.authorisations[account][moved.venue]
        self.authorisations[account][moved.venue] = pledge_words._pack_authorisation(
            pledge_words._number(other), pledge_words._revoked_at(other), position
        )
    self.accounts[account].pledges[last - 1] = empty(pledge_words.Pledge)
    self._set_count(account, control, last - 1)
    self.authorisations[account][venue] = pledge_words._pack_authorisation(
        pledge_words._number(authorisation), 0, 0
    )
    return self._advance(account, venue, empty(bytes32), empty(bytes16), 0)


@internal
def _set_count(account: bytes32, control: uint256, count: uint256):
    self.accounts[account].control = pledge_words._pack_control(
        pledge_words._key(control), pledge_words._key_number(control), count
    )
