"""What each party has seen of the account at the end of the day, counted on the very bytes."""

from collections.abc import Mapping
from pathlib import Path

from marginproof.cli.demo.record import PartyView, count_amounts
from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Presentation


def party_views(bundle_paths: list[Path], venues: Mapping[str, bytes], amounts: list[int]) -> list[PartyView]:
    """One view for each party.

    Args:
        bundle_paths: Every saved presentation.
        venues: How the screen calls each venue, and its address, 20 bytes.
        amounts: Collateral amounts that must not be in them.
    """
    saved = [path.read_bytes() for path in bundle_paths]
    bundles = [PresentationBundle.decode(data) for data in saved]
    certificates = b"".join(b"".join(bundle.certificates) for bundle in bundles)
    audited = b"".join(saved)
    return [
        *(_venue(f"venue {letter}", bundles, address, amounts) for letter, address in venues.items()),
        PartyView(
            "auditor",
            "the saved bundles: public policy, prices, certificates, presentations",
            len(audited),
            count_amounts(audited, amounts),
            "amounts, locks, positions",
        ),
        PartyView(
            "each relayer",
            f"the registration, and {sum(len(b.certificates) for b in bundles)} certificates it co-signed",
            len(certificates),
            None,
            "positions, and which venue a proof goes to; it does know the locks and their amounts",
        ),
    ]


def _venue(name: str, bundles: list[PresentationBundle], address: bytes, amounts: list[int]) -> PartyView:
    own = [
        bundle.presentation for bundle in bundles if Presentation.decode(bundle.presentation).context.venue == address
    ]
    data = b"".join(own)
    return PartyView(
        name,
        f"its own book; of the account's saved proofs {len(own)}: leaves, a payee branch, 448 bytes each",
        len(data),
        count_amounts(data, amounts),
        "collateral amounts, locks, owner keys, equity, positions elsewhere",
    )
