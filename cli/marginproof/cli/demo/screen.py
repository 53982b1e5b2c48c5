"""How the demo looks: progress while it plays, one table at its end."""

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from marginproof.cli.demo.record import Record, Step


class Screen:
    """Writes to one console (the talk goes to stderr, so that ``--json`` on stdout stays clean)."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """One line of progress."""
        self._console.print(Text(f"  {text}", style="dim"))

    def heading(self, text: str) -> None:
        """The beginning of a part of the story."""
        self._console.print(Text(text, style="bold"))

    def step(self, step: Step) -> None:
        """A finished step."""
        mark, style = ("✓", "green") if step.as_expected else ("✗", "bold red")
        reasons = f" {', '.join(step.reasons)}" if step.reasons else ""
        self._console.print(
            Text(f"  {mark} {step.title}: {step.outcome}{reasons} ({step.at_seconds:.0f} s)", style=style)
        )


def final_tables(record: Record) -> list[Table | Panel]:
    """The last screen: steps, parties, and one line that says whether all went as it should."""
    return [_steps(record), _parties(record), _verdict(record)]


def _steps(record: Record) -> Table:
    table = Table(title="What happened", title_justify="left", title_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("step", overflow="fold", ratio=11)
    table.add_column("outcome", no_wrap=True)
    table.add_column("reason, figures", overflow="fold", ratio=7)
    for position, step in enumerate(record.steps):
        outcome_style = {"ACCEPT": "green", "REJECT": "yellow"}.get(step.outcome, "")
        following = record.steps[position + 1 : position + 2]
        table.add_row(
            step.number,
            step.title if step.as_expected else Text(f"{step.title} (expected {step.expected})", style="bold red"),
            Text(step.outcome, style=outcome_style if step.as_expected else "bold red"),
            ", ".join(step.reasons) or step.detail or _figures(step),
            end_section=any(other.number != step.number for other in following),
        )
    return table


def _parties(record: Record) -> Table:
    table = Table(title="Who has seen what", title_justify="left", title_style="bold", expand=True)
    table.add_column("party")
    table.add_column("has seen", overflow="fold")
    table.add_column("bytes", justify="right")
    table.add_column("collateral amounts in them", justify="right")
    table.add_column("has not seen", overflow="fold")
    for party in record.parties:
        amounts = "–" if party.amounts_found is None else str(party.amounts_found)
        table.add_row(party.party, party.seen, f"{party.byte_count:,}", amounts, party.not_seen)
    return table


def _verdict(record: Record) -> Panel:
    figures = f"{record.seconds:.0f} s, {record.peak_memory_mebibytes:.0f} MiB for all processes at the peak"
    if record.as_expected:
        return Panel(Text(f"Every step had its expected outcome ({figures}).", style="bold green"))
    trouble = record.error or "a step did not have its expected outcome"
    return Panel(Text(f"{trouble} ({figures}).", style="bold red"))


def _figures(step: Step) -> str:
    """What was measured of a proof; empty where nothing was proven."""
    measured = (
        (step.proof_bytes, "{} bytes"),
        (step.prove_milliseconds, "proved in {:.0f} ms"),
        (step.verify_milliseconds, "verified in {:.1f} ms"),
    )
    return ", ".join(text.format(value) for value, text in measured if value is not None)
