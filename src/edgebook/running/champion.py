"""The champion in the hands of a live system: loaded once, asked at every bar."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.loop.routing import PAIRED
from edgebook.running.live import newest_signals, policies_in_force, routed
from edgebook.running.live_bars import REGIME_SLACK_BARS, WINDOW_BARS, extended, newest_market, window_of, windows_of
from edgebook.running.live_columns import newest_columns, with_newest
from edgebook.settings.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.policy.policy import Policy
    from edgebook.running.live_bars import Key, Window
    from edgebook.settings.params import Params

_FIT_SLACK_WEEKS = 8


@dataclass(frozen=True)
class Champion:
    """The policy in force, with the bars that it knows; `load_champion` makes one.

    Parameters
    ----------
    policy : Policy
    challenger : Policy or None
        Of the arm on trial, whose share of the signals it gives where routing is randomised.
    equity : float
        Of the account at the seal, in its currency: stakes are a share of it.
    as_of : str
        The Monday up to which the policy has seen the market.
    params : Params
    known : mapping of (pair, timeframe) to Window
        Last bars that the tables had.
    units : mapping of str to float
        Powers of ten that the desk's own columns are told in.
    """

    policy: Policy
    challenger: Policy | None
    equity: float
    as_of: str
    params: Params = field(repr=False)
    known: Mapping[Key, Window] = field(repr=False)
    units: Mapping[str, float] = field(default_factory=dict, repr=False)

    @property
    def version(self) -> str:
        """Recipe and week, as in `model_version` of the ledger."""
        return self.policy.version

    @property
    def _asked(self) -> list[Policy]:
        """The champion, and the challenger where signals are routed to it."""
        if self.challenger is None or self.params.ab_test.routing == PAIRED:
            return [self.policy]
        return [self.policy, self.challenger]

    def signals(
        self,
        bars: pd.DataFrame | None = None,
        *,
        columns: pd.DataFrame | None = None,
        pair: str | None = None,
        equity: float | None = None,
    ) -> list[dict[str, Any]]:
        """What the champion says of the newest bars.

        Parameters
        ----------
        bars : DataFrame, optional
            Bars of any pairs and timeframes that closed since the champion was loaded (or since long before: what is
            known is passed over): pair, timeframe, date (close, UTC), open, high, low, close, volume. Give those of
            all pairs, as the head Market Context looks at them. By default the tables' own newest bars.
        columns : DataFrame, optional
            Your own columns that params.yaml declares in section `desk`: pair, timeframe, date (close of the bar that
            they are about), known_at where they have one, and the columns. Without them the heads go without: each
            counts as missing, the rule's regime stands for yours, and no pattern of yours tags a bar.
        pair : str, optional
            Only this pair's; by default every series that has a bar in `bars`.
        equity : float, optional
            Of the account now; by default that of the seal.

        Returns
        -------
        list of dict
            One a pair and timeframe, as `edgebook signals --json` prints them; ``docs/live.md`` explains the keys.

        Raises
        ------
        DataError
            A bar breaks the contract, bars are missing between the known and the given ones, or no series is asked
            for.
        """
        import talib

        from edgebook.errors import DataError

        policies = self._asked
        length = window_bars(self.params, labels={one.regimes for one in policies})
        windows = dict(self.known) if bars is None else extended(self.known, bars, length_bars=length)
        given = set(windows) if bars is None else set(zip(bars["pair"], bars["timeframe"], strict=True))
        asked = [key for key in windows if key in given and pair in (None, key[0])]
        if not asked:
            known = ", ".join(sorted({name for name, _ in windows}))
            raise DataError(f"bars: none of {pair or 'any pair'}; the champion knows {known}")
        settings = self.params.regimes
        labels = {one.regimes for one in policies}
        if columns is None:
            market, rows = newest_market(windows, asked, regimes=vars(settings), labels=labels)
        else:
            desk, last = newest_columns(columns, windows=windows, asked=asked, desk=self.params.desk, units=self.units)
            market, rows = newest_market(windows, asked, regimes=vars(settings), labels=labels, patterns=desk.patterns)
            market = with_newest(market, desk, rows=last)
        ends = [windows[key].last(WINDOW_BARS).prices for key in rows]
        atr = np.array([talib.ATR(*prices[1:], self.params.candidates.atr_bars)[-1] for prices in ends])
        order = np.array([i for i, _ in sorted(enumerate(rows), key=lambda one: one[1])])
        said = [
            newest_signals(
                one,
                market,
                rows=np.array(list(rows.values()))[order],
                atr=atr[order],
                sizing=self.params.sizing,
                equity=self.equity if equity is None else equity,
            )
            for one in policies
        ]
        return routed(said[0], said[1] if len(said) > 1 else None, ab_test=self.params.ab_test)


def load_champion(root: str = ".", *, history: str | None = None) -> Champion:
    """Load the policy in force, and the last bars that the tables know.

    Parameters
    ----------
    root : str
        Top of the repository, relative to the one that the package is installed from.
    history : str, optional
        A chain of seals; by default that of params.yaml.

    Raises
    ------
    SealError
        The history has no seal, or it is damaged.
    DataError
        The tables are not there; `dvc repro` makes them.
    """
    from edgebook.bars.bars import cut
    from edgebook.outcomes.recorded_columns import read_columns
    from edgebook.paths import Paths
    from edgebook.running.snapshot import newest_tables
    from edgebook.settings.loading import load_params

    paths = Paths.at(root)
    params = load_params(paths.params)
    if history is not None:
        params = replace(params, run=replace(params.run, history=history))
    now = newest_tables(params, paths)
    champion, challenger = policies_in_force(now.week, pins=params.learning.pins)
    labels = {champion.regimes} | ({challenger.regimes} if challenger else set())
    known = windows_of(cut(now.bars, as_of=now.as_of), length_bars=window_bars(params, labels=labels))
    desk = read_columns(paths.recorded, params.desk) if params.desk.columns else []
    units = {column.name: column.unit for column in desk}
    return Champion(champion, challenger, now.account.equity, now.week.as_of, params, known, units)


def window_bars(params: Params, *, labels: set[str]) -> int:
    """Bars of a series that decide what is said of its newest one.

    Parameters
    ----------
    params : Params
    labels : set of {"rule", "hmm"}
        Which regimes are asked for.
    """
    rule = params.regimes
    finest = min(params.bars.timeframes, key=TIMEFRAMES.__getitem__)
    lengths = [window_of(finest), rule.trend_bars, rule.volatility_bars + rule.volatility_window_bars]
    if "hmm" in labels:
        days = (rule.hmm_refit_weeks + _FIT_SLACK_WEEKS) * 7
        fits = days * 1440 // TIMEFRAMES[finest]
        lengths.append(rule.trend_bars + rule.volatility_bars + rule.hmm_window_bars + fits)
    return max(lengths) + REGIME_SLACK_BARS
