"""The outcome report: tables worked by hand, words that follow the numbers, the undecided and the empty case."""

import functools

import numpy as np
import pandas as pd
import pytest

from edgebook.analyses import outcome_analysis, outcome_cells, outcome_weights
from edgebook.errors import DataError
from edgebook.figures import figures_outcomes
from edgebook.indicators import HEADS
from edgebook.reports import cell_readings, outcome_readings, outcome_tables, outcome_weight_tables
from edgebook.statistics.metrics import BOOK_METRICS, TRADE_METRICS

START = pd.Timestamp("2018-04-02", tz="UTC")
INDICATORS = ["adx_14", "rsi_14", "obv_20"]
REGIMES = ["trending_bullish", "trending_bearish", "ranging", "volatile"]


def made_up_ledger(seed, *, n=600, weeks=40, planted=None):
    """Trades of two ATR up, one and a half down, one in ten timed out; a planted regime wins nine times in ten."""
    rng = np.random.default_rng(seed)
    opened = START + pd.to_timedelta(np.sort(rng.integers(0, weeks * 168 - 48, n)), unit="h")
    regime = rng.choice(REGIMES, n)
    won = rng.random(n) < np.where(regime == planted, 0.9, 0.43)
    timed = rng.random(n) < 0.1
    short = rng.random(n) < 0.5
    sign = np.where(short, -1, 1)
    r = np.where(timed, rng.normal(0, 0.3, n), np.where(won, 1.27, -1.07))
    held = rng.integers(1, 25, n)
    score = rng.normal(0, 0.1, (n, 9))
    frame = pd.DataFrame(
        {
            "signal_id": [f"s{i:05d}" for i in range(n)],
            "pair": rng.choice(["BTC/USD", "ETH/USD", "XRP/USD"], n),
            "timeframe": rng.choice(["1h", "4h"], n),
            "is_short": short,
            "open_date": pd.Series(opened).astype("datetime64[ms, UTC]"),
            "close_date": pd.Series(opened + pd.to_timedelta(held, unit="h")).astype("datetime64[ms, UTC]"),
            "open_rate": 100.0,
            "close_rate": 100 * (1 + sign * r * 0.015),
            "fee_open": 0.001,
            "fee_close": 0.001,
            "take_profit_abs": 100 * (1 + sign * 0.02),
            "stop_loss_abs": 100 * (1 - sign * 0.015),
            "profit_ratio": r * 0.015,
            "r_multiple": r,
            "exit_reason": np.where(timed, "time_exit", np.where(won, "take_profit", "stop_loss")),
            "bars_held": held,
            "mae": -rng.uniform(0, 1, n),
            "mfe": rng.uniform(0, 1.4, n),
            "enter_tag": rng.choice(["none", "double_bottom", "breakout", "engulfing"], n, p=[0.6, 0.1, 0.2, 0.1]),
            "regime": regime,
            "confidence": rng.uniform(0.5, 0.65, n),
            "threshold": 0.5,
            "certified": rng.random(n) < 0.2,
            "heads_agreed": ["".join(np.array(list("ABCDEFGHI"))[row > 0.02]) for row in score],
            "head_scores": [";".join(f"{h}:{x:.2f}" for h, x in zip("ABCDEFGHI", row, strict=True)) for row in score],
            "model_version": "r1@2018-04-02",
            "ab_test_version": "champion",
            "status": "closed",
        }
    )
    still_open = frame.index[-5:]
    frame.loc[still_open, ["close_date", "close_rate", "profit_ratio", "r_multiple", "mae", "mfe"]] = np.nan
    frame.loc[still_open, "exit_reason"] = ""
    frame.loc[still_open, "status"] = "open"
    return frame


def made_up_votes(trades, seed=3):
    """A vote of every indicator on every decision bar."""
    key = trades[["pair", "timeframe", "open_date"]].rename(columns={"open_date": "date"}).drop_duplicates()
    rng = np.random.default_rng(seed)
    return key.assign(**{name: rng.integers(-1, 2, len(key)).astype(np.int8) for name in INDICATORS})


def made_up_days(trades, *, arm="r1"):
    """Half a percent of equity a R, booked on the day of closing."""
    closed = trades.dropna(subset=["close_date"])
    made = (closed["r_multiple"] * 0.005).groupby(closed["close_date"].dt.floor("D")).sum()
    days = pd.date_range(START, periods=280, freq="D", tz="UTC", unit="ms")
    returns = made.reindex(days, fill_value=0.0).to_numpy()
    equity = 100_000 * np.cumprod(1 + returns)
    return pd.DataFrame({"date": days, "arm": arm, "equity": equity, "return_ratio": returns})


