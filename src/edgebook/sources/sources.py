"""Where bars come from: sample markets, a folder of your own files, or a market with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from edgebook.bars.bars import TIMEFRAMES, check_bars, check_timeframe, cut, milliseconds_of, resample, utc
from edgebook.bars.membership import members_only
from edgebook.bars.sessions import Sessions
from edgebook.errors import DataError, SettingsError, WeekError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.settings.bar_files import Files
    from edgebook.settings.params import Synthetic
    from edgebook.settings.universe import Spell

Source = Literal["crypto", "equities", "folder", "synthetic", "database", "ccxt", "yfinance"]

RECEIVED = ("database", "ccxt", "yfinance")
"""Sources that are no files: what `edgebook data fetch` received of them is read, never they themselves."""

_ALWAYS = pd.Timestamp("2200-01-01", tz="UTC")


def load_bars(
    *,
    source: str,
    timeframes: Sequence[str],
    as_of: str | pd.Timestamp,
    folder: str | Path | None = None,
    files: Files | None = None,
    synthetic: Synthetic | None = None,
    universe: Mapping[str, Sequence[Spell]] | None = None,
    holidays: Sequence[str] = (),
) -> pd.DataFrame:
    """Bars of a market in the canonical table, checked, cut at `as_of`.

    Parameters
    ----------
    source : {"crypto", "equities", "folder", "synthetic"}
        The market: `edgebook.bars.samples`, `edgebook.folder.folder`, `edgebook.bars.synthetic`.
    timeframes : sequence of str
        Keys of `TIMEFRAMES`. Where the source has no such bars they are made of finer ones.
    as_of : str or Timestamp
        UTC. Bars that close by then are returned, later ones are not.
    folder : str or Path, optional
        Where the files of the source "folder" are.
    files : Files, optional
        What is declared of them.
    synthetic : Synthetic, optional
        The market that the source "synthetic" makes.
    universe : mapping of str to sequence of Spell, optional
        Members, and when; all pairs of the source, all the time, by default.
    holidays : sequence of str
        Declared days without a session, which complete a week that they end.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, sorted by pair, timeframe, date. It equals the table of a later `as_of`, cut at this one, but
        for the scale of prices before a split that is declared in between.

    Raises
    ------
    DataError
        A bar breaks the contract, or the market's files are not there.
    SettingsError
        An unknown source, or a timeframe that the source cannot give.
    WeekError
        The data end before `as_of`, or begin after it.
    """
    series = source_bars(source, folder=folder, files=files, synthetic=synthetic, as_of=utc(as_of))
    return bars_table(
        series, source=source, timeframes=timeframes, as_of=as_of, files=files, universe=universe, holidays=holidays
    )


def bars_table(
    series: list[pd.DataFrame],
    *,
    source: str,
    timeframes: Sequence[str],
    as_of: str | pd.Timestamp,
    files: Files | None = None,
    universe: Mapping[str, Sequence[Spell]] | None = None,
    holidays: Sequence[str] = (),
) -> pd.DataFrame:
    """The canonical table of all that a source has, as `load_bars` returns it.

    Parameters
    ----------
    series : list of DataFrame
        As `source_bars` gives them.
    source, timeframes, as_of, files, universe, holidays
        As for `load_bars`.

    Raises
    ------
    DataError, SettingsError, WeekError
        As `load_bars`.
    """
    known_at = utc(as_of)
    sessions = _sessions(series, holidays)
    end = _end(series, sessions)
    if end < known_at:
        closed = sessions.perhaps_closed(int(end.value // 1_000_000), until_ms=int(known_at.value // 1_000_000))
        holiday = f"; if the market was closed on {closed[0]}, name it in bars.holidays" if len(closed) == 1 else ""
        raise WeekError(
            f"run.as_of {known_at:%Y-%m-%d}: the data of {source} end at {end:%Y-%m-%d %H:%M} UTC;"
            f" choose an earlier week, or add data{holiday}"
        )
    first = min(bars["date"].iloc[0] for bars in series)
    if first > known_at:
        raise WeekError(
            f"run.as_of {known_at:%Y-%m-%d}: the data of {source} begin later, at {first:%Y-%m-%d %H:%M} UTC;"
            " choose a later week, or add data"
        )
    # Files of a folder may end at different times. One that lags must not close a bar it has only begun to see. Of
    # received bars all is told that was known of the time up to `as_of`.
    last = known_at if source in RECEIVED else max(bars["date"].iloc[-1] for bars in series)
    if universe is not None:
        series = members_only(series, universe, source=source)
    if source == "folder" and (files is None or files.splits == "refuse"):
        from edgebook.folder.folder_splits import refuse_splits

        refuse_splits([cut(bars, as_of=known_at) for bars in series], shown="bars.folder")
    pairs: dict[str, dict[str, pd.DataFrame]] = {}
    for bars in series:
        pairs.setdefault(bars["pair"].iloc[0], {})[bars["timeframe"].iloc[0]] = bars
    tables = [
        _at_timeframe(
            pairs[pair],
            timeframe=timeframe,
            end=_end(list(pairs[pair].values()), sessions) if source == "folder" else last,
            where=f"{source} {pair}",
        )
        for pair in sorted(pairs)
        for timeframe in sorted(set(timeframes))
    ]
    table = cut(pd.concat(tables), as_of=known_at)
    check_bars(table, source=source)
    return table


def source_end(
    *,
    source: str,
    folder: str | Path | None = None,
    files: Files | None = None,
    synthetic: Synthetic | None = None,
    holidays: Sequence[str] = (),
) -> pd.Timestamp:
    """Return the time up to which a source is complete.

    Parameters
    ----------
    source : {"crypto", "equities", "folder", "synthetic"}
        The market.
    folder, files, synthetic, holidays
        As for `load_bars`.

    Returns
    -------
    Timestamp
        UTC. A week is complete where it ends by then.

    Notes
    -----
    It is the last close of any pair; where the market has no bars at weekends and that close ended the last session
    before one, it is the midnight UTC at which the next session's day begins, as nothing more can come before it
    (`edgebook.bars.sessions`).
    """
    series = source_bars(source, folder=folder, files=files, synthetic=synthetic)
    return _end(series, _sessions(series, holidays))


def complete_up_to(dates: Mapping[tuple[str, str], Any], *, holidays: Sequence[str] = ()) -> pd.Timestamp:
    """Return the time up to which a market is complete, by the closes of its bars alone.

    Parameters
    ----------
    dates : mapping of (pair, timeframe) to ndarray of int64
        Milliseconds UTC, ascending.
    holidays : sequence of str
        As for `load_bars`.
    """
    sessions = Sessions.of(((timeframe, own) for (_, timeframe), own in dates.items() if len(own)), holidays=holidays)
    return pd.Timestamp(
        sessions.told_until(max(int(own[-1]) for own in dates.values() if len(own))), unit="ms", tz="UTC"
    )


def source_bars(
    source: str,
    *,
    folder: str | Path | None = None,
    files: Files | None = None,
    synthetic: Synthetic | None = None,
    as_of: pd.Timestamp | None = None,
) -> list[pd.DataFrame]:
    """All bars that a source has, as it has them.

    Parameters
    ----------
    source, folder, files, synthetic
        As for `load_bars`.
    as_of : Timestamp, optional
        UTC. What was known by then of bars that were revised or split later; all that is known by default.

    Returns
    -------
    list of DataFrame
        One checked table of `COLUMNS` a pair and timeframe, neither resampled nor cut.
    """
    _check_source(source)
    if source == "folder":
        from edgebook.folder.folder import folder_bars

        if folder is None:
            raise SettingsError("params.yaml: bars.folder: is missing; say where the files of source folder are")
        return folder_bars(folder, files=files, as_of=as_of)
    if source in RECEIVED:
        from edgebook.sources.received import as_known

        series = as_known(Path(folder or ""), at=as_of or _ALWAYS)
        if not series:
            raise DataError("data/received: no bars received yet; run `edgebook data fetch`")
        return series
    if source == "synthetic":
        from edgebook.bars.synthetic import make_market

        if synthetic is None:
            raise SettingsError("params.yaml: bars.synthetic: is missing; say which market source synthetic is to make")
        table = make_market(
            kind=synthetic.kind,
            pairs=synthetic.pairs,
            weeks=synthetic.weeks,
            seed=synthetic.seed,
            heads=synthetic.heads,
            edge=synthetic.edge,
            edge_starts=synthetic.edge_starts,
            start=synthetic.start,
        ).bars
        return [bars.reset_index(drop=True) for _, bars in table.groupby("pair")]
    from edgebook.bars.samples import crypto_bars, equity_bars

    return crypto_bars() if source == "crypto" else equity_bars()


def _check_source(source: str) -> None:
    """Raise unless the source is one of those there are."""
    if source not in get_args(Source):
        raise SettingsError(
            f"params.yaml: bars.source: {source!r} is unknown; the sources are {', '.join(get_args(Source))}"
        )


def _at_timeframe(
    own: dict[str, pd.DataFrame], *, timeframe: str, end: pd.Timestamp | None, where: str
) -> pd.DataFrame:
    """Bars of one pair at a timeframe: its own, else made of the coarsest that divides it."""
    minutes = check_timeframe(timeframe)
    if timeframe in own:
        return own[timeframe]
    lengths = {name: length for name, length in TIMEFRAMES.items() if name in own}
    finer = [name for name, length in lengths.items() if length < minutes and minutes % length == 0]
    if not finer:
        raise DataError(
            f"{where}: no bars of {timeframe} or finer (it has {', '.join(lengths)});"
            f" add them, or take {timeframe} out of bars.timeframes"
        )
    name = max(finer, key=lengths.__getitem__)
    return resample(own[name], timeframe=timeframe, bar_minutes=lengths[name], end=end)


def _end(series: Sequence[pd.DataFrame], sessions: Sessions) -> pd.Timestamp:
    """Return the time up to which all is told of some series of a market."""
    last: pd.Timestamp = max(bars["date"].iloc[-1] for bars in series)
    return pd.Timestamp(sessions.told_until(int(last.value // 1_000_000)), unit="ms", tz="UTC")


def _sessions(series: Sequence[pd.DataFrame], holidays: Sequence[str] = ()) -> Sessions:
    """Return the days on which a market has traded."""
    return Sessions.of(
        ((str(bars["timeframe"].iloc[0]), milliseconds_of(bars["date"])) for bars in series if len(bars)),
        holidays=holidays,
    )
