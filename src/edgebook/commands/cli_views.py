"""What the commands print on a terminal: plain text, one line a row, the numbers of the reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def show(data: Any, view: Callable[[Any], None], *, as_json: bool) -> None:
    """Print what a command found, for a program or for a person."""
    if not as_json:
        view(data)
        return
    click.echo(json.dumps(data, indent=1, ensure_ascii=False, default=str))


def versions(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a week."""
    table(
        ["week", "champion", "challenger", "decision", "wealth", "events"],
        [
            [
                r["week"],
                r["champion"],
                r["challenger"] or "",
                r["decision"],
                _number(r["wealth"], 2),
                "; ".join(r["events"]),
            ]
            for r in rows
        ],
    )


def comparison(found: Mapping[str, Any]) -> None:
    """Settings, thresholds, heads, coefficients and outcomes of two versions."""
    click.echo(f"{found['a']}  against  {found['b']}\n")
    table(["setting", found["a"], found["b"]], [[k, *map(str, v)] for k, v in found["settings"].items()])
    table(
        ["threshold", found["a"], found["b"]],
        [[k, *(_threshold(t) for t in v)] for k, v in found["thresholds"].items()],
    )
    table(
        ["head weight", found["a"], found["b"]],
        [
            [f"{regime} {letter}", *(_number(x, 3) for x in pair)]
            for regime, letters in found["head_weights"].items()
            for letter, pair in letters.items()
        ],
    )
    table(
        ["head", "indicators", "calibration", "mean weight", "coefficients moved"],
        [
            [
                r["head"],
                _pair(r["indicators"], 0),
                _pair(r["calibration"], 3),
                _pair(r["weight"], 3),
                f"{r['moved']:.4f} rms",
            ]
            for r in found["heads"]
        ],
    )
    table(
        ["coefficient", found["a"], found["b"]],
        [
            [f"{r['head']} {r['indicator']} {r['side']}", _number(r["a"], 4), _number(r["b"], 4)]
            for r in found["coefficients"]
        ],
    )
    for name, row in found["outcomes"].items():
        if name == "days":
            click.echo(f"outcomes of the recipes' own books on the {row} days on which both ran:")
        elif row["trades"] == 0:
            click.echo(f"  {name}: no trade")
        else:
            click.echo(f"  {name}: {row['trades']} trades, {_earned(row)}")
    _choices(found["choices"])


def _choices(found: Mapping[str, Any]) -> None:
    """What one would have chosen and the other not, whole and head by head."""
    weeks, (a, b) = found["weeks"], found["names"]
    if weeks["n"] == 0:
        click.echo("no week has been scored by both before its outcomes were known: choices cannot be compared yet")
        return
    click.echo(f"\ncandidates that they chose in the {weeks['n']} weeks to {weeks['last']}, room in the book apart:")
    for name, words in (("only_a", f"{a} alone"), ("both", "both"), ("only_b", f"{b} alone")):
        row = found["chosen"][name]
        click.echo(f"  {words}: {row['n']} candidates" + (f", {_earned(row)}" if row["n"] else ""))
    click.echo(f"\nhead by head: how often it was right, and what {b}'s head in place of {a}'s would change\n")
    table(
        ["head", f"right, {a}", f"right, {b}", "would add", "mean R", "would drop", "mean R"],
        [
            [
                r["head"],
                _interval(r["hit_rate_a"], "{:.1%}"),
                _interval(r["hit_rate_b"], "{:.1%}"),
                str(r["added"]["n"]),
                _interval(r["added"]["mean_r"], "{:+.2f}"),
                str(r["dropped"]["n"]),
                _interval(r["dropped"]["mean_r"], "{:+.2f}"),
            ]
            for r in found["heads"]
        ],
    )


def _earned(row: Mapping[str, Any]) -> str:
    """Win rate and mean R with their intervals."""
    return f"win rate {_interval(row['win_rate'], '{:.1%}')}, mean {_interval(row['mean_r'], '{:+.3f} R')}"


def _interval(found: Sequence[float | None], spelled: str) -> str:
    """A value and, where it has one, its interval."""
    value, low, high = found
    if value is None:
        return "n/a"
    ends = "" if low is None or high is None else f" ({spelled.format(low)} to {spelled.format(high)})"
    return f"{spelled.format(value)}{ends}"


def _pair(values: Sequence[float], places: int) -> str:
    """Two values, the first and the second version's."""
    return " / ".join(f"{value:.{places}f}" for value in values)


def signals(rows: Sequence[Mapping[str, Any]], *, where: str) -> None:
    """One line a pair and timeframe, and those that the challenger's arm is to take."""
    table(
        ["pair", "bar", "date", "", "side", "confidence", "threshold", "heads", "entry ~", "stop", "target", "stake"],
        [
            [
                r["pair"],
                r["timeframe"],
                r["date"],
                "SIGNAL" if r["act"] else "other arm" if r["is_signal"] else "",
                r["side"],
                _number(r["confidence"], 3),
                f"{r['threshold']:.3f} {'certified' if r['certified'] else 'paper'}",
                r["heads_agreed"],
                f"{r['entry_reference']:g}",
                _number(r["stop_loss_abs"], 4),
                _number(r["take_profit_abs"], 4),
                _number(r["stake"], 0),
            ]
            for r in rows
        ],
    )
    number = sum(r["act"] for r in rows)
    paper = sum(r["act"] and not r["certified"] for r in rows)
    versions = ", ".join(dict.fromkeys(r["model_version"] for r in rows))
    click.echo(f"{where}")
    click.echo(
        f"{versions}: {number} signals on {len(rows)} newest bars, {paper} of them on paper. No financial advice."
    )


