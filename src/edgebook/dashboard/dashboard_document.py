"""The document behind the weekly dashboard: every number that the page shows, computed here and only written there.

Parts come from the modules `dashboard_*`, one a subject, which take them from what the reports and the seals are made
of. Nothing in it is a not-a-number, and the same week gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.dashboard.dashboard_cells import badges_note, cells_document, cells_note, dashboard_cells, share_shown
from edgebook.dashboard.dashboard_champion import champion_document
from edgebook.dashboard.dashboard_charts import NEWEST as CHARTS
from edgebook.dashboard.dashboard_charts import charts_document
from edgebook.dashboard.dashboard_dimensions import described_signals, dimensions
from edgebook.dashboard.dashboard_gate import alarm_rows, gate_document, position_rows
from edgebook.dashboard.dashboard_goals import goal_rows, key_rows, week_scoreboard
from edgebook.dashboard.dashboard_numbers import number
from edgebook.dashboard.dashboard_pairs import pairs_dimension, report_pairs
from edgebook.dashboard.dashboard_trades import NEWEST, shown_rows, trades_document
from edgebook.files.formats import formatted, interval
from edgebook.summary.summary_numbers import change_text
from edgebook.summary.summary_text import gather_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.seals.week import Week
    from edgebook.summary.summary_numbers import Number
    from edgebook.summary.summary_text import Facts

FORMAT = 1


def dashboard_document(
    week: Week,
    *,
    metrics: pd.DataFrame,
    goals: Mapping[str, Any],
    facts: Facts | None = None,
    board: pd.DataFrame | None = None,
    previous: str | None = None,
    following: str | None = None,
    newest: int | None = NEWEST,
    charts: int = CHARTS,
    served: bool = False,
) -> dict[str, Any]:
    """Everything that the dashboard of a week shows, as JSON holds it.

    Parameters
    ----------
    week : Week
        Sealed.
    metrics : DataFrame
        The account's metrics since genesis (metric, value, low, high, n, unit): those of metrics.json.
    goals : mapping
        Section `goals` of params.yaml.
    facts : Facts, optional
        What summary.md says; gathered when not given.
    board : DataFrame, optional
        As `dashboard_goals.week_scoreboard` gives it; computed when not given.
    previous, following : str, optional
        Mondays of the neighbouring pages, where there are any.
    newest : int, optional
        Closed signals in the document; None for all.
    charts : int
        Signals whose bars are in it.
    served : bool
        Whether a local server has the bars of the others.

    Returns
    -------
    dict
        head, verdict, scoreboard, key, champion, gate, changes, table, positions, alarms, alarms_before, dimensions,
        kinds, cells, trades, charts, notes. Missing is None; tables have columns and rows.
    """
    facts = gather_facts(week) if facts is None else facts
    board = week_scoreboard(week, goals=goals) if board is None else board
    signals = described_signals(week.ledger, week.votes)
    pairs = report_pairs(week) if signals.closed else []
    found = dashboard_cells(signals, week.ledger, week.votes, whole=metrics, pairs=pairs)
    kinds, cells = cells_document(found)
    at = shown_rows(signals, newest=newest)
    known = week.bars[week.bars["date"] <= pd.Timestamp(week.as_of, tz="UTC")]
    pictures = charts_document(signals, at, known, newest=charts)
    total, shown = share_shown(kinds)
    return {
        "format": FORMAT,
        "head": _head(week, previous=previous, following=following, served=served)
        | {
            "trades_total": len(signals.rows),
            "trades_closed": signals.closed,
            "trades_open": len(signals.rows) - signals.closed,
            "trades_shown": len(at),
            "charts_shown": sum(row is not None for row in pictures["rows"]),
            "cells_total": total,
            "cells_shown": shown,
        },
        "verdict": {
            "action": facts.verdict.action,
            "title": facts.verdict.title,
            "reason": facts.verdict.why,
            "means": facts.verdict.means,
            "tone": facts.verdict.tone,
        },
        "scoreboard": goal_rows(board),
        "key": key_rows(metrics, equity=week.seal.account.equity),
        "champion": champion_document(week),
        "gate": gate_document(week),
        "changes": [*facts.events, *facts.changes],
        "table": change_rows(facts.numbers),
        "positions": position_rows(week.seal.account.positions, facts.positions),
        "alarms": alarm_rows(week.heads[-1:]),
        "alarms_before": alarm_rows(week.heads[:-1]),
        "dimensions": [*dimensions(signals), *([pairs_dimension(signals, pairs)] if pairs else [])],
        "kinds": kinds,
        "cells": cells,
        "trades": trades_document(signals, newest=newest),
        "charts": pictures,
        "notes": {
            "cells": cells_note(kinds, most_left_out=cells["most_left_out"]),
            "badges": badges_note(found),
            "trades": _trades_note(signals.closed, total=len(signals.rows), shown=len(at), served=served),
            "charts": "A bar is dated by its close, and known only then. A signal is decided at the close of a bar and "
            "entered at the open of the next; its outcome is known at the close of the exit bar.",
        },
    }


def change_rows(numbers: Sequence[Number]) -> list[dict[str, Any]]:
    """Put this week beside the last, with intervals, as summary.md does.

    Parameters
    ----------
    numbers : sequence of Number
        As `summary_numbers.week_numbers` gives them.
    """
    return [
        {
            "name": one.name,
            "window": one.window,
            "this": number(one.this),
            "last": number(one.last),
            "change": number(one.change),
            "low": number(one.low),
            "high": number(one.high),
            "n": one.n,
            "n_text": one.counted,
            "format": one.how,
            "text_this": formatted(one.this, one.how),
            "text_last": formatted(one.last, one.how),
            "text_change": change_text(one),
            "interval": interval(one.low, one.high, one.how),
        }
        for one in numbers
    ]


def _head(week: Week, *, previous: str | None, following: str | None, served: bool) -> dict[str, Any]:
    """Which week of which history this is."""
    head = week.seal.head
    prints = head["fingerprints"]
    return {
        "as_of": week.as_of,
        "week": int(head["week"]),
        "weeks": len(week.weeks),
        "market": week.market,
        "history": week.history,
        "genesis": week.genesis,
        "champion": week.champion_version,
        "recipe": week.champion,
        "challenger": head["challenger"],
        "previous": previous,
        "following": following,
        "parameters": str(prints["parameters"]),
        "data": str(prints["data"]),
        "served": served,
    }


def _trades_note(closed: int, *, total: int, shown: int, served: bool) -> str:
    """Say which signals are listed."""
    if shown == total:
        return f"All {total:,} signals since the first week, {closed:,} of them closed."
    where = "" if served else "; `edgebook open` shows them all"
    return f"The newest {shown:,} of {total:,} signals since the first week{where}. Cells count all that have closed."
