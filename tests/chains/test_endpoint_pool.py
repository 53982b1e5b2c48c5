"""A pool of endpoints before a real chain: each fault of one, two or all of them, and what comes of it."""

from typing import Any

import pytest

from marginproof.chains.evm.client import (
    EndpointDisagreementError,
    EndpointPool,
    Outcome,
    QuorumMissingError,
)
from marginproof.chains.evm.client.endpoint import Endpoint, EndpointFailureError
from marginproof.chains.evm.client.replies import read_height, read_result
from marginproof.chains.evm.verify import lock_slots
from marginproof.model.errors import (
    ConfigurationError,
    MalformedError,
    MarginproofError,
    UnavailableError,
)
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import CHAIN_NUMBER, CODE_HASH, raw
from tests.chains.proxied_pool import CHAIN, DOWN, PROOF_FAULTS, SILENCING, TIMEOUT, H, Setup
from tests.support.fault_proxy import LAG_BLOCKS, Fault


async def test_honest_endpoints(setup: Setup) -> None:
    finalized = await setup.pool.finalized_number()
    assert finalized == setup.world.tip() - 2
    header = await setup.pool.header_at(finalized)
    assert header == setup.world.header(finalized)
    assert not setup.evidence


@pytest.mark.parametrize("fault", SILENCING)
async def test_row_3_one_silent_endpoint_changes_nothing_two_stop_everything(setup: Setup, fault: Fault) -> None:
    setup.set(H, fault, H)
    assert await setup.pool.finalized_number() == setup.world.tip() - 2
    setup.set(H, fault, fault)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(2)
    assert caught.value.fields["required"] == 2
    assert not setup.evidence


async def test_row_1_kelpdao_one_honest_answer_stops_two_consistent_liars(setup: Setup) -> None:
    setup.set(Fault.FORGED_HEADER, Fault.FORGED_HEADER, H)
    with pytest.raises(EndpointDisagreementError) as caught:
        await setup.pool.header_at(3)
    forged, again, true = (answer.value for answer in caught.value.answers)
    assert forged == again
    assert true == f"0x{setup.world.header(3).hash.hex()}"
    assert setup.evidence[0].subject == "block 3"
    assert setup.evidence[0].answers == caught.value.answers


async def test_row_1_kelpdao_third_silenced_the_default_gives_way_a_raised_requirement_does_not(setup: Setup) -> None:
    setup.set(Fault.FORGED_HEADER, Fault.FORGED_HEADER, DOWN)
    header = await setup.pool.header_at(3)
    assert header.state_root != setup.world.header(3).state_root
    # A forged state root has no proofs: what is read under it is refused, as long as hashes hold.
    with pytest.raises(UnavailableError):
        await setup.pool.read_account(header, raw(setup.world.vault.address))
    async with setup.new_pool(required=3) as strict:
        with pytest.raises(QuorumMissingError):
            await strict.header_at(3)


async def test_row_1_one_liar_is_a_refusal_not_a_majority(setup: Setup) -> None:
    for faults in ([Fault.FORGED_HEADER, H, H], [H, Fault.FORGED_HEADER, H], [H, H, Fault.FORGED_HEADER]):
        setup.set(*faults)
        with pytest.raises(EndpointDisagreementError):
            await setup.pool.header_at(3)


@pytest.mark.parametrize("fault", [Fault.UNHASHED_HEADER, Fault.MISSHAPED_HEADER])
async def test_row_7_headers_that_do_not_hash_to_their_hash_never_vote(setup: Setup, fault: Fault) -> None:
    setup.set(H, H, fault)
    assert (await setup.pool.header_at(3)).number == 3
    setup.set(H, fault, DOWN)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(3)
    assert str(caught.value.fields["endpoint_1"]).startswith(Outcome.MALFORMED)


async def test_row_7_another_block_for_the_number_asked_is_a_contradiction(setup: Setup) -> None:
    setup.set(H, H, Fault.OTHER_BLOCK)
    with pytest.raises(EndpointDisagreementError):
        await setup.pool.header_at(3)
    setup.set(Fault.OTHER_BLOCK, Fault.OTHER_BLOCK, Fault.OTHER_BLOCK)
    with pytest.raises(QuorumMissingError):
        await setup.pool.header_at(3)


