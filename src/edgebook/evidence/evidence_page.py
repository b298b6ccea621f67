"""docs/evidence.md: whether the loop fools itself, made of what the studies found and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.adversarial_page import adversarial_section
from edgebook.evidence.audit_evidence import audit_section
from edgebook.evidence.learners_page import bars
from edgebook.evidence.loop_counts import GATE
from edgebook.evidence.loop_page import loop_bars, loop_section
from edgebook.evidence.naive_rules import EAGER, PAIRED_T, TWO_RATES
from edgebook.evidence.power_curves import AT_TRADES
from edgebook.reproduction.reproduction import reproduction_section
from edgebook.safety.safety_page import safety_faults, safety_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Known = Mapping[str, Mapping[str, Any] | None]

NOT_YET = "Not measured yet: `make evidence` does it."


def evidence_page(known: Known, *, folder: str) -> str:
    """The page.

    Parameters
    ----------
    known : mapping of str to mapping or None
        What each of `edgebook.evidence.evidence.STUDIES` found; None where it has not been run.
    folder : str
        Of pictures and further pages, as the page links to them.

    Returns
    -------
    str
        Markdown.
    """
    parts = [
        "# Evidence",
        "Whether the loop fools itself: how often the whole of it promotes where there is nothing better, how soon it "
        "finds what is there, whether anything looks ahead, and whether the same inputs give the same bytes. `make "
        "evidence` measures all of it again and writes this page from the files beside it; no number here is typed.",
        "## In short",
        "\n".join(f'- <a id="{name}"></a>{line}' for name, line in _short(known)) or NOT_YET,
        f"Further: [what each learner is worth]({folder}/learners.md) on markets of known truth, and "
        f"[the numbers of other libraries beside ours]({folder}/peers.md).",
        _part(known["loops"], lambda found: loop_section(found, folder=folder), "## The complete loop"),
        _part(known["adversarial"], adversarial_section, "## Books that would please the gate"),
        "## Nothing looks ahead",
        "`edgebook audit` cuts the bars at random times, computes everything again from what was left, and compares it "
        "to the last bit with what all bars gave up to that time.",
        audit_section(known["audit"]) if known["audit"] else NOT_YET,
        "## The same bytes",
        reproduction_section(known["reproduction"]) if known["reproduction"] else NOT_YET,
        "## Safety",
        safety_section(known.get("kills"), known.get("fuzz")) or NOT_YET,
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def faults(known: Known) -> list[str]:
    """What the studies found that must not be, one line each.

    Parameters
    ----------
    known : mapping of str to mapping or None
        As for `evidence_page`.
    """
    wrong = []
    loops, adversarial, audit, again = (known[s] for s in ("loops", "adversarial", "audit", "reproduction"))
    if loops and loops["null"]["status"] == "not met":
        pooled = loops["null"]["pooled"]
        wrong.append(f"loops: {pooled['k']} of {pooled['n']} null runs promoted, more than is allowed")
    if adversarial and adversarial["pooled"][GATE]["low"] > adversarial["allowed"]:
        row = adversarial["pooled"][GATE]
        wrong.append(f"adversarial: {row['k']} of {row['n']} challengers without an edge were promoted")
    if audit:
        missed = [leak["name"] for leak in audit["leaks"] if not leak["caught"]]
        wrong += [f"audit: the planted leak {name} was missed" for name in missed]
        if audit["honest"]["alarms"]:
            wrong.append(f"audit: {audit['honest']['alarms']} false alarms in {audit['honest']['audits']} audits")
    if again:
        wrong += [
            f"reproduction: {row['bytes_differ']} bytes differ after {row['variation']}"
            for row in again["rows"]
            if row["bytes_differ"]
        ]
    return wrong + safety_faults(known.get("kills"), known.get("fuzz"))


def _part(found: Mapping[str, Any] | None, made: Callable[[Mapping[str, Any]], str], title: str) -> str:
    """A section, or that it is missing."""
    return made(found) if found else f"{title}\n\n{NOT_YET}"


def _is_default(row: Mapping[str, Any]) -> bool:
    """Whether a row of the power curves is that of five points at the default market's trades a week."""
    return bool(row["points"] == 0.05 and row["trades_a_week"] == AT_TRADES and row["candidates"])


def _gate_power(row: Mapping[str, Any]) -> str:
    """How soon the gate by itself promotes five points."""
    soon = f"the median week is {row['median']:.0f}" if row["median"] else "fewer than half are"
    return (
        f"The gate by itself: a challenger that wins 5 points more from its first day on, at {row['trades_a_week']} "
        f"trades a week, is promoted within a year in {row['k']} of {row['n']}, {row['k'] / row['n']:.0%} "
        f"[{row['low']:.0%}, {row['high']:.0%}]; {soon}. In the complete loop it must first learn them."
    )


def _short(known: Known) -> list[tuple[str, str]]:
    """The answer of every study in a line or two, each with a name that other pages link to."""
    lines: list[tuple[str, str]] = []
    if known["loops"]:
        lines += zip(("null", "power", "power-own"), loop_bars(known["loops"]), strict=False)
    if known["adversarial"]:
        rules = known["adversarial"]["pooled"]
        beside = ", ".join(f"{rule} {rules[rule]['k'] / rules[rule]['n']:.0%}" for rule in (EAGER, TWO_RATES, PAIRED_T))
        gate = rules[GATE]
        said = (
            f"Books made to please a gate, none better than the champion: {gate['k']} of {gate['n']:,} promoted within "
            f"a year, upper limit {gate['upper']:.2%}, allowed {known['adversarial']['allowed']:.2%} ({beside})."
        )
        lines.append(("adversarial", said))
        lines += [("power-gate", _gate_power(row)) for row in known["adversarial"]["power"] if _is_default(row)]
    if known["audit"]:
        leaks, honest = known["audit"]["leaks"], known["audit"]["honest"]
        said = (
            f"Look-ahead: {sum(leak['caught'] for leak in leaks)} of {len(leaks)} planted leaks caught by name, "
            f"{honest['alarms']} false alarms in {honest['audits']} audits of the honest pipeline."
        )
        lines.append(("look-ahead", said))
    if known["reproduction"]:
        rows = known["reproduction"]["rows"]
        said = (
            f"Reproducibility: {sum(row['bytes_differ'] for row in rows):,} of {sum(row['bytes'] for row in rows):,} "
            f"bytes differ over {len(rows)} ways to run it again."
        )
        lines.append(("reproducibility", said))
    if known["learners"]:
        lines += zip(("planted", "switching"), bars(known["learners"]), strict=False)
    return lines
