# pragma version 0.4.3
# pragma evm-version cancun
"""
@title PriceFeed
@license Apache-2.0 OR MIT
@notice One price, posted by one transmitter and read like a Chainlink AggregatorV3: any reader written for
        that interface reads this one. It vouches for who posted and when, not for what is true: users take
        the median of several feeds.
"""

event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


# The greatest answer that still fits comfortably in every reader's arithmetic.
MAX_ANSWER: constant(int256) = 2 ** 95

struct Round:
    answer: int256
    updated_at: uint256


DECIMALS: immutable(uint8)
TRANSMITTER: immutable(address)

description: public(String[64])
rounds: HashMap[uint80, Round]
latest_round: uint80


@deploy
def __init__(description: String[64], decimals: uint8, transmitter: address):
    """
    @param description The pair, for example "ETH / USD".
    @param decimals Answers are in units of 10 ** -decimals.
    @param transmitter The only address that may post.
    """
    assert len(description) > 0, "DESCRIPTION_EMPTY"
    assert decimals <= 18, "DECIMALS_OUT_OF_RANGE"
    assert transmitter != empty(address), "TRANSMITTER_EMPTY"
    self.description = description
    DECIMALS = decimals
    TRANSMITTER = transmitter


@view
@external
def decimals() -> uint8:
    return DECIMALS


@view
@external
def version() -> uint256:
    return 1


@view
@external
def transmitter() -> address:
    return TRANSMITTER


@external
def post(answer: int256) -> uint80:
    """
    @return The number of the new round; rounds count from 1.
    """
    assert msg.sender == TRANSMITTER, "NOT_TRANSMITTER"
    assert answer > 0 and answer <= MAX_ANSWER, "ANSWER_OUT_OF_RANGE"
    round_id: uint80 = self.latest_round + 1
    self.latest_round = round_id
    self.rounds[round_id] = Round(answer=answer, updated_at=block.timestamp)
    log AnswerUpdated(
        current=answer, roundId=convert(round_id, uint256), updatedAt=block.timestamp
    )
    return round_id


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @return roundId, answer, startedAt, updatedAt, answeredInRound.
    """
    return self._round(self.latest_round)


@view
@external
def getRoundData(roundId: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @return roundId, answer, startedAt, updatedAt, answeredInRound.
    """
    return self._round(roundId)


@view
@internal
def _round(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    round: Round = self.rounds[round_id]
    # A feed that never answered must not be read as a price of zero.
    assert round.updated_at != 0, "NO_DATA"
    return round_id, round.answer, round.updated_at, round.updated_at, round_id
