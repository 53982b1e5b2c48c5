# pragma version 0.4.3
# pragma evm-version cancun
"""
@title PledgeRegistry
@license Apache-2.0 OR MIT
@notice The home chain's notice board: venues announce their policies some time before these hold, and anybody
        publishes the relayers' successive signer sets.

        Nobody owns this contract and nothing in it can be changed or taken back. It judges no signature: a set k + 1 counts
        for whoever finds it signed by enough of set k, starting from set 0, which the network's configuration
        pins. Records are keyed by their whole content, so that a false one never takes the place of a true one.

        Storage is read by proof: policy_effective_at lies at slot 0, signer_set_recorded_at at slot 1
        (see docs/contracts.md).
"""

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


# A year, in seconds: longer delays are mistakes.
MAX_DELAY: constant(uint256) = 31_536_000
MAX_EPOCH: constant(uint256) = 2 ** 64 - 1

POLICY_DELAY: immutable(uint256)

# The order of these declarations is part of the interface: they are read by storage proof.
# venue -> policy digest -> first second in which the policy holds; zero = never announced.
policy_effective_at: public(HashMap[address, HashMap[bytes32, uint256]])
# index -> record -> block time of its publication; zero = never published.
signer_set_recorded_at: public(HashMap[uint256, HashMap[bytes32, uint256]])


@deploy
def __init__(policy_delay: uint256):
    """
    @param policy_delay Seconds from the announcement of a policy to the first in which it holds.
    """
    assert policy_delay > 0 and policy_delay <= MAX_DELAY, "DELAY_OUT_OF_RANGE"
    POLICY_DELAY = policy_delay


@view
@external
def policy_delay() -> uint256:
    return POLICY_DELAY


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