@functools.cache
def report(planted=None):
    trades = made_up_ledger(1, planted=planted)
    daily = outcome_analysis.book_days(made_up_days(trades), arm="r1")
    metrics = outcome_analysis.all_metrics(trades, daily, periods_per_year=365)
    cells = outcome_cells.report_cells(trades, made_up_votes(trades))
    return trades, daily, metrics, cells


def three_trades():
    trades = made_up_ledger(0, n=8).head(3).copy()
    trades["r_multiple"] = [1.5, -1.0, 0.25]
    trades["profit_ratio"] = [0.015, -0.01, 0.0025]
    trades["exit_reason"] = ["take_profit", "stop_loss", "time_exit"]
    return trades


def test_metrics_are_all_there_in_order():
    _, _, metrics, _ = report()
    assert metrics["metric"].tolist() == [*TRADE_METRICS, *BOOK_METRICS]
    assert metrics.set_index("metric")["value"]["total_signals"] == 600
    assert metrics.set_index("metric")["n"]["win_rate"] == 595
    assert metrics.set_index("metric")["n"]["sharpe_ratio"] == 280


def test_exit_reasons_by_hand():
    found = outcome_analysis.exit_reasons(three_trades()).set_index("exit_reason")
    assert found["n"].tolist() == [1, 1, 1]
    assert found["share"].tolist() == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert found["total_r"].tolist() == [1.5, -1.0, 0.25]


def test_distribution_counts_every_closed_signal_once_and_splits_at_zero():
    trades, *_ = report()
    found = outcome_analysis.r_distribution(trades)
    assert found["n"].sum() == 595
    assert 0.0 in found["r_from"].tolist()
    assert found["n"][found["r_from"] < 0].sum() == (trades["r_multiple"] < 0).sum()


def test_certified_and_paper_signals_add_up():
    trades, *_ = report()
    found = outcome_analysis.certified_and_paper(trades).set_index("set")
    assert found["signals"]["certified"] + found["signals"]["paper"] == found["signals"]["all signals"] == 600
    only = trades[trades["certified"]].dropna(subset=["close_date"])
    assert found["win_rate"]["certified"] == pytest.approx((only["profit_ratio"] > 0).mean(), abs=1e-6)


def test_confidence_groups_are_equal_and_ordered():
    trades, *_ = report()
    found = outcome_analysis.confidence_bins(trades)
    assert found["n"].tolist() == [119] * 5
    assert found["confidence"].is_monotonic_increasing


def test_losses_that_were_ahead_are_counted():
    trades = three_trades().assign(mfe=[2.0, 1.0, 0.5], mae=[-0.1, -1.0, -0.2])
    found = outcome_analysis.excursions(trades).set_index("outcome")
    assert found["n"].tolist() == [2, 1]
    assert found["one_r_ahead"].tolist() == [0.5, 1.0]


def test_drawdowns_by_hand():
    days = pd.DataFrame(
        {
            "date": pd.date_range("2019-01-07", periods=6, tz="UTC", unit="ms"),
            "arm": "r1",
            "equity": [110, 99, 104.5, 121, 108.9, 115],
            "return_ratio": [0.1, -0.1, 104.5 / 99 - 1, 121 / 104.5 - 1, -0.1, 115 / 108.9 - 1],
        }
    )
    daily = outcome_analysis.book_days(days, arm="r1")
    assert daily["drawdown"].tolist() == pytest.approx([0, 0.1, 0.05, 0, 0.1, 6 / 121], abs=1e-6)
    worst = outcome_analysis.worst_drawdowns(daily)
    assert worst["depth"].tolist() == pytest.approx([0.1, 0.1])
    assert worst["days"].tolist() == [2, 2]
    assert worst["recovered_on"][0] == days["date"][3]
    assert pd.isna(worst["recovered_on"][1])


def test_an_unknown_arm_names_those_that_exist():
    with pytest.raises(DataError, match="no day of arm r9; arms there: r1"):
        outcome_analysis.book_days(made_up_days(made_up_ledger(1, n=50)), arm="r9")