async def test_calls_need_equal_results(setup: Setup) -> None:
    call = raw(setup.world.vault.address), setup.world.vault.data("notice_seconds")
    setup.set(H, H, Fault.FORGED_CALL)
    with pytest.raises(EndpointDisagreementError):
        await setup.pool.call_latest(*call)
    assert setup.evidence
    setup.set(H, H, Fault.LAG)
    assert int.from_bytes((await setup.pool.call_latest(*call))[0], "big") == 1_000
    setup.set(H, Fault.RPC_ERROR, DOWN)
    with pytest.raises(QuorumMissingError):
        await setup.pool.call_latest(*call)


async def test_calls_that_revert_give_no_value(setup: Setup) -> None:
    with pytest.raises(QuorumMissingError):
        await setup.pool.call_latest(raw(setup.world.vault.address), setup.world.vault.data("read_lock", 999))


def test_call_results_that_are_no_bytes() -> None:
    for reply in (None, 5, "00", "0x0", "0xzz", "0x" + "00" * 70_000):
        with pytest.raises(EndpointFailureError):
            read_result(reply)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [(None, Outcome.BEHIND), ("12", Outcome.MALFORMED), ({}, Outcome.MALFORMED), (12, Outcome.MALFORMED)],
)
def test_heights_that_are_none(reply: Any, outcome: Outcome) -> None:
    with pytest.raises(EndpointFailureError) as caught:
        read_height(reply)
    assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.HANG, Outcome.TIMEOUT),
        (Fault.DISCONNECT, Outcome.CONNECTION),
        (Fault.HTTP_ERROR, Outcome.HTTP_STATUS),
        (Fault.REDIRECT, Outcome.HTTP_STATUS),
        (Fault.OVERSIZE, Outcome.TOO_LARGE),
        (Fault.GARBAGE, Outcome.NOT_JSON_RPC),
        (Fault.NESTED, Outcome.NOT_JSON_RPC),
        (Fault.FOREIGN_ID, Outcome.NOT_JSON_RPC),
        (Fault.NO_RESULT, Outcome.NOT_JSON_RPC),
        (Fault.RPC_ERROR, Outcome.REFUSED),
        (Fault.CHAIN_ID, Outcome.WRONG_CHAIN),
    ],
)
async def test_row_3_and_7_each_way_of_not_answering_has_its_name(setup: Setup, fault: Fault, outcome: Outcome) -> None:
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    setup.proxies[0].fault = fault
    with pytest.raises(EndpointFailureError) as caught:
        await endpoint.ask("eth_blockNumber")
    await endpoint.aclose()
    assert caught.value.outcome is outcome


@pytest.mark.parametrize("fault", PROOF_FAULTS)
async def test_bad_proofs_are_kept_and_the_next_endpoint_is_asked(setup: Setup, fault: Fault) -> None:
    header = await setup.pool.header_at(await setup.pool.finalized_number())
    vault = raw(setup.world.vault.address)
    setup.set(fault, H, H)
    account, slots = await setup.pool.read_account(header, vault, lock_slots(1))
    assert account.code_hash == CODE_HASH
    assert all(fact.present for fact in slots.values())
    assert setup.evidence[0].answers[0].outcome is Outcome.BAD_PROOF
    setup.set(fault, fault, DOWN)
    with pytest.raises(UnavailableError) as caught:
        await setup.pool.read_account(header, vault, lock_slots(1))
    assert str(caught.value.fields["endpoint_0"]).startswith(Outcome.BAD_PROOF)
    assert caught.value.fields["endpoint_2"] == f"{Outcome.HTTP_STATUS}:503"


async def test_wrong_chain_id_is_named_by_index_only(setup: Setup) -> None:
    setup.set(H, Fault.CHAIN_ID, H)
    with pytest.raises(ConfigurationError) as caught:
        async with setup.new_pool():
            pass
    assert caught.value.code is ReasonCode.CHAIN_ID_MISMATCH
    assert caught.value.fields["endpoint"] == 1


