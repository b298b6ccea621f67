"""Tables of the tuning report, from a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.pages.report import formatted, table
from edgebook.tuning.tuning_space import plan_name
from edgebook.tuning.tuning_study import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.pages.display import Table
    from edgebook.tuning.tuning_study import Study

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
    caption = "Deflated Sharpe ratio of the best trial, probability of overfitting"
    if study is None:
        return table(pd.DataFrame(columns=["measure", "value"]), caption=caption)
    found, halves = study.head["deflated"], study.head["overfitting"]
    rows = [
        ("Sharpe ratio of the best, a day", formatted(found["sharpe"], "number3")),
        ("expected of the luckiest of worthless trials", formatted(found["benchmark"], "number3")),
        ("deflated Sharpe ratio: probability to be above that", formatted(found["probability"], "percent")),
        (f"probability of overfitting (n = {halves['ways']} ways)", formatted(halves["probability"], "percent")),
        ("trials, raw number", formatted(found["trials"], "integer")),
        ("effective number of trials, a description only", formatted(found["effective_trials"], "number")),
        ("days (n)", formatted(found["days"], "integer")),
    ]
    return table(
        pd.DataFrame(rows, columns=["measure", "value"]),
        caption=caption,
        note="Bailey and Lopez de Prado (2014). Every trial counts, alike ones too, which errs on the strict side. "
        "Overfitting: how often the best of one half of the days is below the median in the other half, over all ways "
        f"to make halves of {halves['blocks']} blocks (Bailey et al. 2017); 50 % is what worthless trials give. The "
        "effective number says how alike the trials are (participation ratio of their correlations); nothing is "
        "corrected by it.",
    )


def superior_table(study: Study | None) -> Table:
    """Tests of whether any trial is better than the default: over all trials, and over those fixed in advance."""
    caption = "Is any trial better than the default? Hansen's test"
    if study is None:
        return table(pd.DataFrame(columns=["trials", "n"]), caption=caption)
    found = study.head["superior"]
    named = {"all": "all: Sobol and TPE", "sobol": "Sobol points alone, fixed in advance"}
    rows = [
        {"trials": named[name], "n": found[name]["trials"]}
        | {
            kind: _p_value(found[name][kind], repetitions=found["repetitions"])
            for kind in ("lower", "consistent", "upper")
        }
        | {"days": found[name]["days"]}
        for name in named
    ]
    return table(
        pd.DataFrame(rows),
        caption=caption,
        note=f"P-values of Hansen (2005) on differences of daily R, studentised; stationary bootstrap, blocks of "
        f"{found['block_days']} days on average, {found['repetitions']:,} samples, seed {found['seed']}. n: different "
        "trials that differ from the default. The consistent one is the answer, the other two are its bounds.",
        formats={"n": "integer", "days": "integer"},
        labels={"n": "Trials (n)", "days": "Days (n)"},
    )


def grid_table(study: Study | None) -> Table:
    """The best of the search against the best of a grid of as many trials, on the folds and on the holdout."""
    caption = "Bayesian search against a grid, best of each, net R a day"
    if study is None or study.head["grid"] is None:
        return table(pd.DataFrame(columns=["where", "recipe"]), caption=caption)
    head, grid = study.head, study.head["grid"]
    rows = [
        _scores("folds", "best of the grid", grid["best"]),
        _scores("folds", "best of the search", head["best"]),
        _scores("folds", "search less grid", grid["folds_difference"]),
        _scores("holdout", "best of the grid", grid["holdout"]),
        _scores("holdout", "best of the search", head["holdout"]["best"]),
        _scores("holdout", "search less grid", grid["holdout_difference"]),
    ]
    several = {name: levels for name, levels in grid["levels"].items() if len(levels) > 1}
    levels = "; ".join(f"{name} {', '.join(f'{x:g}' for x in values)}" for name, values in several.items())
    return table(
        pd.DataFrame(rows),
        caption=caption,
        note=f"Grid: {head['budget']['grid']} points, search: {head['budget']['trials'] - 1} beside the default. "
        f"Levels of the grid: {levels}; what is not named stays at the default. Intervals by weeks as clusters. "
        "Neither the grid nor the holdout chooses what is proposed.",
        formats={"mean_r": "r", "sharpe": "number3", "days": "integer", "weeks": "integer", "trades": "integer"},
        labels={"mean_r": "R a day", "sharpe": "Sharpe a day", "days": "Days (n)"},
        intervals={"mean_r": ("low", "high")},
        strong=[2, 5],
    )


def heads_table(study: Study | None) -> Table:
    """Every head at every penalty: how much less it would have lost on candidates that it had not seen."""
    caption = "One head at a time: improvement in log loss at other penalties"
    if study is None or not study.head["heads"]["rows"]:
        return table(pd.DataFrame(columns=["head", "level"]), caption=caption)
    found = study.head["heads"]
    rows = pd.DataFrame(found["rows"]).rename(columns={"own": "in_force", "level": "shrinkage"})
    for name in ("improvement", "low", "high"):
        rows[name] *= 1000
    strong = [] if found["chosen"] is None else [found["rows"].index(found["chosen"])]
    return table(
        rows[["head", "in_force", "shrinkage", "improvement", "low", "high", "t"]],
        caption=caption,
        note=f"Thousandths of a nat a candidate less than at the penalty in force, {found['weeks']} weeks of the folds "
        f"(n). Nine heads at a few levels are many chances to look good: intervals end at {found['critical']} standard "
        "errors, so that all of them hold at once with 95 % (random signs of weeks).",
        formats={"in_force": "number", "shrinkage": "number", "improvement": "signed", "t": "signed"},
        labels={"improvement": "Improvement, 1/1000 nat"},
        intervals={"improvement": ("low", "high")},
        strong=strong,
    )


def ledger_table(study: Study | None, *, top: int = 10, bottom: int = 5) -> Table:
    """The best and the worst trials; all of them are in trials.csv."""
    caption = "Ledger of trials"
    if study is None:
        return table(pd.DataFrame(columns=["number", "chosen_by"]), caption=caption)
    ranked = study.searched.sort_values(["value", "number"], ascending=[False, True], ignore_index=True)
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


def proposals_table(study: Study | None) -> Table:
    """The recipes that are proposed, in order, with what they change in the champion's."""
    caption = "Proposals, in the order in which they are offered the challenger's slot"
    if study is None or not study.proposals:
        return table(pd.DataFrame(columns=["order", "origin", "setting", "champion", "proposed"]), caption=caption)
    own = study.head["recipe"]
    rows = [
        {
            "order": order,
            "origin": row["origin"],
            "title": row["title"],
            "setting": name,
            "champion": _plainly(own.get(name)),
            "proposed": _plainly(value),
        }
        for order, row in enumerate(study.proposals, start=1)
        for name, value in row["settings"].items()
        if value != own.get(name)
    ]
    note = (
        "What is not named is as in the champion's recipe. Selected features: what the importance run in force keeps."
    )
    return table(pd.DataFrame(rows), caption=caption, note=note)


def _p_value(value: float | None, *, repetitions: int) -> str:
    if value is None:
        return "n/a"
    return f"< {1 / repetitions:g}" if value == 0 else f"{value:.3f}"


def _plainly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plainly(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return f"{len(value)} of them"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _scores(where: str, recipe: str, row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("mean_r", "low", "high", "sharpe", "trades", "days", "weeks")
    return {"where": where, "recipe": recipe, **{name: row.get(name) for name in names}}
