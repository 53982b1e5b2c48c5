"""What ``marginproof policy …`` does."""

from pathlib import Path

from marginproof.cli.output import Result
from marginproof.model.margin import Purpose
from marginproof.model.network_file import load_network_file
from marginproof.prover.files import read_limited
from marginproof.risk.coverage import check_coverage
from marginproof.risk.packaged import packaged_policies, packaged_policy
from marginproof.risk.policy import MAX_POLICY_BYTES, Policy, load_policy


def show(name: str | None, file: Path | None) -> Result:
    """What a policy says: of a file, or one that ships."""
    policy = load_policy(
        read_limited(file, MAX_POLICY_BYTES, "the policy") if file else packaged_policy(name or "standard")
    )
    document = _document(policy) | {
        "source": policy.source.decode(),
        "packaged": list(packaged_policies()),
        "scenarios": [scenario.label for scenario in policy.scenarios],
    }
    fields = [*_fields(policy), ("policies that ship", ", ".join(packaged_policies()))]
    rows = [(str(row), scenario.label) for row, scenario in enumerate(policy.scenarios)]
    return Result("policy-show", document, fields, ("row", "scenario"), rows)


def check(file: Path, network: Path | None) -> Result:
    """Checks a policy file, and that it weighs every entry of a network's universe."""
    policy = load_policy(read_limited(file, MAX_POLICY_BYTES, "the policy"))
    entries = None
    if network is not None:
        universe = load_network_file(network).universe
        check_coverage(policy, universe)
        entries = len(universe.entries)
    weighed = f"all {entries} entries of the universe" if entries is not None else "not checked: no network file named"
    return Result("policy-check", _document(policy) | {"entry_count": entries}, [*_fields(policy), ("weighs", weighed)])


def _document(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "digest": "0x" + policy.digest.hex(),
        "scenario_count": len(policy.scenarios),
        "initial_loss_factor": str(policy.loss_factors[Purpose.INITIAL]),
        "maintenance_loss_factor": str(policy.loss_factors[Purpose.MAINTENANCE]),
    }


def _fields(policy: Policy) -> list[tuple[str, str]]:
    return [(label.replace("_", " "), str(value)) for label, value in _document(policy).items()]