def test_every_kind_of_cell_is_there_and_every_row_has_n_and_interval():
    cells = report()[3]
    assert set(cells["kind"]) == set(outcome_cells.KINDS)
    for kind in ("pattern", "regime", "symbol", "timeframe", "side", "hour"):
        assert outcome_cells.cells_of(cells, kind=kind)["n"].sum() == 595
    wide = cells["shrunk_win_rate_high"] - cells["shrunk_win_rate_low"]
    assert (cells["n"] > 0).all() and (wide > 0).all()


def test_an_indicator_counts_where_its_vote_was_on_the_signals_side():
    trades = made_up_ledger(2, n=60)
    votes = made_up_votes(trades)
    cells = outcome_cells.report_cells(trades, votes)
    found = outcome_cells.cells_of(cells, kind="indicator").set_index("name")["n"]
    lookup = votes.set_index(["pair", "timeframe", "date"])
    expected = dict.fromkeys(INDICATORS, 0)
    for row in trades.dropna(subset=["close_date"]).itertuples():
        for name in INDICATORS:
            vote = lookup.loc[(row.pair, row.timeframe, row.open_date), name]
            expected[name] += int(vote) == (-1 if row.is_short else 1)
    assert found.to_dict() == expected


def test_a_head_counts_where_it_agreed():
    trades, _, _, cells = report()
    found = outcome_cells.cells_of(cells, kind="head").set_index("name")["n"]
    closed = trades.dropna(subset=["close_date"])
    assert found["C Momentum & Breakout"] == closed["heads_agreed"].str.contains("C").sum()


def test_a_signal_is_in_one_set_of_heads_within_those_of_as_many():
    trades, _, _, cells = report()
    sets = outcome_cells.cells_of(cells, kind="head set")
    closed = trades.dropna(subset=["close_date"])
    assert sets["n"].sum() == len(closed) == 595
    three = sets[sets["heads"] == "3 heads"]
    assert three["n"].sum() == (closed["heads_agreed"].str.len() == 3).sum()
    assert (three["head_set"].str.len() == 3).all()


def test_no_edge_reads_as_undecided_and_says_how_many_were_tested():
    _, _, metrics, cells = report()
    words = repr(cell_readings.what_worked(cells))
    assert words.startswith("**Undecided.** No cell survives 10 % (0 of ")
    assert "No cell stands apart" in repr(outcome_readings.conclusion(metrics, cells))
    for column in ("best_patterns", "best_heads", "best_indicators"):
        assert outcome_cells.regime_table(cells)[column].str.startswith("undecided").all()


def test_a_planted_regime_is_named_as_what_worked():
    _, _, metrics, cells = report("ranging")
    words = repr(cell_readings.what_worked(cells))
    assert "**What worked**" in words and "**ranging** (regime)" in words
    assert "ranging (better)" in repr(
        cell_readings.cells_reading(outcome_cells.cells_of(cells, kind="regime"), kind="regime")
    )
    patterns = outcome_cells.pattern_table(cells, report("ranging")[0])
    assert patterns["best_in_regime"].eq("ranging").sum() >= 2
    assert "stand apart at 10 %" in repr(outcome_readings.conclusion(metrics, cells))


def test_the_verdict_follows_the_interval_of_the_expectancy():
    _, _, metrics, cells = report()

    def verdict(low, high):
        moved = metrics.copy()
        mine = moved["metric"] == "expectancy"
        moved.loc[mine, ["low", "value", "high"]] = [low, (low + high) / 2, high]
        return repr(outcome_readings.conclusion(moved, cells))

    assert "The signals made money" in verdict(0.01, 0.1)
    assert "The signals lost money" in verdict(-0.1, -0.01)
    assert "It is not decided yet" in verdict(-0.1, 0.1)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_report_of_hardly_any_signals_is_written_all_the_same(kept):
    trades = made_up_ledger(1, n=50).head(kept)
    daily = outcome_analysis.book_days(made_up_days(trades).head(7), arm="r1")
    metrics = outcome_analysis.all_metrics(trades, daily, periods_per_year=365)
    cells = outcome_cells.report_cells(trades, made_up_votes(made_up_ledger(1, n=50)))
    for shown in everything(trades, daily, metrics, cells):
        assert "nan" not in repr(shown).lower()


def test_the_whole_report_fits_and_shows_no_nan():
    trades, daily, metrics, cells = report()
    shown = everything(trades, daily, metrics, cells)
    assert all("nan" not in repr(one).lower() for one in shown)
    pictures = [one for one in shown if hasattr(one, "data")]
    assert sum(len(picture.svg) for picture in pictures) < 270_000  # under 400 kB as text, tables included


