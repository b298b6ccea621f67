"""docs/evidence/learners.md: what each learner is worth, in words and tables made of ablation.json alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.ablation import FALSE_DISCOVERIES
from edgebook.evidence.known_switch import REGAINED, WITHIN_WEEKS
from edgebook.evidence.known_truth import CERTIFIED_SHARE, HALF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARKETS = {
    "planted": "an edge in D, F and H from genesis on",
    "switching": "an edge in D from genesis on, in H half a year later",
    "no_edge": "no edge at all",
    "crypto": "the sample of five coins",
    "equities": "the sample of shares, daily",
}
ARMS = {
    "frozen_first_policy": "frozen first policy",
    "refit_only": "weekly refit, every learner frozen",
    "full_loop": "full loop",
    "told_the_heads": "told which heads hold the edge",
    "oracle": "oracle",
}
TOLD_WHAT = {"oracle": "the oracle", "told_the_heads": "an arm told which heads hold the edge"}
SHORT = {"r_week": "R a week of the book", "top_r": "mean R of the most confident 5 %"}


def learners_page(found: Mapping[str, Any]) -> str:
    """The page.

    Parameters
    ----------
    found : mapping
        From `edgebook.evidence.evidence_learners.measure`, or read from ablation.json.
    """
    parts = [
        "# What each learner is worth",
        "Measured on markets whose truth is known, on markets without an edge and on the real samples. `make ablation` "
        "runs all of it again and writes this page from `ablation.json` beside it; no number here is typed. The "
        "full loop is the champion of `params.yaml` "
        f"(`{found['champion']}`: {_recipe(found['recipe'])}); the code that ran is `{found['code']}`.",
        *(["This is a quick run: it shows that all of it works, and nothing else."] if found["quick"] else []),
        "## In short",
        "\n".join(f"- {line}" for line in bars(found)),
        "## Markets",
        _table(["market", "what it is", "markets", "weeks", "arms"], [_market(row) for row in found["markets"]]),
        "Arms warm up for "
        f"{found['warmup_weeks']} weeks before genesis, when there is no edge yet, and start with the starting "
        "capital. The *oracle* knows the true signals and their law, fitted on three years of another market with the "
        "same edge; the arm *told which heads hold the edge* has the loop's own heads, refitted as the loop refits "
        "them. Both share its exit plan, threshold rule, calibration and book, and neither knows an outcome before it "
        "closes.",
        "## Arms",
        "Gain: R a week more than the frozen first policy on the same market, with its 95 % interval: over markets "
        "where there are several, else over weeks.",
        _table(
            ["market", "arm", "log loss", "the constant's", "R a trade", "trades", "R a week", "gain"],
            [_arm(row) for row in found["arms"]],
        ),
        "## Every learner against its frozen twin",
        "The full loop with the learner at this value, less the same loop with that one part frozen. Log loss in "
        "thousandths of a nat a candidate, a gain is less of it; R a week is the book's. In force: what the full loop "
        f"has. A learner helps or hurts where its q-value over all rows is at most {FALSE_DISCOVERIES:.0%} (Benjamini "
        "and Hochberg), else it is not shown to do either.",
    ]
    for market in dict.fromkeys(row["market"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["market"] == market]
        n = rows[0]["markets"]
        counted = f"{n} markets" if n > 1 else f"{rows[0]['weeks']} weeks"
        parts += [
            f"### {market}: {MARKETS[market]} ({counted})",
            _table(
                ["learner", "value", "log loss", "gain", "R a trade", "trades", "R a week", "gain", "verdict"],
                [_learner(row) for row in rows],
            ),
        ]
    parts += [_known_truth(found["studies"]), *_figures(found)]
    return "\n\n".join(parts) + "\n"


def bars(found: Mapping[str, Any]) -> list[str]:
    """Every bar, whether it is met, and the number, one line each."""
    studies = found["studies"]
    lines = []
    for row in studies["captured"]:
        lines.append(
            f"{row['market']}: the full loop earns {_signed([row[k] for k in _ends('gain')])} R "
            f"a week more than the frozen first policy ({_met(row['gain_met'])}: the interval is to be clear of 0), "
            f"{row['oracle']['share']:.0%} of the oracle's gain ({row['oracle']['low']:.0%} to "
            f"{row['oracle']['high']:.0%}; {_met(row['oracle']['met'])}: {HALF:.0%}) and "
            f"{row['told_the_heads']['share']:.0%} of that of an arm told the heads."
        )
    for row in studies["switch"]["rows"]:
        if row["arm"] == "full_loop" and row["measure"] == "top_r":
            steps = _of_arm(studies["switch"]["rows"], "steps", row)
            sooner = "" if steps is None else f"; with steps of ±0.01 {_weeks(steps['weeks'])}"
            met = row["weeks"] is not None and row["weeks"] <= WITHIN_WEEKS
            regained = "is not regained" if row["weeks"] is None else f"is regained {row['weeks']} weeks after the move"
            lines.append(
                f"switching: {REGAINED:.0%} of the advantage of {TOLD_WHAT[row['oracle']]}, in R of the most confident "
                f"5 %, {regained} ({_met(met)}: {WITHIN_WEEKS} weeks{sooner}); in the weeks 13 to 26 it has "
                f"{_share(row['regained'])}."
            )
    arms = studies["no_edge"]
    over = [row["arm"] for row in arms if not row["met"]]
    sure = sum(row["shown"] for row in arms)
    lines.append(
        f"no edge: {len(arms) - len(over)} of {len(arms)} arms lose at most {1000 * arms[0]['bound']:.2f} thousandths "
        f"of a nat more than the constant, {sure} with the whole interval ({_met(not over)}"
        + (f": over it are {', '.join(over)})." if over else ").")
    )
    certified = studies["certified"]
    lines.append(
        f"no edge: a threshold stood certified at {certified['rate']:.1%} of {certified['looks']:,} weekly looks "
        f"({certified['rate_low']:.1%} to {certified['rate_high']:.1%}; {_met(certified['met'])}: at most "
        f"{CERTIFIED_SHARE:.0%}), in a year of them in {certified['markets']['k']} of {certified['markets']['n']} "
        "markets."
    )
    helps = [r for r in found["rows"] if r["market"] in ("crypto", "equities") and r["verdict"] != "not shown"]
    said = "; ".join(f"{r['learner']} {r['value']} on {r['market']} {r['verdict']}" for r in helps)
    lines.append(f"real samples: {said or 'no single learner is shown to help or to hurt'}.")
    return lines


def _known_truth(studies: Mapping[str, Any]) -> str:
    leading = _table(
        ["strategy of the head weights", "which", "while", "lead in", "95 % interval", "by chance"],
        [
            [
                row["strategy"], row["of"], row["what"], f"{row['k']} of {row['n']}",
                f"{row['low']:.0%} to {row['high']:.0%}", f"{row['chance']:.1%}",
            ]
            for row in studies["leading"]
        ],
    )  # fmt: skip
    switch = _table(
        ["arm", "measure", "oracle", "weeks until 80 %", "95 % interval", "share in weeks 13 to 26"],
        [
            [
                row["arm"], SHORT[row["measure"]], ARMS[row["oracle"]], _weeks(row["weeks"]),
                f"{row['weeks_low']} to {row['weeks_high'] or 'later than the data'}", _share(row["regained"]),
            ]
            for row in studies["switch"]["rows"]
        ],
    )  # fmt: skip
    no_edge = _table(
        ["arm", "log loss above the constant's", "bound", "within"],
        [
            [
                row["arm"], _signed([1000 * row[k] for k in _ends("excess")]),
                f"{1000 * row['bound']:.2f}", _within(row),
            ]
            for row in studies["no_edge"]
        ],
    )  # fmt: skip
    return "\n\n".join(
        [
            "## Known truth",
            "### What comes to lead",
            "Heads: the mean weights of thirteen weeks put the heads that hold the edge first. Indicators: more than "
            "half of the five that move the consensus most (coefficient, weight within the head, calibration and "
            "weight of the head) belong to those heads. Intervals are exact; chance is that of a blind order.",
            leading,
            "### After the edge has moved",
            "Share of what an oracle has over the frozen policy, mean over markets and four weeks; counted from the "
            "move, intervals by resampling markets. The weeks are those until the share is first there, and a share "
            "that moves by chance touches the bar before it stays there; the last column says where it stays.",
            switch,
            "### No edge",
            "Thousandths of a nat a candidate. The bound is Fixed-Share's for the mixture of the strategies and the "
            "constant over whole days, in a year of outcomes that do not overlap: proved for that mixture, a yardstick "
            "for the arms, which are measured.",
            no_edge,
        ]
    )


def _figures(found: Mapping[str, Any]) -> list[str]:
    from edgebook.evidence.figures_evidence import captions

    return ["## Pictures", *(f"![{text}]({name}.png)\n\n{text}" for name, text in captions(found).items())]


def _market(row: Mapping[str, Any]) -> list[str]:
    what = MARKETS[row["name"]]
    if row["source"] == "synthetic":
        what += f"; {row['pairs']} pairs, {', '.join(row['timeframes'])}"
        what += f", edge {row['edge']:g}" if row["edge"] else ""
    else:
        what += f"; {', '.join(row['timeframes'])}, from {row['genesis']}"
    return [row["name"], what, str(row["markets"]), str(row["weeks"]), str(row["arms"])]


def _arm(row: Mapping[str, Any]) -> list[str]:
    gain = _signed([row[k] for k in _ends("r_week_gain")])
    return [
        row["market"], ARMS[row["arm"]], f"{row['log_loss']:.4f}", f"{row['constant_loss']:.4f}", _trade(row),
        f"{row['trades']:,}", _number(row["r_week"], 2), "" if row["arm"] == "frozen_first_policy" else gain,
    ]  # fmt: skip


def _learner(row: Mapping[str, Any]) -> list[str]:
    loss = [None if row[k] is None else 1000 * row[k] for k in _ends("log_loss_gain")]
    return [
        row["learner"], row["value"] + (" (in force)" if row["in_force"] else ""), f"{row['log_loss']:.4f}",
        _signed(loss), _trade(row), f"{row['trades']:,}", _number(row["r_week"], 2),
        _signed([row[k] for k in _ends("r_week_gain")]), row["verdict"],
    ]  # fmt: skip


def _ends(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _trade(row: Mapping[str, Any]) -> str:
    if row["r_trade"] is None:
        return "n/a"
    return f"{_number(row['r_trade'], 3)} ({_number(row['r_trade_low'], 2)} to {_number(row['r_trade_high'], 2)})"


def _signed(ends: Sequence[float | None], *, digits: int = 2) -> str:
    value, low, high = ends
    if value is None:
        return "n/a"
    if low == high == value == 0:
        return "0, the same"
    return f"{round(value, digits) + 0.0:+.{digits}f} ({_number(low, digits)} to {_number(high, digits)})"


def _share(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0%}"


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _within(row: Mapping[str, Any]) -> str:
    if not row["met"]:
        return "**no**"
    return "yes" if row["shown"] else "yes, but its interval is not"


def _met(met: bool) -> str:
    return "met" if met else "**not met**"


def _weeks(weeks: int | None) -> str:
    return "not within the data" if weeks is None else f"{weeks} weeks"


def _of_arm(rows: Sequence[Mapping[str, Any]], arm: str, like: Mapping[str, Any]) -> Mapping[str, Any] | None:
    same = ("measure", "oracle")
    return next((r for r in rows if r["arm"] == arm and all(r[k] == like[k] for k in same)), None)


def _recipe(recipe: Mapping[str, Any]) -> str:
    names = ("head_weights", "indicator_weights", "patterns", "thresholds", "features", "regimes", "train_weeks")
    return ", ".join(f"{name.replace('_', ' ')} {recipe[name]}" for name in names)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
