"""What the peers answer, computed in the environment of `requirements-peers.lock`, where Edgebook is not installed.

Reads questions from a folder and writes answers into another: `python answers.py QUESTIONS ANSWERS`. Run by record.py.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

PACKAGES = ("vectorbt", "quantstats", "empyrical-reloaded", "ml4t-diagnostic")
SIDE_COST = 0.001
YEAR = 365
BLOCKS = 8
DAY = 86_400
WINDOW, WORST = 91, 3


def outcomes(candidates: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """Let vectorbt trade each candidate in a column of its own.

    Row 0 of a column is the open of the entry bar alone (all four prices are the open), where the order fills; the
    rows after it are the entry bar and those that follow, up to the time limit, at whose close an exit is signalled.
    So the entry bar is watched as well. A barrier is given the way vectorbt wants it, as a share of the entry price.
    """
    import vectorbt as vbt

    prices = {name: bars[name].to_numpy() for name in ("open", "high", "low", "close")}
    found = []
    for _, part in candidates.groupby("plan", sort=False):
        limit, width = int(part["limit"].iloc[0]), len(part)
        grid = {name: np.empty((limit + 1, width)) for name in prices}
        exits = np.zeros((limit + 1, width), bool)
        for column, row in enumerate(part.itertuples()):
            seen = slice(row.decision + 1, row.last + 1)
            held = row.last - row.decision
            for name, values in prices.items():
                grid[name][0, column] = prices["open"][row.decision + 1]
                grid[name][1 : held + 1, column] = values[seen]
                grid[name][held + 1 :, column] = prices["close"][row.last]  # the data end: the price stands still
            exits[limit, column] = held == limit
        long = ~part["is_short"].to_numpy()
        entries = np.zeros((limit + 1, width), bool)
        entries[0] = True
        price = grid["close"].copy()
        entry = grid["open"][0]
        frame = {name: pd.DataFrame(values) for name, values in grid.items()}
        book = vbt.Portfolio.from_signals(
            frame["close"], open=frame["open"], high=frame["high"], low=frame["low"], price=price,
            entries=entries & long, exits=exits & long, short_entries=entries & ~long, short_exits=exits & ~long,
            sl_stop=np.abs(part["stop_loss_abs"].to_numpy() - entry) / entry,
            tp_stop=np.abs(part["take_profit_abs"].to_numpy() - entry) / entry,
            stop_entry_price="fillprice", size=1.0, init_cash=1e9, fees=SIDE_COST, freq="1h",
        )  # fmt: skip
        trades = book.trades.records.sort_values("col")
        assert trades["col"].tolist() == list(range(width))
        found.append(
            part[["plan", "pair", "timeframe", "date", "is_short"]].assign(
                is_open=trades["status"].to_numpy() == 0,
                bars_held=trades["exit_idx"].to_numpy(),
                exit_rate=trades["exit_price"].to_numpy(),
                profit_ratio=trades["return"].to_numpy(),
            )
        )
    return pd.concat(found)


def daily(returns: pd.DataFrame) -> pd.DataFrame:
    """Ratios and drawdowns of daily returns, by quantstats and by empyrical-reloaded."""
    import empyrical
    import quantstats.stats as quantstats

    rows = []
    for case in returns:
        one = returns[case].dropna()
        rows += [
            (case, "quantstats", "sharpe_ratio", quantstats.sharpe(one, periods=YEAR)),
            (case, "quantstats", "sortino_ratio", quantstats.sortino(one, periods=YEAR)),
            (case, "quantstats", "calmar_ratio", quantstats.calmar(one, periods=YEAR)),
            (case, "quantstats", "max_drawdown", quantstats.max_drawdown(one)),
            (case, "quantstats", "probabilistic_sharpe", quantstats.probabilistic_sharpe_ratio(one)),
            (case, "empyrical-reloaded", "sharpe_ratio", empyrical.sharpe_ratio(one, annualization=YEAR)),
            (case, "empyrical-reloaded", "sortino_ratio", empyrical.sortino_ratio(one, annualization=YEAR)),
            (case, "empyrical-reloaded", "calmar_ratio", empyrical.calmar_ratio(one, annualization=YEAR)),
            (case, "empyrical-reloaded", "max_drawdown", empyrical.max_drawdown(one)),
        ]
    return pd.DataFrame(rows, columns=["case", "peer", "quantity", "value"])


def tear_sheet(returns: pd.DataFrame) -> pd.DataFrame:
    """What a tear sheet holds beside the ratios: quantstats, and empyrical-reloaded where it has the figure.

    Every case stands against the even mixture of the same days.
    """
    import empyrical
    import quantstats.stats as quantstats

    rows = []
    returns = returns.tz_localize(None)  # quantstats lays a benchmark beside days without a time zone
    for case in returns:
        one, market = returns[case].dropna(), returns[f"even {case.split()[-1]}"].dropna()
        greeks = quantstats.greeks(one, market, periods=YEAR)
        found = {
            "total_return": quantstats.comp(one),
            "annualised_return": quantstats.cagr(one, periods=YEAR),
            "volatility": quantstats.volatility(one, periods=YEAR),
            "skew": quantstats.skew(one),
            "kurtosis": quantstats.kurtosis(one),
            "best_day": quantstats.best(one),
            "worst_day": quantstats.worst(one),
            "best_month": quantstats.best(one, aggregate="ME"),
            "worst_month": quantstats.worst(one, aggregate="ME"),
            "win_days": quantstats.win_rate(one),
            "win_months": quantstats.win_rate(one, aggregate="ME"),
            "value_at_risk": quantstats.value_at_risk(one),
            "conditional_value_at_risk": quantstats.conditional_value_at_risk(one, method="historical"),
            "beta": greeks["beta"],
            "alpha": greeks["alpha"],
        }
        rows += [(case, "quantstats", name, value) for name, value in found.items()]
        deepest = quantstats.drawdown_details(quantstats.to_drawdown_series(one)).nsmallest(WORST, "max drawdown")
        for place, row in enumerate(deepest.to_dict("records"), start=1):
            for name, day in (("begin", "start"), ("trough", "valley"), ("last", "end")):
                rows.append((case, "quantstats", f"drawdown {place} {name}", pd.Timestamp(row[day]).timestamp() / DAY))
            rows.append((case, "quantstats", f"drawdown {place} days", row["days"]))
            rows.append((case, "quantstats", f"drawdown {place} depth", -row["max drawdown"] / 100))
        table = quantstats.monthly_returns(one, eoy=False)
        for month in one.groupby(one.index.strftime("%Y-%m")).first().index:
            at = pd.Timestamp(f"{month}-01")
            rows.append((case, "quantstats", f"month {month}", table.loc[at.strftime("%Y"), at.strftime("%b").upper()]))
        for name, series in (
            ("sharpe", quantstats.rolling_sharpe(one, rolling_period=WINDOW, periods_per_year=YEAR)),
            ("volatility", quantstats.rolling_volatility(one, rolling_period=WINDOW, periods_per_year=YEAR)),
        ):
            known = series.dropna()
            summary = {"mean": known.mean(), "least": known.min(), "most": known.max(), "newest": known.iloc[-1]}
            rows += [(case, "quantstats", f"rolling {name} {which}", value) for which, value in summary.items()]
        rows += [
            (case, "empyrical-reloaded", "annualised_return", empyrical.cagr(one, annualization=YEAR)),
            (case, "empyrical-reloaded", "volatility", empyrical.annual_volatility(one, annualization=YEAR)),
            (case, "empyrical-reloaded", "value_at_risk", empyrical.value_at_risk(one)),
            (case, "empyrical-reloaded", "conditional_value_at_risk", empyrical.conditional_value_at_risk(one)),
            (case, "empyrical-reloaded", "beta", empyrical.beta(one, market)),
            (case, "empyrical-reloaded", "alpha", empyrical.alpha(one, market, annualization=YEAR)),
        ]
    return pd.DataFrame(rows, columns=["case", "peer", "quantity", "value"])


def trades(profits: pd.DataFrame) -> pd.DataFrame:
    """Figures of a set of trades, by quantstats: a trade stands where it expects a day."""
    import quantstats.stats as quantstats

    rows = []
    for case in profits:
        one = profits[case].dropna()
        one.index = pd.date_range("2000-01-01", periods=len(one), freq="D")
        rows += [
            (case, "quantstats", "win_rate", quantstats.win_rate(one)),
            (case, "quantstats", "profit_factor", quantstats.profit_factor(one)),
            (case, "quantstats", "consecutive_wins", quantstats.consecutive_wins(one)),
            (case, "quantstats", "consecutive_losses", quantstats.consecutive_losses(one)),
        ]
    return pd.DataFrame(rows, columns=["case", "peer", "quantity", "value"])


def selection(returns: pd.DataFrame) -> pd.DataFrame:
    """The best of many trials, by ml4t-diagnostic: expected maximum, deflated Sharpe ratio, overfitting.

    Even and odd numbers of trials are met. The Sharpe ratio
    of each half, which its `compute_pbo` wants, is NumPy's own over the joined days.
    """
    from ml4t.diagnostic.evaluation import stats
    from scipy.stats import kurtosis, norm, skew

    rows = []
    for count in (40, 39, 15, 8):
        some = returns.iloc[:, :count]
        judged = stats.deflated_sharpe_ratio([some[name].to_numpy() for name in some], autocorrelation=0.0)
        matrix = some.to_numpy()
        # Its own parts in the order of Bailey and Lopez de Prado (2014): at the observed ratio, over T - 1, one trial's
        # variance, and the sample's moments (the peer divides by the deviation with n - 1).
        best = matrix[:, np.argmax(matrix.mean(axis=0) / matrix.std(axis=0))]
        variance = stats.compute_sharpe_variance(
            judged.sharpe_ratio, len(some) - 1, skew(best), kurtosis(best, fisher=False), 0.0
        )
        by_the_paper = norm.cdf((judged.sharpe_ratio - judged.expected_max_sharpe) / np.sqrt(variance))
        parts = np.array_split(np.arange(len(matrix)), BLOCKS)
        inside, outside = [], []
        for chosen in combinations(range(BLOCKS), BLOCKS // 2):
            here = np.concatenate([parts[i] for i in chosen])
            there = np.concatenate([parts[i] for i in range(BLOCKS) if i not in chosen])
            for half, place in ((inside, here), (outside, there)):
                half.append(matrix[place].mean(axis=0) / matrix[place].std(axis=0, ddof=1))
        found = stats.compute_pbo(np.array(inside), np.array(outside))
        rows += [
            (f"{count} trials", "ml4t-diagnostic", "sharpe", judged.sharpe_ratio),
            (f"{count} trials", "ml4t-diagnostic", "expected_maximum_sharpe", judged.expected_max_sharpe),
            (f"{count} trials", "ml4t-diagnostic", "deflated_probability", judged.probability),
            (f"{count} trials", "ml4t-diagnostic", "deflated_probability_2014", by_the_paper),
            (f"{count} trials", "ml4t-diagnostic", "overfitting", found.pbo),
        ]
    return pd.DataFrame(rows, columns=["case", "peer", "quantity", "value"])


def answer(questions: Path, answers: Path) -> None:
    """Write outcomes.csv, metrics.csv and versions.csv."""
    bars = pd.read_csv(questions / "bars.csv")
    candidates = pd.read_csv(questions / "candidates.csv")
    tables = {name: pd.read_csv(questions / f"{name}.csv", index_col=0) for name in ("daily", "trades", "trials")}
    tables["daily"].index = pd.to_datetime(tables["daily"].index)
    outcomes(candidates, bars).to_csv(answers / "outcomes.csv", index=False)
    figures = [
        daily(tables["daily"]),
        tear_sheet(tables["daily"]),
        trades(tables["trades"]),
        selection(tables["trials"]),
    ]
    pd.concat(figures).to_csv(answers / "metrics.csv", index=False)
    versions = pd.DataFrame({"package": PACKAGES, "version": [version(name) for name in PACKAGES]})
    versions.to_csv(answers / "versions.csv", index=False)


if __name__ == "__main__":
    answer(Path(sys.argv[1]), Path(sys.argv[2]))
