"""What a reviewer looks at by hand: positions that are open, and bars that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from edgebook.policy.candidate_marks import open_profit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

USUAL_WEEKS = 13


class Position(NamedTuple):
    """A position that is open at the end of the week; prices as quoted, R net of the entry's cost."""

    signal_id: str
    symbol: str
    timeframe: str
    side: str
    opened: str
    entry: float
    target: float
    stop: float
    mark: float | None
    r_so_far: float | None
    certified: bool


class Gap(NamedTuple):
    """A series with fewer bars in the week than it should have; `symbol` is "" where all of the timeframe have."""

    symbol: str
    timeframe: str
    found: int
    usual: int


def open_positions(positions: Sequence[Mapping[str, Any]], bars: pd.DataFrame, *, as_of: str) -> list[Position]:
    """Positions of a book, marked at the last close known at the end of a week.

    Parameters
    ----------
    positions : sequence of mapping
        As `Book` keeps them.
    bars : DataFrame
        pair, date (close time, UTC), close; of any timeframe.
    as_of : str
        The Monday at which the week ends.

    Returns
    -------
    list of Position
        By opening, then symbol.
    """
    known = bars[bars["date"] <= pd.Timestamp(as_of, tz="UTC")].sort_values("date", kind="stable")
    last = dict(zip(known["pair"], known["close"], strict=True))
    rows = []
    for one in positions:
        entry, stop, mark = float(one["open_rate"]), float(one["stop_loss_abs"]), last.get(one["pair"])
        so_far = None
        if mark is not None and entry != stop:
            sign = -1.0 if one["is_short"] else 1.0
            gained = open_profit(float(mark), entry=entry, sign=sign, cost=float(one["fee_open"]))
            so_far = round(gained / (abs(entry - stop) / entry), 4)
        rows.append(
            Position(
                str(one["signal_id"]), str(one["pair"]), str(one["timeframe"]), "short" if one["is_short"] else "long",
                str(one["open_date"])[:16].replace("T", " "), entry, float(one["take_profit_abs"]), stop,
                None if mark is None else float(mark), so_far, bool(one["certified"]),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row.opened, row.symbol, row.signal_id))


def bar_gaps(bars: pd.DataFrame, *, as_of: str) -> list[Gap]:
    """Series that have fewer bars in a week than the fullest series of their timeframe, or than is usual.

    Parameters
    ----------
    bars : DataFrame
        pair, timeframe, date (close time, UTC).
    as_of : str
        The Monday at which the week ends.

    Returns
    -------
    list of Gap
        By timeframe: first one for the timeframe as a whole, where even its fullest series has less than the median of
        the `USUAL_WEEKS` weeks before (a holiday, an outage), then its single series. A series that has been silent for
        ten days has ended (`late_series`): nobody waits for it, and it is not named.
    """
    from edgebook.sources.late_series import ENDED_MS

    end = pd.Timestamp(as_of, tz="UTC")
    recent = bars[(bars["date"] > end - pd.Timedelta(weeks=USUAL_WEEKS + 1)) & (bars["date"] <= end)]
    age = (end - recent["date"]).dt.days // 7
    counts = recent.assign(age=age).groupby(["timeframe", "pair", "age"]).size().unstack("age", fill_value=0)
    found: list[Gap] = []
    for timeframe, table in counts.groupby(level="timeframe"):
        this = table[0] if 0 in table else pd.Series(0, index=table.index)
        before = table.drop(columns=0, errors="ignore").max()
        fullest = int(this.max())
        usual = int(before.median()) if len(before) else fullest
        if fullest < usual:
            found.append(Gap("", str(timeframe), fullest, usual))
        last = recent[recent["timeframe"] == timeframe].groupby("pair")["date"].max()
        ended = set(last.index[last.max() - last > pd.Timedelta(milliseconds=ENDED_MS)])
        pairs = this.index.get_level_values("pair")
        found += [
            Gap(str(pair), str(timeframe), int(count), fullest)
            for pair, count in zip(pairs, this, strict=True)
            if count < fullest and pair not in ended
        ]
    return found


def late_told(bars: pd.DataFrame, *, as_of: str) -> list[str]:
    """Sentence on the series that had gone silent when the week was run; none where nobody was late.

    Parameters
    ----------
    bars : DataFrame
        pair, timeframe, date (close time, UTC), sorted by them.
    as_of : str
        The Monday at which the week ends.

    Notes
    -----
    Of received bars a week waits for such a series, unless params.yaml says that it need not; of files the last bar of
    any pair is what completes a week, so that this is where a late one is told of.
    """
    from edgebook.sources.late_series import USUAL_WEEKS, late_series, told

    end = pd.Timestamp(as_of, tz="UTC")
    recent = bars[(bars["date"] > end - pd.Timedelta(weeks=2 * USUAL_WEEKS)) & (bars["date"] <= end)]
    closes = {
        (str(pair), str(timeframe)): pd.DatetimeIndex(own).as_unit("ms").asi8
        for (pair, timeframe), own in recent.groupby(["pair", "timeframe"], sort=True)["date"]
    }
    late = [one for one in late_series(closes, at=end) if not one.ended]
    return [f"The week was run without late bars: none of {told(late, most=8)} UTC."] if late else []


def sleeping_heads(values: pd.DataFrame) -> list[str]:
    """Sentences on heads none of whose indicators is known at any bar: they say nothing and are not weighed.

    Parameters
    ----------
    values : DataFrame
        The table of indicator values.
    """
    from edgebook.indicators import HEADS, family

    asleep = [head for head in HEADS if values[list(family(head))].isna().all(axis=None)]
    why = {"F": ": the bars have no volume"}
    return [f"Head {head} ({HEADS[head].capitalize()}) sleeps{why.get(head, '')}." for head in asleep]
