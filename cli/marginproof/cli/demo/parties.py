"""What each party has seen of the account at the end of the day, counted on the very bytes."""

from pathlib import Path

from marginproof.cli.demo.record import PartyView, count_amounts
from marginproof.model.bundle import PresentationBundle


def party_views(bundle_paths: list[Path], amounts: list[int]) -> list[PartyView]:
    """One view for each party.

    Args:
        bundle_paths: Every saved presentation.
        amounts: Collateral amounts that must not be in them.
    """
    saved = [path.read_bytes() for path in bundle_paths]
    bundles = [PresentationBundle.decode(data) for data in saved]
    presentations = b"".join(bundle.presentation for bundle in bundles)
    certificates = b"".join(b"".join(bundle.certificates) for bundle in bundles)
    audited = b"".join(saved)
    return [
        PartyView(
            "venue",
            f"{len(bundles)} presentations: certified leaves, one payee branch and a proof each",
            len(presentations),
            count_amounts(presentations, amounts),
            "collateral amounts, locks, owner keys, equity",
        ),
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
