# pragma version 0.4.3
"""
@title How a lock is packed into storage
@license Apache-2.0 OR MIT
@notice Vyper gives every struct member a slot of its own. A lock is read by storage proof, by everybody, in
        every epoch, so its members share three slots instead:

        slot 0  holder   owner address (160 bits) | notice_at (48 bits) << 160 | frozen_at (48 bits) << 208
        slot 1  holding  asset address (160 bits) | amount (96 bits) << 160
        slot 2  binding  32 bytes

        Times are seconds since 1970, zero = not under notice, not frozen. The zero asset is the native coin.
        A lock exists iff its owner is not zero.
"""

MAX_AMOUNT: constant(uint256) = 2 ** 96 - 1
ADDRESS_MASK: constant(uint256) = 2 ** 160 - 1
TIME_MASK: constant(uint256) = 2 ** 48 - 1


struct Lock:
    holder: uint256
    holding: uint256
    binding: bytes32


@pure
@internal
def _pack_holder(owner: address, notice_at: uint256, frozen_at: uint256) -> uint256:
    # 48 bits of seconds last for nine million years; the checks cost nothing that matters.
    assert notice_at <= TIME_MASK and frozen_at <= TIME_MASK, "TIME_OUT_OF_RANGE"
    return convert(owner, uint256) | (notice_at << 160) | (frozen_at << 208)


@pure
@internal
def _pack_holding(asset: address, amount: uint256) -> uint256:
    assert amount <= MAX_AMOUNT, "AMOUNT_OUT_OF_RANGE"
    return convert(asset, uint256) | (amount << 160)


@pure
@internal
def _owner(holder: uint256) -> address:
    return convert(holder & ADDRESS_MASK, address)


@pure
@internal
def _notice_at(holder: uint256) -> uint256:
    return (holder >> 160) & TIME_MASK


@pure
@internal
def _frozen_at(holder: uint256) -> uint256:
    return holder >> 208


@pure
@internal
def _asset(holding: uint256) -> address:
    return convert(holding & ADDRESS_MASK, address)


@pure
@internal
def _amount(holding: uint256) -> uint256:
    return holding >> 160
