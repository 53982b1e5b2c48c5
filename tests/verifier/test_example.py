"""The example of a matching engine, run against a venue."""

import asyncio
import runpy
from pathlib import Path

import pytest

from marginproof.client.pledge_status import ProposalState
from marginproof.model.margin import Purpose
from tests.verifier.rig import Rig, eventually
from tests.verifier.world import ACCOUNT

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "matching_engine.py"


async def test_the_example_engine_reserves_checks_and_fills(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(EXAMPLE))["main"]
    certificate = rig.config.tls_directory / "certificate.pem"
    target, token = f"127.0.0.1:{rig.node.book_port}", str(rig.config.book_token_file)
    engine = asyncio.create_task(asyncio.to_thread(main, target, str(certificate), token, ACCOUNT.hex()))
    await eventually(
        lambda: rig.book.get_pledge(ACCOUNT), lambda status: status.proposal_state is ProposalState.PROPOSED
    )
    account = await rig.provable()
    await rig.venue.submit_presentation(account.present(pledge=account.proposal, purpose=Purpose.INITIAL))
    await rig.settled()
    await engine
    printed = capsys.readouterr().out
    assert "booked as 1, 2, 3\n" in printed
    assert "booked as 1 again, 2 again, 3 again\n" in printed
    assert printed.count("fits") == 3
    assert "LINE_EXCEEDED" in printed
