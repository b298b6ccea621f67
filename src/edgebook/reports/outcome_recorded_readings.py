"""What the desk's own outcomes say, in words and tables: what real fills cost, and what does not fit the bars."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edgebook.analyses.outcome_recorded import Recorded, counted, gaps
from edgebook.outcomes.recorded_check import contradicting
from edgebook.pages.report import formatted, interval, prose, table

if TYPE_CHECKING:
    from edgebook.pages.display import Prose, Table

NOTHING = (
    "No outcome is recorded: all that was learned from is simulated. docs/howto/learn-from-your-own-outcomes.md says "
    "how to connect a desk's own."
)
PRIVATE = (
    "Private mode: counts and means are of whole tens of trades, those that became known first in each regime, and no "
    "single trade is shown."
)
_SHOWN = 12


def recorded_reading(recorded: Recorded) -> Prose:
    """Say how many outcomes the desk recorded, of which arms, and what its fills cost beyond the model.

    Parameters
    ----------
    recorded : Recorded
    """
    if recorded.empty:
        return prose(NOTHING)
    count = partial(counted, private=recorded.private)
    arms = ", ".join(f"{name} {count(n)}" for name, n in recorded.arms.items())
    regimes = recorded.pairs["regime"].value_counts().sort_index()
    by_regime = ", ".join(f"{str(name).replace('_', ' ')} {count(n)}" for name, n in regimes.items()) or "none"
    lines = [
        f"{count(len(recorded.pairs))} closed outcomes are the desk's own and are learned from in place of the "
        f"simulated ones; {count(recorded.held)} more trades are open. By regime: {by_regime}. Also traded in the "
        f"books of: {arms}. The books keep the engine's fills, so that all arms are filled alike.",
    ]
    if recorded.private:
        lines.append(PRIVATE)
    if fills := fills_words(recorded):
        lines.append(fills)
    if len(recorded.unjoined):
        lines.append(
            f"{count(len(recorded.unjoined))} recorded outcomes did not join a candidate and teach nothing."
            + ("" if recorded.private else f" The first: {_first_unjoined(recorded)}.")
        )
    return prose(*lines)


def fills_words(recorded: Recorded) -> str:
    """What the desk's fills cost beyond the model, in two sentences; empty where no trade can be compared.

    Parameters
    ----------
    recorded : Recorded
    """
    found = gaps(recorded)
    if found.empty:
        return ""
    whole = found.iloc[0]
    band = interval(whole["gap_low"], whole["gap_high"], "r")
    bps = formatted(whole["side_bps"], "bps")
    side = interval(whole["side_bps_low"], whole["side_bps_high"], "bps")
    if whole["gap_high"] < 0:
        words = f"The desk's fills cost more than the model's: {bps} a side ({side}) on top of params.yaml's costs."
    elif whole["gap_low"] > 0:
        words = f"The desk's fills were better than the model's: {bps} a side ({side}) beside params.yaml's costs."
    else:
        words = f"Whether the desk's fills cost more than the model's is undecided: {bps} a side ({side})."
    return f"Recorded less simulated: {formatted(whole['gap'], 'r')} a trade ({band}, n {whole['n']:,}). {words}"


def gap_table(recorded: Recorded) -> Table | Prose:
    """Recorded less simulated R over all, by regime and by pair.

    Parameters
    ----------
    recorded : Recorded
    """
    found = gaps(recorded)
    if found.empty:
        return prose()
    shown = found.drop(columns="group").assign(name=found["name"].str.replace("_", " ", regex=False))
    return table(
        shown,
        caption="The desk's fills beside the model's",
        formats={"n": "integer", "recorded_r": "r", "simulated_r": "r", "gap": "r", "side_bps": "cost_bps"},
        labels={
            "name": "Of", "recorded_r": "Recorded R", "simulated_r": "Simulated R", "gap": "Gap",
            "side_bps": "A side beyond the settings",
            "side_bps_low": "its 95 % interval",
        },
        intervals={"gap": ("gap_low", "gap_high"), "side_bps": ("side_bps_low", "side_bps_high")},
        note="The gap is recorded less simulated R of the same candidates; intervals count weeks. The last column is "
        "the fee or slippage a side that would explain it.",
    )  # fmt: skip


def findings_table(recorded: Recorded) -> Table | Prose:
    """What of the desk's outcomes does not fit the bars, or itself.

    Parameters
    ----------
    recorded : Recorded
        With `private` only how many there are is said.
    """
    found = recorded.findings
    averaged = ""
    if recorded.averaged:
        number = counted(recorded.averaged, private=recorded.private)
        averaged = (
            f" Several entries or exits made {number} of the trades: their rates are averages, and are held against "
            "all the bars of the trade."
        )
    if found.empty:
        return prose() if recorded.empty else prose(f"The check against the bars found nothing.{averaged}")
    count = partial(counted, private=recorded.private)
    said = (
        f"The check against the bars found {count(len(found))} things in {count(found['signal_id'].nunique())} "
        f"outcomes; {count(contradicting(found))} contradict themselves and are not learned from."
        f"{averaged}"
    )
    if recorded.private:
        return prose(said)
    rows = found.sort_values(["impossible", "signal_id"], ascending=[False, True], kind="stable").head(_SHOWN)
    rows = rows.assign(impossible=rows["impossible"].map({True: "no", False: "yes"}))
    more = f" The first {_SHOWN} are shown." if len(found) > _SHOWN else ""
    labels = {"signal_id": "The desk's signal", "finding": "Finding", "impossible": "Learned from"}
    return table(rows, caption="What does not fit", labels=labels, note=said + more)


def traded_table(recorded: Recorded) -> Table | Prose:
    """Signals of the ledger that the desk traded, recorded beside simulated.

    Parameters
    ----------
    recorded : Recorded
        With `private` no trade is shown.
    """
    if recorded.traded.empty or recorded.private:
        return prose()
    rows = recorded.traded.reset_index().tail(_SHOWN)[["signal_id", "regime", "simulated_r", "recorded_r", "gap"]]
    return table(
        rows.assign(regime=rows["regime"].str.replace("_", " ", regex=False), source="recorded"),
        caption="Signals of the ledger that the desk traded",
        formats={"simulated_r": "r", "recorded_r": "r", "gap": "r"},
        labels={
            "signal_id": "Signal",
            "simulated_r": "In the books (simulated)",
            "recorded_r": "The desk's",
            "gap": "Gap",
        },
        note=f"The desk traded {len(recorded.traded):,} signals of the ledger; the last {len(rows):,} are shown.",
    )


def _first_unjoined(recorded: Recorded) -> str:
    row = recorded.unjoined.iloc[0]
    return f"`{row['signal_id'].replace('`', '')}`, {row['why']}"
