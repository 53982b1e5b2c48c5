# pragma version 0.4.3
"""
@title How an account's pledges are packed into storage
@license Apache-2.0 OR MIT
@notice Read by storage proof, by every venue, for every presentation: so few slots.

        Account, at keccak256(2 || account id):
        slot 0      digest   32 bytes
        slot 1      control  key address (160 bits) | key number (64 bits) << 160 | count of pledges << 224
        slot 2 + 3i          pledge i, for i < count, in no order:
            + 0     head     first 32 bytes of the commitment
            + 1     tail     revoked_at (64 bits) | universe version (64 bits) << 64 | commitment's last 16 bytes << 128
            + 2     venue    address

        Authorisation, at keccak256(keccak256(3 || account id) || venue):
        number (64 bits) | revoked_at (64 bits) << 64 | position of its pledge, from 1, << 128
        The number counts the changes: while it is odd, the venue is authorised. revoked_at is zero unless a pledge
        of a revoked venue stands; position is zero where none stands.

        Times are seconds since 1970.
"""

ADDRESS_MASK: constant(uint256) = 2 ** 160 - 1
NUMBER_MASK: constant(uint256) = 2 ** 64 - 1
MAX_PLEDGES: constant(uint256) = 16


struct Pledge:
    head: bytes32
    tail: uint256
    venue: address


struct Account:
    digest: bytes32
    control: uint256
    pledges: Pledge[MAX_PLEDGES]


@pure
@internal
def _pack_control(key: address, key_number: uint64, count: uint256) -> uint256:
    return convert(key, uint256) | (convert(key_number, uint256) << 160) | (count << 224)


@pure
@internal
def _key(control: uint256) -> address:
    return convert(control & ADDRESS_MASK, address)


@pure
@internal
def _key_number(control: uint256) -> uint64:
    return convert((control >> 160) & NUMBER_MASK, uint64)


@pure
@internal
def _count(control: uint256) -> uint256:
    return control >> 224


@pure
@internal
def _pack_pledge(venue: address, commitment: Bytes[48], universe_version: uint64) -> Pledge:
    last: uint256 = convert(convert(slice(commitment, 32, 16), bytes16), uint256)
    return Pledge(
        head=extract32(commitment, 0, output_type=bytes32),
        tail=(convert(universe_version, uint256) << 64) | (last << 128),
        venue=venue,
    )


@pure
@internal
def _commitment(pledge: Pledge) -> Bytes[48]:
    return concat(pledge.head, convert(convert(pledge.tail >> 128, uint128), bytes16))


@pure
@internal
def _universe_version(pledge: Pledge) -> uint64:
    return convert((pledge.tail >> 64) & NUMBER_MASK, uint64)


@pure
@internal
def _pledge_revoked_at(pledge: Pledge) -> uint256:
    return pledge.tail & NUMBER_MASK


@pure
@internal
def _pack_authorisation(number: uint64, revoked_at: uint256, position: uint256) -> uint256:
    return convert(number, uint256) | (revoked_at << 64) | (position << 128)


@pure
@internal
def _number(authorisation: uint256) -> uint64:
    return convert(authorisation & NUMBER_MASK, uint64)


@pure
@internal
def _authorised(authorisation: uint256) -> bool:
    return authorisation & 1 == 1


@pure
@internal
def _revoked_at(authorisation: uint256) -> uint256:
    return (authorisation >> 64) & NUMBER_MASK


@pure
@internal
def _position(authorisation: uint256) -> uint256:
    return authorisation >> 128
