# pragma version 0.4.3
"""
@title hash_tree_root of the few SSZ containers that the registry rebuilds
@license Apache-2.0 OR MIT
@notice AccountIdentity and Network have four leaves each and begin alike with home chain and registry: that half is
        computed once, at deployment. PledgeStep has four leaves too: previous digest, venue, commitment, version.
"""

# Of a number of 64 bits: bytes 0, 2, 4, 6; bytes 0, 1, 4, 5; bytes 0 to 3.
EVERY_OTHER_BYTE: constant(uint256) = 71_777_214_294_589_695
EVERY_OTHER_PAIR: constant(uint256) = 281_470_681_808_895
LOW_HALF: constant(uint256) = 2 ** 32 - 1


@pure
@internal
def _home_branch(chain_number: uint64, registry: address) -> bytes32:
    """
    @return Node above the home chain's CAIP-2 text (a list of at most 64 bytes) and the registry's address.
    """
    text: String[27] = concat("eip155:", uint2str(chain_number))
    # At most 27 bytes: the text fills a part of the first of two chunks, then its length is mixed in.
    characters: bytes32 = sha256(concat(convert(convert(text, Bytes[27]), bytes32), empty(bytes32)))
    root: bytes32 = sha256(concat(characters, self._number_leaf(convert(len(text), uint64))))
    return sha256(concat(root, self._address_leaf(registry)))


@pure
@internal
def _network_id(home_branch: bytes32, n: uint64, configuration_digest: bytes32) -> bytes32:
    return sha256(concat(home_branch, sha256(concat(self._number_leaf(n), configuration_digest))))


@pure
@internal
def _account_id(home_branch: bytes32, owner: address, index: uint64) -> bytes32:
    return sha256(concat(home_branch, sha256(concat(self._address_leaf(owner), self._number_leaf(index)))))


@pure
@internal
def _step(
    previous: bytes32, venue: address, head: bytes32, tail: bytes16, universe_version: uint64
) -> bytes32:
    """
    @param head First 32 bytes of the commitment.
    @param tail Its last 16 bytes.
    """
    commitment: bytes32 = sha256(concat(head, tail, empty(bytes16)))
    return sha256(
        concat(
            sha256(concat(previous, self._address_leaf(venue))),
            sha256(concat(commitment, self._number_leaf(universe_version))),
        )
    )


@pure
@internal
def _address_leaf(holder: address) -> bytes32:
    # Bytes20 is padded with zeros on the right, an address word has its zeros on the left.
    return convert(convert(holder, uint256) << 96, bytes32)


@pure
@internal
def _number_leaf(number: uint64) -> bytes32:
    """
    @return The number's eight bytes, the lowest first, then zeros.
    """
    x: uint256 = convert(number, uint256)
    x = ((x & EVERY_OTHER_BYTE) << 8) | ((x >> 8) & EVERY_OTHER_BYTE)
    x = ((x & EVERY_OTHER_PAIR) << 16) | ((x >> 16) & EVERY_OTHER_PAIR)
    x = ((x & LOW_HALF) << 32) | (x >> 32)
    return convert(x << 192, bytes32)
