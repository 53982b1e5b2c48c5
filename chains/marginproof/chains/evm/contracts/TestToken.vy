# pragma version 0.4.3
# pragma evm-version cancun
"""
@title TestToken
@license Apache-2.0 OR MIT
@notice An ERC-20 token for development chains that anybody may mint. Worth nothing, by construction.
"""

from ethereum.ercs import IERC20

implements: IERC20


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256


name: public(String[64])
symbol: public(String[16])
decimals: public(uint8)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(name: String[64], symbol: String[16], decimals: uint8):
    self.name = name
    self.symbol = symbol
    self.decimals = decimals


@external
def mint(to: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, value=amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    assert self.allowance[sender][msg.sender] >= amount, "ALLOWANCE_TOO_SMALL"
    self.allowance[sender][msg.sender] -= amount
    self._move(sender, to, amount)
    return True


@internal
def _move(sender: address, to: address, amount: uint256):
    assert to != empty(address), "RECIPIENT_INVALID"
    assert self.balanceOf[sender] >= amount, "BALANCE_TOO_SMALL"
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=sender, receiver=to, value=amount)