def made_up_effects():
    """Effects of two of the patterns; the rest has none."""
    texts = {"effect_in_force": "off", "effect_learned": "+0.02 / 0.00 / −0.01 / +0.05"}
    return pd.DataFrame(texts, index=pd.Index(["breakout", "engulfing"], name="pattern"))


def made_up_weights():
    """A weight of every head in every regime."""
    names = [f"{letter} {title}" for letter, title in HEADS.items()]
    rows = [(regime, head) for regime in REGIMES for head in names]
    return pd.DataFrame(rows, columns=["regime", "head"]).assign(current_weight=0.1, suggested_weight=0.05)


def test_heads_stand_beside_their_weights_in_every_regime():
    trades, _, _, cells = report()
    found = outcome_weights.heads_by_regime(cells, made_up_weights())
    assert len(found) == 36
    own = trades.dropna(subset=["close_date"])
    mine = own[(own["regime"] == "volatile") & own["heads_agreed"].str.contains("F")]
    row = found[(found["regime"] == "volatile") & found["head"].str.startswith("F ")].iloc[0]
    assert row["signals_contributed"] == len(mine)
    assert row["win_rate_when_agreed"] == pytest.approx((mine["profit_ratio"] > 0).mean(), abs=1e-6)
    few = outcome_weights.heads_by_regime(cells.iloc[:0], made_up_weights())
    assert few["signals_contributed"].eq(0).all()


def everything(trades, daily, metrics, cells):
    """All that the notebook shows."""
    sets = outcome_analysis.certified_and_paper(trades)
    exits = outcome_analysis.exit_reasons(trades)
    worst = outcome_analysis.worst_drawdowns(daily)
    bins = outcome_analysis.confidence_bins(trades)
    ahead = outcome_analysis.excursions(trades)
    shown = [
        outcome_readings.window(trades, daily),
        outcome_tables.metrics_table(metrics),
        outcome_readings.metrics_reading(metrics),
        outcome_tables.certified_table(sets),
        outcome_readings.certified_reading(sets),
        figures_outcomes.equity_picture(daily, goal=0.15),
        outcome_tables.drawdowns_table(worst),
        outcome_readings.equity_reading(daily, worst),
        figures_outcomes.distribution_picture(trades, metrics),
        outcome_tables.distribution_table(outcome_analysis.r_distribution(trades, width=0.5)),
        outcome_readings.distribution_reading(trades),
        outcome_tables.exits_table(exits),
        outcome_readings.exits_reading(exits),
        outcome_tables.excursions_table(ahead),
        outcome_readings.excursions_reading(ahead),
        figures_outcomes.confidence_picture(bins),
        outcome_tables.confidence_table(bins),
        outcome_readings.confidence_reading(bins),
        outcome_tables.pattern_summary(cells, trades, effects=made_up_effects()),
        outcome_weight_tables.heads_table(outcome_weights.heads_by_regime(cells, made_up_weights())),
        outcome_tables.regime_summary(cells),
        cell_readings.what_worked(cells),
        outcome_readings.conclusion(metrics, cells),
    ]
    for kind in ("pattern", "regime", "head", "head set", "indicator", "hour"):
        own = outcome_cells.cells_of(cells, kind=kind, top=10)
        shown += [
            outcome_tables.cells_table(own, kind=kind),
            figures_outcomes.cells_picture(own, kind=kind, metrics=metrics),
            cell_readings.cells_reading(own, kind=kind),
        ]
    return shown


def test_one_cell_alone_is_compared_with_nothing():
    own = outcome_cells.cells_of(report()[3], kind="regime")
    assert "Raw win rates run from" in str(cell_readings.cells_reading(own, kind="regime"))
    alone = str(cell_readings.cells_reading(own.head(1), kind="regime"))
    assert "One regime alone: there is nothing to compare it with." in alone


def test_a_long_list_can_be_cut_to_the_largest_or_to_both_ends():
    cells = report()[3]
    whole = outcome_cells.cells_of(cells, kind="pattern × regime")
    largest = outcome_cells.cells_of(cells, kind="pattern × regime", largest=3)
    assert sorted(largest["n"], reverse=True) == sorted(whole["n"], reverse=True)[:3]
    ends = outcome_cells.cells_of(cells, kind="pattern × regime", top=2)
    assert ends["name"].tolist() == [*whole["name"].head(2), *whole["name"].tail(2)]
