"""Whether a policy weighs every entry of a universe, and with which haircut."""

import difflib
from fractions import Fraction
from typing import Final

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Universe
from marginproof.risk.policy import Policy

_SHOWN: Final = 5


def check_coverage(policy: Policy, universe: Universe) -> None:
    """Refuses a policy that leaves an entry of the universe unweighed.

    Raises:
        ConfigurationError: POLICY_INCOMPLETE naming the first gaps, or POLICY_INVALID for a rule of an entry that the
            universe does not have (most often a misspelt id, whose haircut would silently not apply).
    """
    collateral = sorted(entry.id for entry in universe.entries if entry.kind == EntryKind.COLLATERAL)
    for entry_id in sorted(policy.entry_haircuts):
        if entry_id not in collateral:
            near = difflib.get_close_matches(entry_id, collateral, n=1)
            raise ConfigurationError(
                f"the policy has a haircut for {entry_id[:192]!r}, which is no collateral of the universe",
                code=ReasonCode.POLICY_INVALID,
                fix=f"did you mean {near[0]!r}?" if near else "take it out",
            )
    gaps = [gap for entry in universe.entries for gap in _gaps(policy, entry)]
    if gaps:
        more = f" and {len(gaps) - _SHOWN} more" if len(gaps) > _SHOWN else ""
        raise ConfigurationError(
            f"the policy does not weigh every entry: {'; '.join(gaps[:_SHOWN])}{more}",
            code=ReasonCode.POLICY_INCOMPLETE,
            fix="add the missing keys",
            fields={"gaps": len(gaps)},
        )


def haircut(policy: Policy, entry: Entry) -> Fraction:
    """The ratio that a collateral entry loses; call :func:`check_coverage` first.

    Raises:
        ConfigurationError: POLICY_INCOMPLETE.
    """
    own = policy.entry_haircuts.get(entry.id)
    rule = policy.price_points.get(entry.price_point)
    found = own if own is not None else rule.haircut if rule else None
    if found is None:
        raise ConfigurationError(f"the policy has no haircut for {entry.id!r}", code=ReasonCode.POLICY_INCOMPLETE)
    return found


def _gaps(policy: Policy, entry: Entry) -> list[str]:
    if entry.kind == EntryKind.CASH:
        return []
    rule = policy.price_points.get(entry.price_point)
    gaps = [] if rule else [f"{entry.id}: no price_points.{entry.price_point}"]
    if (
        entry.kind == EntryKind.COLLATERAL
        and entry.id not in policy.entry_haircuts
        and not (rule and rule.haircut is not None)
    ):
        gaps.append(f"{entry.id}: no haircut")
    if entry.kind in (EntryKind.CALL, EntryKind.PUT) and policy.options is None:
        gaps.append(f"{entry.id}: no options section")
    return gaps
