# pragma version 0.4.3
# pragma evm-version cancun
"""
@title CollateralVault
@license Apache-2.0 OR MIT
@notice Holds collateral under a binding to an account that nobody can read from the chain. What lies here
        cannot leave sooner than NOTICE_SECONDS after its owner said so, which is what makes a certificate of
        a past block worth something until then.

        Nobody owns this contract and nothing in it can be changed. The arbiter, if there is one, may freeze a
        lock whose binding it can open, and from NOTICE_SECONDS after the freeze on, for PAYOUT_SECONDS, pay
        from it to addresses that the owner put in that binding, and to nobody else.

        Storage is read by proof: locks lie at slot 0, total_locked at slot 1 (see docs/contracts.md).
        Assets whose balances change by themselves, or that charge on the way out, must not be locked: totals
        are kept in amounts received.
"""

from modules import assets
from modules import bindings
from modules import lock_words

struct LockView:
    owner: address
    asset: address
    amount: uint256
    notice_at: uint256
    frozen_at: uint256
    binding: bytes32


event Locked:
    lock_id: indexed(uint256)
    owner: indexed(address)
    asset: indexed(address)
    amount: uint256
    binding: bytes32


event Added:
    lock_id: indexed(uint256)
    added: uint256
    amount: uint256


event NoticeStarted:
    lock_id: indexed(uint256)
    withdrawable_at: uint256


event NoticeCancelled:
    lock_id: indexed(uint256)


event Withdrawn:
    lock_id: indexed(uint256)
    to: indexed(address)
    amount: uint256


event Frozen:
    lock_id: indexed(uint256)
    account: indexed(bytes32)
    payable_at: uint256


event Paid:
    lock_id: indexed(uint256)
    payee: indexed(address)
    amount: uint256
    remaining: uint256


event Released:
    lock_id: indexed(uint256)
    withdrawable_at: uint256


# A year, in seconds: longer delays are mistakes, and a mistake here would bury coins.
MAX_DELAY: constant(uint256) = 31_536_000

NOTICE_SECONDS: immutable(uint256)
PAYOUT_SECONDS: immutable(uint256)
ARBITER: immutable(address)

# The order of these declarations is part of the interface: they are read by storage proof.
locks: HashMap[uint256, lock_words.Lock]
total_locked: public(HashMap[address, uint256])
lock_count: public(uint256)


@deploy
def __init__(notice_seconds: uint256, arbiter: address, payout_seconds: uint256):
    """
    @param notice_seconds From the start of a notice, or of a freeze, to the first second in which coins may leave.
    @param arbiter Who may freeze and pay; the zero address for nobody.
    @param payout_seconds How long the arbiter may pay from a frozen lock.
    """
    assert notice_seconds > 0 and notice_seconds <= MAX_DELAY, "DELAY_OUT_OF_RANGE"
    assert payout_seconds > 0 and payout_seconds <= MAX_DELAY, "DELAY_OUT_OF_RANGE"
    NOTICE_SECONDS = notice_seconds
    PAYOUT_SECONDS = payout_seconds
    ARBITER = arbiter


@view
@external
def notice_seconds() -> uint256:
    return NOTICE_SECONDS


@view
@external
def payout_seconds() -> uint256:
    return PAYOUT_SECONDS


@view
@external
def arbiter() -> address:
    return ARBITER


@view
@external
@nonreentrant
def read_lock(lock_id: uint256) -> LockView:
    holder: uint256 = self._existing(lock_id)
    lock: lock_words.Lock = self.locks[lock_id]
    return LockView(
        owner=lock_words._owner(holder),
        asset=lock_words._asset(lock.holding),
        amount=lock_words._amount(lock.holding),
        notice_at=lock_words._notice_at(holder),
        frozen_at=lock_words._frozen_at(holder),
        binding=lock.binding,
    )


# ---- the owner's side


@payable
@external
@nonreentrant
def lock_native(binding: bytes32) -> uint256:
    """
    @notice Lock the coins sent along.
    @return The new lock's id; ids count from 1 and are never used again.
    """
    return self._open(assets.NATIVE, msg.value, binding)


@external
@nonreentrant
def lock_token(asset: address, amount: uint256, binding: bytes32) -> uint256:
    """
    @notice Pull an approved amount of an ERC-20 token and lock what arrives.
    """
    assert asset != assets.NATIVE, "ASSET_INVALID"
    assert amount > 0, "AMOUNT_ZERO"
    # The lock must carry what arrived, so it can only be written after the call: @nonreentrant covers it.
    return self._open(asset, assets._pull_token(asset, msg.sender, amount), binding)


