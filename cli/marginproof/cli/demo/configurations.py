"""The configuration files of the demo's nodes and of its account agent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from marginproof.cli.demo.cast import Seat, VenueSeat
from marginproof.model.chains import format_address
from marginproof.risk.packaged import packaged_policy

_COMMON: Final = {"network": "../network.yaml", "keystore": "keystore.json", "password_file": "../password"}
_STORES: Final = {"database": "store.sqlite", "tls_directory": "tls"}


def write_relayer(seat: Seat, endpoints: Mapping[str, Sequence[str]]) -> Path:
    """A relayer's file; ``endpoints`` are JSON-RPC addresses by chain."""
    document = {
        "apiVersion": "marginproof/relayer/v1",
        **_COMMON,
        **_STORES,
        "evidence_directory": "evidence",
        "listen": seat.target,
        "endpoints": {chain: {"urls": list(urls)} for chain, urls in endpoints.items()},
    }
    return _write(seat.directory / "relayer.yaml", document)


def write_venue(venue: VenueSeat, home_endpoints: Sequence[str], recognised: Sequence[bytes]) -> Path:
    """A venue's file and its policy: the one that ships, counting the pledges of ``recognised`` venues in full."""
    seat = venue.seat
    policy = packaged_policy()
    if recognised:
        full = {"recognition": {"full": [format_address(address) for address in recognised]}}
        policy += b"\n# Venues whose pledges count in full, once both sides have agreed on the registry.\n"
        policy += yaml.safe_dump(full, sort_keys=False).encode()
    (seat.directory / "policy.yaml").write_bytes(policy)
    document = {
        "apiVersion": "marginproof/venue/v1",
        **_COMMON,
        **_STORES,
        "policies": ["policy.yaml"],
        "listen": seat.target,
        "book_listen": venue.book_target,
        "book_token_file": "book-token",
        "home_endpoints": list(home_endpoints),
        "metrics_listen": venue.metrics_target,
    }
    return _write(seat.directory / "venue.yaml", document)


def write_agent(
    directory: Path, venues: Sequence[bytes], *, lock: int, asset: str, per_top_up: str, metrics_target: str
) -> Path:
    """The account agent's file: venues may only cover their books, top-ups come from the demo's funding key.

    Args:
        directory: The demo's folder.
        venues: Addresses, 20 bytes each.
        lock: The account's number of the lock that is added to.
        asset: Its universe entry.
        per_top_up: Most at once, in whole units.
        metrics_target: host:port for Prometheus.
    """
    document = {
        "apiVersion": "marginproof/agent/v1",
        "network": "network.yaml",
        "account": "market-maker",
        "password_file": "password",
        "venues": [{"address": format_address(venue), "line_limit_usd": "0"} for venue in venues],
        "headroom": {"warn": {"usd": "150"}, "critical": {"usd": "100"}},
        "top_up": {
            "lock": lock,
            "asset": asset,
            "funding_key_file": "funding-key",
            "step": "100",
            "per_top_up": per_top_up,
            "per_day": "20000",
            "in_all": "20000",
            "least_seconds_between": 0,
        },
        "metrics_listen": metrics_target,
        "poll_seconds": 0.5,
        "backoff_seconds": 2,
    }
    return _write(directory / "agent.yaml", document)


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path