def positions(rows: Sequence[Mapping[str, Any]], *, where: str) -> None:
    """One line a position."""
    table(
        ["signal", "opened", "entry", "last", "stop", "target", "stake", "profit"],
        [
            [
                r["signal_id"],
                r["open_date"],
                f"{r['open_rate']:g}",
                f"{r['last_rate']:g}",
                _number(r["stop_loss_abs"], 4),
                _number(r["take_profit_abs"], 4),
                _number(r["stake"], 0),
                f"{r['profit_abs']:+,.0f} ({r['profit_ratio']:+.2%})",
            ]
            for r in rows
        ],
    )
    click.echo(f"{where}")
    click.echo(f"{len(rows)} open, {sum(r['profit_abs'] for r in rows):+,.0f} unrealised")


def explanation(found: Mapping[str, Any]) -> None:
    """From the threshold back through heads to indicators, and what came of it."""
    mark = "certified" if found["certified"] else "paper"
    said = "a signal" if found["is_signal"] else "no signal"
    click.echo(f"{found['signal_id']}  by {found['policy']}: {said}\n")
    click.echo(f"regime      {found['regime']}, where {found['base_win_rate']:.1%} of {found['side']}s win")
    click.echo(
        f"pattern     {found['pattern']}, {found['pattern_effect']:+.3f} to the consensus "
        f"(confidence without it {found['confidence_without_pattern']:.3f})"
    )
    agreed = "".join(h["head"] for h in found["heads"] if h["vote"] > 0) or "none"
    click.echo(
        f"consensus   {found['consensus']:+.3f} log-odds; heads for it: {agreed}, {found['min_heads_agree']} needed"
    )
    click.echo(
        f"confidence  {found['confidence']:.3f}, threshold {found['threshold']:.3f} ({mark}), set by {found['rule']}"
    )
    click.echo(f"outcome     {_what_came(found['outcome'])}\n")
    table(
        ["head", "evidence", "weight", "vote", "moved the consensus"],
        [
            [h["head"], f"{h['evidence']:+.3f}", f"{h['weight']:.3f}", _vote(h["vote"]), f"{h['moved']:+.3f}"]
            for h in found["heads"]
        ],
    )
    table(
        ["indicator", "head", "value", "vote", "weight", "contribution"],
        [
            [
                i["indicator"],
                i["head"],
                "n/a" if i["value"] is None else f"{i['value']:g}",
                _vote(i["vote"]),
                f"{i['weight']:.2f}",
                f"{i['contribution']:+.3f}",
            ]
            for i in sorted(found["indicators"], key=lambda i: (i["head"], -abs(i["contribution"])))
            if i["vote"] or i["contribution"]
        ],
    )
    table(
        ["arm", "version", "confidence", "threshold", "said", "took it"],
        [
            [
                a["arm"],
                a["model_version"],
                f"{a['confidence']:.3f}",
                f"{a['threshold']:.3f}",
                "signal" if a["is_signal"] else "no",
                "yes" if a["took_it"] else "no",
            ]
            for a in found["arms"]
        ],
    )


def _what_came(out: Mapping[str, Any]) -> str:
    """What became of a candidate, in a few words."""
    if out["status"] == "open":
        return "still open"
    if out["exit_reason"] is None:
        return "not taken, and not known yet"
    earned = f"{out['profit_ratio']:+.2%}, {out['r_multiple']:+.2f} R"
    way = f"(at worst {out['mae']:+.2f} R, at best {out['mfe']:+.2f} R)"
    if out["status"] == "not taken":
        return f"not taken; it would have closed {out['close_date']} by {out['exit_reason']}: {earned} {way}"
    return (
        f"closed {out['close_date']} by {out['exit_reason']}: {earned} {way}, {out['profit_abs']:+,.0f} to the account"
    )


def checks(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a check."""
    table(["", "check", "detail"], [["ok" if r["ok"] else "WRONG", r["check"], r["detail"]] for r in rows])


def audit(found: Mapping[str, Any]) -> None:
    """One line a layer, where the first difference is, and the verdict."""
    table(
        ["", "layer", "times", "values", "differ"],
        [
            ["WRONG" if r["differing"] else "ok", r["name"], r["times"], f"{r['values']:,}", f"{r['differing']:,}"]
            for r in found["layers"]
        ],
    )
    for place in found["places"]:
        click.echo(place)
    for week in found["unreproduced"]:
        click.echo(f"{week}: its seal is not what this code and these settings give; see `edgebook rederive`")
    click.echo(found["line"])


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; nothing where there is no row."""
    if not rows:
        return
    widths = [max(len(str(row[i])) for row in [names, *rows]) for i in range(len(names))]
    for row in [names, *rows]:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo()


def _vote(vote: int) -> str:
    return f"{vote:+d}" if vote else "0"


def _number(value: float | None, places: int) -> str:
    return "n/a" if value is None else f"{value:,.{places}f}"


def _threshold(row: dict[str, Any]) -> str:
    return f"{row['value']:.3f} {'certified' if row['certified'] else 'paper'}"
