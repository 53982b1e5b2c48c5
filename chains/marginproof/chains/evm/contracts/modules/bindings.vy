# pragma version 0.4.3
"""
@title Opening a lock's binding, and showing that an address is among its payees
@license Apache-2.0 OR MIT
@notice binding = sha256("marginproof/binding/v1" || account id || payees root || salt), each 32 bytes.
        The payees root is the SSZ hash_tree_root of List[Payee, 16], Payee = Container{venue: Bytes20,
        salt: Bytes32}: four levels of siblings, then the length as a little-endian chunk.
"""

BINDING_DOMAIN: constant(Bytes[22]) = b"marginproof/binding/v1"
MAX_PAYEES: constant(uint256) = 16
DEPTH: constant(uint256) = 4


@pure
@internal
def _binding(account: bytes32, payees_root: bytes32, salt: bytes32) -> bytes32:
    return sha256(concat(BINDING_DOMAIN, account, payees_root, salt))


@pure
@internal
def _is_payee(
    payees_root: bytes32, payee: address, payee_salt: bytes32, index: uint256, branch: bytes32[5]
) -> bool:
    """
    @param branch Four siblings from the leaf upwards, then the list's length as an SSZ chunk.
    """
    length_word: uint256 = convert(branch[DEPTH], uint256)
    length: uint256 = length_word >> 248
    # The other 31 bytes of the little-endian length must be zero, so that a payee has one proof only.
    if length_word != length << 248 or length > MAX_PAYEES or index >= length:
        return False
    # Bytes20 is padded with zeros on the right, an address word has its zeros on the left.
    node: bytes32 = sha256(concat(convert(convert(payee, uint256) << 96, bytes32), payee_salt))
    for level: uint256 in range(DEPTH):
        if (index >> level) & 1 == 0:
            node = sha256(concat(node, branch[level]))
        else:
            node = sha256(concat(branch[level], node))
    return sha256(concat(node, branch[DEPTH])) == payees_root
