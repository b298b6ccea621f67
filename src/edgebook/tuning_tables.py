"""Tables of the tuning report, from a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.report import formatted, table
from edgebook.tuning_space import plan_name
from edgebook.tuning_study import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.display import Table
    from edgebook.tuning_study import Study

_HEADS, _SELECTION, _PLAN = "heads", "selection", "exit plan"
MEANING = {
    "train_weeks": (_HEADS, "weeks of outcomes that a fit sees"),
    "shrinkage": (_HEADS, "ridge penalty, in effective outcomes"),
    "signal_quantile": (_SELECTION, "share of a regime's candidates below the threshold"),
    "min_heads_agree": (_SELECTION, "heads that must favour the side"),
    "take_profit_atr": (_PLAN, "target, ATRs from the entry"),
    "stop_loss_atr": (_PLAN, "stop, ATRs from the entry"),
    "time_limit_bars": (_PLAN, "bars held at most"),
}
"""What each setting of the search belongs to and means."""


def space_table(study: Study | None) -> Table:
    """What is searched: every setting with its levels, the default's and the best's."""
    caption = "The search: settings and levels"
    if study is None:
        return table(pd.DataFrame(columns=["setting", "levels"]), caption=caption)
    head = study.head
    rows = [
        {
            "setting": name,
            "belongs to": MEANING[name][0],
            "meaning": MEANING[name][1],
            "levels": ", ".join(f"{level:g}" for level in head["space"][name]),
            "default": f"{head['default']['settings'][name]:g}",
            "best": f"{head['best']['settings'][name]:g}",
        }
        for name in SETTINGS
    ]
    note = f"{head['budget']['space']:,} recipes in all, of which {head['budget']['different']:,} were tried."
    return table(pd.DataFrame(rows), caption=caption, note=note)


def kinds_table(study: Study | None) -> Table:
    """What each way to choose points found."""
    caption = "Objective by the way in which trials were chosen"
    if study is None:
        return table(pd.DataFrame(columns=["chosen_by", "n"]), caption=caption)
    groups = study.trials.rename(columns={"kind": "chosen_by"}).groupby("chosen_by", sort=False)["value"]
    rows = groups.agg(n="size", best="max", median="median", worst="min").reset_index()
    return table(
        rows,
        caption=caption,
        note=f"Objective: {OBJECTIVE}.",
        formats=dict.fromkeys(("best", "median", "worst"), "number3"),
    )


OBJECTIVE = "Sharpe ratio of daily net R over all folds, a day, less a penalty below one trade a day"


def scores_table(study: Study | None) -> Table:
    """Best against default: on the folds, where it was chosen, and on the holdout, where it was not."""
    caption = "Best against default, net R a day"
    if study is None:
        return table(pd.DataFrame(columns=["where", "recipe"]), caption=caption)
    head = study.head
    rows = [
        _scores("folds", "default", head["default"]),
        _scores("folds", "best", head["best"]),
        _scores("holdout", "default", head["holdout"]["default"]),
        _scores("holdout", "best", head["holdout"]["best"]),
        _scores("holdout", "best less default", head["holdout"]["difference"]),
    ]
    return table(
        pd.DataFrame(rows),
        caption=caption,
        note="Intervals by weeks as clusters. On the folds the best was picked from all trials, so its interval there "
        "is not one of what to expect; on the holdout both recipes were fixed before it was opened.",
        formats={"mean_r": "r", "sharpe": "number3", "days": "integer", "weeks": "integer", "trades": "integer"},
        labels={"mean_r": "R a day", "sharpe": "Sharpe a day", "days": "Days (n)"},
        intervals={"mean_r": ("low", "high")},
        strong=[4],
    )


def deflated_table(study: Study | None) -> Table:
    """The best Sharpe ratio beside what the luckiest of so many worthless trials would show."""
    caption = "Deflated Sharpe ratio of the best trial"
    if study is None:
        return table(pd.DataFrame(columns=["measure", "value"]), caption=caption)
    found = study.head["deflated"]
    rows = [
        ("Sharpe ratio of the best, a day", formatted(found["sharpe"], "number3")),
        ("expected of the luckiest of worthless trials", formatted(found["benchmark"], "number3")),
        ("deflated Sharpe ratio: probability to be above that", formatted(found["probability"], "percent")),
        ("probability of overfitting, by halves of the days", formatted(found["overfitting_probability"], "percent")),
        ("trials, raw number", formatted(found["trials"], "integer")),
        ("days (n)", formatted(found["days"], "integer")),
    ]
    return table(
        pd.DataFrame(rows, columns=["measure", "value"]),
        caption=caption,
        note="Bailey and Lopez de Prado (2014). Every trial counts, alike ones too, which errs on the strict side. "
        "Overfitting: how often the best of one half of the days is below the median in the other half (Bailey et al. "
        "2017); 50 % is what worthless trials give.",
    )


def ledger_table(study: Study | None, *, top: int = 10, bottom: int = 5) -> Table:
    """The best and the worst trials; all of them are in trials.csv."""
    caption = "Ledger of trials"
    if study is None:
        return table(pd.DataFrame(columns=["number", "chosen_by"]), caption=caption)
    ranked = study.trials.sort_values(["value", "number"], ascending=[False, True], ignore_index=True)
    ranked["rank"] = ranked.index + 1
    shown = ranked if len(ranked) <= top + bottom else pd.concat([ranked.head(top), ranked.tail(bottom)])
    rows = pd.DataFrame(
        {
            "rank": shown["rank"],
            "trial": shown["number"],
            "chosen_by": shown["kind"],
            "exit_plan": [plan_name({name: float(shown[name].loc[i]) for name in SETTINGS}) for i in shown.index],
            **{name: [f"{value:g}" for value in shown[name]] for name in SETTINGS[:4]},
            "value": shown["value"],
            "mean_r": shown["mean_r"],
            "trades": shown["trades"],
        }
    ).reset_index(drop=True)
    return table(
        rows,
        caption=f"Ledger: {min(top, len(rows))} best and {max(0, len(rows) - top)} worst of {len(ranked)} trials",
        note=f"Value: {OBJECTIVE}. The whole ledger, with every trial's daily R, is in study/trials.csv of the seal.",
        formats={"value": "number3", "mean_r": "r"},
        labels={"mean_r": "R a day", "min_heads_agree": "Heads agree", "signal_quantile": "Quantile"},
        strong=[int(i) for i in rows.index[rows["trial"] == study.head["best"]["number"]]],
    )


def proposal_table(study: Study | None) -> Table:
    """The recipe that is proposed, setting by setting."""
    caption = "The proposed recipe"
    if study is None or study.proposal is None:
        return table(pd.DataFrame(columns=["setting", "default", "proposed"]), caption=caption)
    before, after = dict(study.head["default"]["settings"]), dict(study.head["best"]["settings"])
    before["exit_plan"], after["exit_plan"] = plan_name(before), plan_name(after)
    names = ["exit_plan", *SETTINGS[:4]]
    rows = [
        {
            "setting": name,
            "default": _plainly(before[name]),
            "proposed": _plainly(after[name]),
            "changed": before[name] != after[name],
        }
        for name in names
    ]
    kept = study.proposal["indicators"]
    rest = {name: study.proposal[name] for name in ("head_weights", "half_life_weeks", "refit_weeks")}
    note = "As in the default: " + ", ".join(f"{name} {_plainly(value)}" for name, value in rest.items())
    note += f"; indicators: {'all' if kept is None else len(kept)}."
    return table(pd.DataFrame(rows), caption=f"{caption}: {study.proposal['title']}", note=note)


def _plainly(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _scores(where: str, recipe: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("mean_r", "low", "high", "sharpe", "trades", "days", "weeks")
    return {"where": where, "recipe": recipe, **{name: row.get(name) for name in names}}
