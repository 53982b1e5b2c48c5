import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.bundle import MAX_BUNDLE_BYTES, PresentationBundle, load_bundle
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode

BUNDLE = PresentationBundle(
    b"\x01" * 32, b"policy", b"snapshot", b"report", b"record", b"presentation", (b"c1", b"c2"), b"d"
)


@given(
    st.builds(
        PresentationBundle,
        st.binary(min_size=32, max_size=32),
        *(st.binary(max_size=40) for _ in range(5)),
        st.lists(st.binary(max_size=40), max_size=4).map(tuple),
        st.none() | st.binary(max_size=40),
    )
)
def test_round_trip(bundle: PresentationBundle) -> None:
    assert PresentationBundle.decode(bundle.encode()) == bundle


@given(st.binary(max_size=300))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    with pytest.raises(MarginproofError) as caught:
        PresentationBundle.decode(data)
    assert caught.value.code is ReasonCode.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "marginproof/presentation-bundle/v2"},
        {"network_id": "01" * 31},
        {"network_id": "0x" + "01" * 31},
        {"policy": None},
        {"policy": "AB"},
        {"policy": "abc"},
        {"policy": "00" * ((1 << 20) + 1)},
        {"registry_record": None},
        {"registry_record": "00" * ((1 << 12) + 1)},
        {"presentation": 7},
        {"presentation": "00" * ((256 << 10) + 1)},
        {"certificates": "00"},
        {"certificates": ["00"] * 65},
        {"certificates": [[]]},
        {"signed_decision": None},
        {"surplus": "00"},
    ],
)
def test_each_wrong_field_is_refused(change: dict[str, object]) -> None:
    document = json.loads(BUNDLE.encode()) | change
    with pytest.raises(MarginproofError) as caught:
        PresentationBundle.decode(json.dumps(document).encode())
    assert caught.value.code is ReasonCode.MALFORMED
    assert set(caught.value.fields) == {"path"}


@pytest.mark.parametrize("name", ["schema", "network_id", "policy", "presentation", "certificates"])
def test_each_missing_field_is_refused(name: str) -> None:
    document = json.loads(BUNDLE.encode())
    del document[name]
    with pytest.raises(MarginproofError, match="MALFORMED"):
        PresentationBundle.decode(json.dumps(document).encode())


def test_too_large_and_unreadable_files_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MarginproofError, match="TOO_LARGE"):
        PresentationBundle.decode(b" " * (MAX_BUNDLE_BYTES + 1))
    with pytest.raises(MarginproofError, match="FILE_UNREADABLE"):
        load_bundle(tmp_path / "none")


def test_deeply_nested_json_does_not_end_the_process() -> None:
    """py_ecc, loaded with eth_account, sets a recursion limit at which the decoder would overflow the stack."""
    script = (
        "import eth_account\nfrom marginproof.model.json_text import parse_json\n"
        "from marginproof.model.errors import MarginproofError\n"
        "for text in (b'[' * 1_000_000, b'{\"a\":' * 1_000_000):\n"
        "    try:\n        parse_json(text)\n    except MarginproofError:\n        pass\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
