# pragma version 0.4.3
"""
@title EIP-712 messages of an account, and whether its key signed them
@license Apache-2.0 OR MIT
@notice The domain is {name: "Marginproof", version: "1", salt: network id}: it names no chain and no contract, because
        the network id already binds both. Of the two signatures that every signature can be turned into, one counts.
"""

DOMAIN_TYPE: constant(bytes32) = keccak256("EIP712Domain(string name,string version,bytes32 salt)")
AUTHORISE_TYPE: constant(bytes32) = keccak256("Authorise(bytes32 account,address venue,uint64 number)")
REVOKE_TYPE: constant(bytes32) = keccak256("Revoke(bytes32 account,address venue,uint64 number)")
ROTATE_TYPE: constant(bytes32) = keccak256("RotateKey(bytes32 account,address key,uint64 number)")
PLEDGE_TYPE: constant(bytes32) = keccak256(
    "Pledge(bytes32 account,address venue,bytes32 digest,uint64 universeVersion,bytes32 root)"
)
# Half of the group order of secp256k1, rounded down.
HIGHEST_S: constant(uint256) = 57_896_044_618_658_097_711_785_492_504_343_953_926_418_782_139_537_452_191_302_581_570_759_080_747_168


@pure
@internal
def _domain_separator(network: bytes32) -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPE, keccak256("Marginproof"), keccak256("1"), network))


@pure
@internal
def _numbered(message_type: bytes32, account: bytes32, subject: address, number: uint64) -> bytes32:
    """
    @return Struct hash of Authorise, Revoke or RotateKey, which have the same three fields.
    """
    return keccak256(abi_encode(message_type, account, subject, number))


@pure
@internal
def _pledge(account: bytes32, venue: address, digest: bytes32, universe_version: uint64, root: bytes32) -> bytes32:
    return keccak256(abi_encode(PLEDGE_TYPE, account, venue, digest, universe_version, root))


@pure
@internal
def _check(separator: bytes32, message: bytes32, key: address, signature: Bytes[65]):
    """
    @param message Struct hash of what was signed.
    @param signature r, s, v: 32, 32 and 1 bytes, v is 27 or 28.
    """
    assert len(signature) == 65, "SIGNATURE_LENGTH"
    s: uint256 = extract32(signature, 32, output_type=uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    assert s <= HIGHEST_S and (v == 27 or v == 28), "SIGNATURE_MALLEABLE"
    signed: bytes32 = keccak256(concat(x"1901", separator, message))
    signer: address = ecrecover(signed, v, extract32(signature, 0, output_type=uint256), s)
    # What recovers to nobody must not count as signed by the zero address.
    assert signer != empty(address) and signer == key, "SIGNATURE_INVALID"