async def test_endpoint_silent_at_the_start_is_checked_before_its_first_answer(setup: Setup) -> None:
    setup.set(H, DOWN, H)
    async with setup.new_pool() as pool:
        setup.set(H, Fault.CHAIN_ID, DOWN)
        with pytest.raises(QuorumMissingError) as caught:
            await pool.header_at(3)
    assert caught.value.fields["endpoint_1"] == Outcome.WRONG_CHAIN


@pytest.mark.parametrize("fault", [*SILENCING, Fault.FORGED_HEADER, *PROOF_FAULTS])
async def test_addresses_of_endpoints_appear_nowhere(setup: Setup, fault: Fault) -> None:
    setup.set(H, fault, fault)
    texts = [repr(setup.pool), repr(setup.pool._endpoints)]
    for call in (setup.pool.header_at(3), setup.pool.read_account(setup.world.header(3), b"\x01" * 20)):
        try:
            await call
        except MarginproofError as error:
            texts += [str(error), repr(error), repr(error.fields)]
    texts += [repr(item) for item in setup.evidence]
    assert not any("secret-access-key" in text or "127.0.0.1" in text for text in texts)


async def test_row_3_all_endpoints_hanging_end_in_a_typed_refusal(setup: Setup) -> None:
    setup.set(Fault.HANG, Fault.HANG, Fault.HANG)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(3)
    assert [answer.outcome for answer in caught.value.answers] == [Outcome.TIMEOUT] * 3


async def test_a_connection_closed_meanwhile_is_opened_again(setup: Setup) -> None:
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    setup.proxies[0].fault = Fault.DISCONNECT
    with pytest.raises(EndpointFailureError) as caught:
        await endpoint.ask("eth_blockNumber")
    assert caught.value.outcome is Outcome.CONNECTION
    setup.proxies[0].fault = H
    assert await endpoint.ask("eth_blockNumber") == hex(setup.world.tip())
    await endpoint.aclose()
    assert await endpoint.ask("eth_blockNumber") == hex(setup.world.tip())
    await endpoint.aclose()


async def test_lag_is_as_long_as_the_proxy_says(setup: Setup) -> None:
    setup.proxies[0].fault = Fault.LAG
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    assert int(await endpoint.ask("eth_blockNumber"), 16) == setup.world.tip() - LAG_BLOCKS
    await endpoint.aclose()


URLS = [f"http://127.0.0.{last}:8545" for last in (1, 2, 3)]


@pytest.mark.parametrize(
    ("urls", "options", "code"),
    [
        ([], {}, ReasonCode.ENDPOINT_TOO_FEW),
        (URLS[:2], {}, ReasonCode.ENDPOINT_TOO_FEW),
        ([], {"allow_development": True}, ReasonCode.ENDPOINT_TOO_FEW),
        ([URLS[0]] * 3, {}, ReasonCode.CONFIG_INVALID),
        ([URLS[0]] * 3, {"allow_development": True}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://127.0.0.2:8546"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "file:///etc/passwd"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "ftp://127.0.0.3:21"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://[secret"], {}, ReasonCode.CONFIG_INVALID),
        (URLS, {"timeout_seconds": 0}, ReasonCode.CONFIG_INVALID),
        (URLS, {"required": 1}, ReasonCode.CONFIG_INVALID),
        (URLS, {"required": 4}, ReasonCode.CONFIG_INVALID),
    ],
)
def test_row_2_configurations_that_protect_nothing(urls: list[str], options: dict[str, Any], code: ReasonCode) -> None:
    with pytest.raises(ConfigurationError) as caught:
        EndpointPool(CHAIN, urls, **options)
    assert caught.value.code is code
    assert "127.0.0" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_pools_are_of_evm_chains() -> None:
    assert EndpointPool(CHAIN, URLS).required == 2
    with pytest.raises(MalformedError):
        EndpointPool("bip122:000000000019d6689c085ae165831e93", URLS)