@payable
@external
@nonreentrant
def add_native(lock_id: uint256):
    self._check_can_add(lock_id, True)
    self._increase(lock_id, msg.value)


@external
@nonreentrant
def add_token(lock_id: uint256, amount: uint256):
    asset: address = self._check_can_add(lock_id, False)
    assert amount > 0, "AMOUNT_ZERO"
    self._increase(lock_id, assets._pull_token(asset, msg.sender, amount))


@external
@nonreentrant
def start_notice(lock_id: uint256):
    """
    @notice From this block on the lock counts as collateral nowhere.
    """
    holder: uint256 = self._owned_and_free(lock_id)
    assert lock_words._notice_at(holder) == 0, "NOTICE_RUNNING"
    self.locks[lock_id].holder = lock_words._pack_holder(msg.sender, block.timestamp, 0)
    log NoticeStarted(lock_id=lock_id, withdrawable_at=block.timestamp + NOTICE_SECONDS)


@external
@nonreentrant
def cancel_notice(lock_id: uint256):
    """
    @notice Let the lock count again. The next notice runs in full.
    """
    holder: uint256 = self._owned_and_free(lock_id)
    assert lock_words._notice_at(holder) != 0, "NOTICE_NOT_RUNNING"
    self.locks[lock_id].holder = lock_words._pack_holder(msg.sender, 0, 0)
    log NoticeCancelled(lock_id=lock_id)


@external
@nonreentrant
def withdraw(lock_id: uint256, to: address):
    """
    @notice Take everything out after the notice, in one piece.
    """
    notice_at: uint256 = lock_words._notice_at(self._owned_and_free(lock_id))
    assert notice_at != 0, "NOTICE_NOT_RUNNING"
    assert block.timestamp >= notice_at + NOTICE_SECONDS, "NOTICE_NOT_OVER"
    assert to != empty(address) and to != self, "RECIPIENT_INVALID"
    holding: uint256 = self.locks[lock_id].holding
    asset: address = lock_words._asset(holding)
    amount: uint256 = lock_words._amount(holding)
    self.locks[lock_id] = empty(lock_words.Lock)
    self.total_locked[asset] -= amount
    log Withdrawn(lock_id=lock_id, to=to, amount=amount)
    assets._push(asset, to, amount)


# ---- the arbiter's side


@external
@nonreentrant
def freeze(lock_id: uint256, account: bytes32, payees_root: bytes32, salt: bytes32):
    """
    @notice Stop a lock of this account from leaving, under notice or not. Opens the binding to the public.
    """
    assert msg.sender == ARBITER, "NOT_ARBITER"
    holder: uint256 = self._existing(lock_id)
    assert lock_words._frozen_at(holder) == 0, "LOCK_FROZEN"
    self._check_binding(lock_id, account, payees_root, salt)
    self.locks[lock_id].holder = lock_words._pack_holder(
        lock_words._owner(holder), lock_words._notice_at(holder), block.timestamp
    )
    log Frozen(lock_id=lock_id, account=account, payable_at=block.timestamp + NOTICE_SECONDS)


@external
@nonreentrant
def pay(
    lock_id: uint256,
    payee: address,
    amount: uint256,
    account: bytes32,
    payees_root: bytes32,
    salt: bytes32,
    payee_salt: bytes32,
    index: uint256,
    branch: bytes32[5],
):
    """
    @notice Pay part of a frozen lock to an address that its binding lists. Several payments may follow each
            other, to one payee or many, until the lock is empty; an empty lock ceases to exist.
    """
    assert msg.sender == ARBITER, "NOT_ARBITER"
    self._check_payout_window(lock_words._frozen_at(self._existing(lock_id)))
    self._check_binding(lock_id, account, payees_root, salt)
    assert payee != empty(address) and payee != self, "RECIPIENT_INVALID"
    assert bindings._is_payee(payees_root, payee, payee_salt, index, branch), "NOT_A_PAYEE"
    holding: uint256 = self.locks[lock_id].holding
    available: uint256 = lock_words._amount(holding)
    assert amount > 0, "AMOUNT_ZERO"
    assert amount <= available, "AMOUNT_EXCEEDS_LOCK"
    asset: address = lock_words._asset(holding)
    remaining: uint256 = available - amount
    if remaining == 0:
        self.locks[lock_id] = empty(lock_words.Lock)
    else:
        self.locks[lock_id].holding = lock_words._pack_holding(asset, remaining)
    self.total_locked[asset] -= amount
    log Paid(lock_id=lock_id, payee=payee, amount=amount, remaining=remaining)
    assets._push(asset, payee, amount)


@external
@nonreentrant
def release(lock_id: uint256):
    """
    @notice End a freeze: the arbiter at any time, anybody once the time for payments is over.
    @dev The lock comes back under notice, counted from the freeze (or from its older notice): after a freeze of
         full length the owner can withdraw at once, and the lock counts as collateral again only if the owner
         cancels that notice.
    """
    holder: uint256 = self._existing(lock_id)
    frozen_at: uint256 = lock_words._frozen_at(holder)
    assert frozen_at != 0, "LOCK_NOT_FROZEN"
    if msg.sender != ARBITER:
        assert block.timestamp >= frozen_at + NOTICE_SECONDS + PAYOUT_SECONDS, "PAYOUT_NOT_OVER"
    notice_at: uint256 = lock_words._notice_at(holder)
    if notice_at == 0:
        notice_at = frozen_at
    self.locks[lock_id].holder = lock_words._pack_holder(lock_words._owner(holder), notice_at, 0)
    log Released(lock_id=lock_id, withdrawable_at=notice_at + NOTICE_SECONDS)


# ---- shared steps


@view
@internal
def _existing(lock_id: uint256) -> uint256:
    """
    @return The holder word; the other words are read by whoever needs them.
    """
    holder: uint256 = self.locks[lock_id].holder
    assert lock_words._owner(holder) != empty(address), "LOCK_UNKNOWN"
    return holder


@view
@internal
def _owned_and_free(lock_id: uint256) -> uint256:
    holder: uint256 = self._existing(lock_id)
    assert lock_words._owner(holder) == msg.sender, "NOT_OWNER"
    assert lock_words._frozen_at(holder) == 0, "LOCK_FROZEN"
    return holder


@view
@internal
def _check_can_add(lock_id: uint256, native: bool) -> address:
    holder: uint256 = self._owned_and_free(lock_id)
    assert lock_words._notice_at(holder) == 0, "NOTICE_RUNNING"
    asset: address = lock_words._asset(self.locks[lock_id].holding)
    assert (asset == assets.NATIVE) == native, "ASSET_MISMATCH"
    return asset


@view
@internal
def _check_binding(lock_id: uint256, account: bytes32, payees_root: bytes32, salt: bytes32):
    opened: bytes32 = bindings._binding(account, payees_root, salt)
    assert opened == self.locks[lock_id].binding, "BINDING_MISMATCH"


@view
@internal
def _check_payout_window(frozen_at: uint256):
    assert frozen_at != 0, "LOCK_NOT_FROZEN"
    payable_at: uint256 = frozen_at + NOTICE_SECONDS
    assert block.timestamp >= payable_at, "PAYOUT_NOT_OPEN"
    assert block.timestamp < payable_at + PAYOUT_SECONDS, "PAYOUT_OVER"


@internal
def _open(asset: address, amount: uint256, binding: bytes32) -> uint256:
    assert amount > 0, "AMOUNT_ZERO"
    assert binding != empty(bytes32), "BINDING_EMPTY"
    lock_id: uint256 = self.lock_count + 1
    self.lock_count = lock_id
    self.locks[lock_id] = lock_words.Lock(
        holder=lock_words._pack_holder(msg.sender, 0, 0),
        holding=lock_words._pack_holding(asset, amount),
        binding=binding,
    )
    self.total_locked[asset] += amount
    log Locked(lock_id=lock_id, owner=msg.sender, asset=asset, amount=amount, binding=binding)
    return lock_id


@internal
def _increase(lock_id: uint256, added: uint256):
    assert added > 0, "AMOUNT_ZERO"
    holding: uint256 = self.locks[lock_id].holding
    asset: address = lock_words._asset(holding)
    amount: uint256 = lock_words._amount(holding) + added
    self.locks[lock_id].holding = lock_words._pack_holding(asset, amount)
    self.total_locked[asset] += added
    log Added(lock_id=lock_id, added=added, amount=amount)
