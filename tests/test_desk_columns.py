"""A desk's own columns: known when it says, never before; leaks are refused, what informs is found and weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edgebook.arms.column_changes import inputs_read, pending_columns, with_columns
from edgebook.errors import DataError, SettingsError
from edgebook.files import tables
from edgebook.indicators import CATALOGUE, HEADS, families_of, family, head_of
from edgebook.loop.columns_as_sealed import tables_with
from edgebook.outcomes.column_screen import Ahead, screen, what_came
from edgebook.outcomes.desk_columns import (
    desk_columns,
    refuse_leaks,
    screened,
    told_lines,
    with_numbers,
    with_patterns,
    with_regimes,
)
from edgebook.outcomes.recorded_columns import column_files, read_columns
from edgebook.policy.heads import evidence, fit_heads
from edgebook.policy.indicator_weights import as_text, from_text
from edgebook.policy.market import load_market, milliseconds
from edgebook.running.live_bars import Window
from edgebook.running.live_columns import newest_columns, with_newest
from edgebook.seals.seals import read_seal
from edgebook.settings.desk_section import Desk
from edgebook.settings.loading import load_params, section
from edgebook.settings.params import plain
from edgebook.settings.recipes import Recipe
from small_market import LAST, PLAN, copy_history, small_bars

HOUR = pd.Timedelta("1h")
FLOW = Desk(indicators={"flow": "F"})


def bars_of(closes: int, *, pair: str = "A", start: str = "2019-06-24T01:00") -> pd.DataFrame:
    date = pd.date_range(start, periods=closes, freq="h", tz="UTC").astype("datetime64[ms, UTC]")
    price = 100 + np.sin(np.arange(closes))
    frame = pd.DataFrame({"pair": pair, "timeframe": "1h", "date": date, "open": price, "close": price, "volume": 1.0})
    return frame.assign(high=price + 1, low=price - 1)


def write(folder, date: str, rows: list[tuple], *, columns=("flow",), known: bool = True) -> None:
    """Rows of hours after 2019-06-24: bar, known, values."""
    names = ["pair", "timeframe", "date", *(["known_at"] if known else []), *columns]
    first = pd.Timestamp("2019-06-24", tz="UTC")
    told = [
        (
            "A",
            "1h",
            *(f"{first + HOUR * hour:%Y-%m-%dT%H:%M:%SZ}" for hour in row[: 2 if known else 1]),
            *row[1 + known :],
        )
        for row in rows
    ]
    folder.mkdir(exist_ok=True)
    pd.DataFrame(told, columns=names).to_csv(folder / f"columns-{date}.csv", index=False)


def joined(folder, desk: Desk = FLOW, *, closes: int = 6) -> list[float]:
    found = desk_columns(bars_of(closes), desk, recorded=folder)
    return found.values["desk_f_flow"].tolist()


# --- joined by time


def test_a_value_counts_at_the_first_close_at_which_it_was_known(tmp_path):
    write(tmp_path, "2019-06-25", [(1, 1, 10.0), (2, 2.5, 20.0), (3, 3.1, 30.0), (4, 6, 40.0)])
    assert joined(tmp_path) == pytest.approx([10, np.nan, 20, 30, np.nan, 40], nan_ok=True)


def test_of_two_values_the_newer_bar_s_counts_and_none_about_an_older_follows(tmp_path):
    write(tmp_path, "2019-06-25", [(1, 4, 10.0), (2, 2, 20.0), (3, 3, 30.0), (4, 4, 40.0), (5, 5, 50.0)])
    assert joined(tmp_path) == pytest.approx([np.nan, 20, 30, 40, 50, np.nan], nan_ok=True)


def test_a_value_is_carried_on_as_far_as_declared(tmp_path):
    write(tmp_path, "2019-06-25", [(1, 1, 10.0), (5, 5, 50.0)])
    assert joined(tmp_path, replace(FLOW, carry_bars=2)) == pytest.approx([10, 10, 10, np.nan, 50, 50], nan_ok=True)


def test_no_row_depends_on_what_was_known_after_it(tmp_path):
    """Cut at any time, what remains is what stood there."""
    rng = np.random.default_rng(1)
    rows = [(hour, hour + float(late), float(value)) for hour, (late, value) in enumerate(rng.random((60, 2)) * 5, 1)]
    write(tmp_path, "2019-07-01", rows)
    bars = bars_of(70)
    whole = desk_columns(bars, FLOW, recorded=tmp_path).values["desk_f_flow"]
    for cut in range(5, 70, 7):
        at = bars["date"].iloc[cut - 1]
        part = desk_columns(bars.iloc[:cut], FLOW, recorded=tmp_path, at=at).values["desk_f_flow"]
        np.testing.assert_array_equal(part, whole[:cut])


def test_a_later_snapshot_does_not_change_a_week_that_is_over(tmp_path):
    """The first brings its past; of the second, what it says of days before the first counts from its own date."""
    week = 7 * 24
    write(tmp_path, "2019-06-24", [(-3, -3, 1.0)])
    write(tmp_path, "2019-07-08", [(-1, -1, 2.0), (5, 5, 3.0), (week + 5, week + 5, 4.0)])
    known = read_columns(tmp_path, FLOW)[0].rows["known_at"].dt.strftime("%m-%d %H").tolist()
    assert known == ["06-23 21", "07-08 00", "07-08 00", "07-01 05"]


def test_a_value_that_comes_again_different_is_told_and_the_first_stays(tmp_path):
    write(tmp_path, "2019-06-25", [(1, 1, 10.0), (2, 2, 20.0)])
    write(tmp_path, "2019-06-26", [(1, 1, 10.0), (2, 2, 21.0)])
    column = read_columns(tmp_path, FLOW)[0]
    assert (column.repainted, column.rows["value"].tolist()) == (1, [10.0, 20.0])
    assert column.first == "A 1h 2019-06-24 02:00: 20.0 at first, 21.0 in the snapshot of 2019-06-26"
    found = desk_columns(bars_of(6), FLOW, recorded=tmp_path)
    assert "1 came again different, the first stays in force (A 1h" in told_lines(found, [], bars_of(6))[0]


def test_numbers_far_from_one_are_told_in_a_power_of_ten(tmp_path):
    write(tmp_path, "2019-06-25", [(hour, hour, 2e-7 * hour) for hour in (1, 2, 3)])
    assert joined(tmp_path, closes=3) == pytest.approx([2, 4, 6])


# --- refused


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [(2, 1, 1.0)],
            r"^data/recorded/columns-2019-06-25.csv: row 2: flow: known at 2019-06-24 01:00, before the bar",
        ),
        ([(1, 25, 1.0)], r"row 2: known at 2019-06-25 01:00, after the file's own date"),
        ([(1, 1, 1.0), (1, 2, 2.0)], "row 3: the bar is there twice"),
        ([(1, 1, "much")], "row 2: flow is 'much', no number"),
        ([(1, 1, np.inf)], "row 2: flow is 'inf', no number"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_by_row(tmp_path, rows, said):
    write(tmp_path, "2019-06-25", rows)
    with pytest.raises(DataError, match=said):
        read_columns(tmp_path, FLOW)


def test_files_and_columns_that_are_not_there_are_told(tmp_path):
    with pytest.raises(DataError, match=r"^params.yaml: desk: flow: no file data/recorded/columns-<date> has such"):
        read_columns(tmp_path, FLOW)
    write(tmp_path, "2019-06-25", [(1, 1.0)], known=False)
    with pytest.raises(DataError, match=r"known_at is missing; add it; or declare desk\.known_at"):
        read_columns(tmp_path, FLOW)
    assert joined(tmp_path, replace(FLOW, known_at="close"), closes=2) == pytest.approx([1, np.nan], nan_ok=True)
    (tmp_path / "columns-june.csv").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"columns-june.csv: no snapshot; name it columns-2019-07-01.csv"):
        column_files(tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"indicators": {"flow": "J"}}, "'J' is not a head"),
        ({"indicators": {"../x": "A"}}, "a name is up to 40 small letters"),
        ({"indicators": {"flow": "A"}, "votes": {"flow": "B"}}, "flow is declared twice"),
        ({"regimes": "r", "regime_labels": {"bull": "up"}}, "bull: 'up' is no regime"),
        ({"trusted": ["flow"]}, "flow: no such indicator"),
    ],
)
def test_the_section_is_checked(given, said):
    with pytest.raises(SettingsError, match=said):
        section(Desk, given, where="params.yaml: desk")


# --- patterns and regimes


def test_patterns_and_regimes_stand_beside_ours(tmp_path):
    desk = Desk(patterns="shapes", regimes="mood", regime_labels={"bull": "trending_bullish"})
    rows = [(1, 1, "+wedge -drives", "bull"), (2, 2, "", ""), (3, 3.5, "-wedge", "volatile")]
    write(tmp_path, "2019-06-25", rows, columns=("shapes", "mood"))
    bars = bars_of(4)
    found = desk_columns(bars, desk, recorded=tmp_path)
    ours = pd.DataFrame({"pair": "A", "timeframe": "1h", "date": bars["date"][:1], "pattern": "flag"})
    ours = ours.assign(direction=np.int8(1), kind="chart").astype({"pattern": "str", "kind": "str"})
    both = with_patterns(ours, found)
    assert both[["pattern", "direction"]].values.tolist() == [
        ["desk_drives", -1], ["desk_wedge", 1], ["flag", 1], ["desk_wedge", -1],
    ]  # fmt: skip
    assert both["date"].iloc[-1] == bars["date"].iloc[3]
    labels = with_regimes(bars[tables.KEY].assign(regime="ranging"), found)["regime_desk"].tolist()
    assert labels == ["trending_bullish", "ranging", "ranging", "volatile"]


def test_a_pattern_without_a_sign_and_a_label_that_is_none_are_refused(tmp_path):
    write(tmp_path, "2019-06-25", [(1, 1, "wedge", "bull")], columns=("shapes", "mood"))
    with pytest.raises(DataError, match="A 1h 2019-06-24 01:00: 'wedge' is no pattern"):
        desk_columns(bars_of(2), Desk(patterns="shapes"), recorded=tmp_path)
    with pytest.raises(DataError, match="label 'bull' is mapped to no regime"):
        desk_columns(bars_of(2), Desk(regimes="mood"), recorded=tmp_path)


# --- the screen


@pytest.fixture(scope="module")
def ahead() -> Ahead:
    return what_came(small_bars())


def worst(column: np.ndarray, ahead: Ahead):
    return screen({"desk_f_x": column.astype(np.float32)}, small_bars(), ahead=ahead)[0]


def test_columns_that_know_the_future_are_found_and_ours_are_not(small, ahead):
    bars = small_bars()
    values = tables.read(small.indicators)
    ours = screen({one.name: values[one.name].to_numpy() for one in CATALOGUE[::4]}, bars, ahead=ahead)
    assert [one.name for one in ours if one.leaks] == []
    series = bars.groupby(["pair", "timeframe"])["close"]
    tomorrow = series.transform(lambda close: np.append(close.to_numpy()[1:], np.nan)).to_numpy()
    middle = series.transform(
        lambda close: close.rolling(11).mean().to_numpy()[np.arange(5, len(close) + 5) % len(close)]
    )
    shifted = values.groupby(["pair", "timeframe"])["rsi_14"].transform(lambda x: np.append(x.to_numpy()[1:], np.nan))
    for leak in (tomorrow, (bars["close"] - middle).to_numpy(), shifted.to_numpy(), ahead.outcome, ahead.move):
        assert worst(leak, ahead).leaks
    rng = np.random.default_rng(2)
    assert not any(worst(rng.normal(size=len(bars)).cumsum(), ahead).leaks for _ in range(5))


def test_a_leak_is_refused_by_name_unless_it_is_trusted(tmp_path, ahead):
    bars = small_bars()
    told = bars[tables.KEY].assign(known_at=bars["date"], flow=ahead.move)
    told.to_parquet(tmp_path / "columns-2018-06-18.parquet")
    found = desk_columns(bars, FLOW, recorded=tmp_path)
    said = screened(found, bars)
    with pytest.raises(DataError, match=r"column desk_f_flow: rank correlation \+1.00 .* no honest column does so"):
        refuse_leaks(said, FLOW)
    refuse_leaks(said, replace(FLOW, trusted=("flow",)))
    assert "beyond it and trusted" in told_lines(found, said, bars)[0]


# --- families, and what is learned


def test_a_column_says_whose_it_is_and_the_69_stay_as_they_are():
    assert families_of(one.name for one in CATALOGUE) == {head: family(head) for head in HEADS}
    assert families_of(["desk_c_my_score"])["C"] == (*family("C"), "desk_c_my_score")
    with pytest.raises(DataError, match="my_score: belongs to no head"):
        head_of("my_score")


@pytest.fixture(scope="module")
def told(small, tmp_path_factory):
    """The small history with one column that informs, one that does not, and a vote."""
    paths = copy_history(small, tmp_path_factory.mktemp("desk"), links=False)
    bars, rng = small_bars(), np.random.default_rng(4)
    outcome = np.nan_to_num(what_came(bars).outcome)
    informs = 0.15 * outcome + rng.normal(size=len(bars))
    frame = bars[tables.KEY].assign(known_at=bars["date"], good=informs, idle=rng.normal(size=len(bars)))
    paths.recorded.mkdir(exist_ok=True)
    frame.assign(score=np.sign(informs)).to_parquet(paths.recorded / "columns-2018-06-18.parquet")
    desk = Desk(indicators={"good": "B", "idle": "A"}, votes={"score": "C"})
    found = desk_columns(bars, desk, recorded=paths.recorded)
    refuse_leaks(screened(found, bars), desk)
    tables.write(with_numbers(tables.read(paths.indicators), found.values), paths.indicators)
    tables.write(with_numbers(tables.read(paths.votes), found.votes), paths.votes)
    return paths


def auc(score: np.ndarray, won: np.ndarray) -> float:
    rank = score.argsort().argsort()
    return float((rank[won].mean() - rank[~won].mean()) / len(score) + 0.5)


def test_what_informs_is_weighed_and_signals_improve(small, told):
    recipe = section(Recipe, {"exit_plan": PLAN, "shrinkage": 50.0}, where="test")
    at, until = milliseconds("2018-04-30"), milliseconds("2018-06-11")
    said = {}
    for name, paths in (("without", small), ("with", told)):
        market = load_market(paths)
        heads = fit_heads(
            market, market.plans[PLAN], recipe=recipe, families=families_of(market.indicators), since=0, at=at
        )
        window = market.decided(since=at, until=until)
        rows = np.arange(window.start, window.stop)
        rows = rows[market.plans[PLAN].known_at[rows, 0] <= until]
        column = [market.indicators.index(one) for one in heads["B"].indicators]
        told_by = evidence(heads["B"], market.values[np.ix_(rows, column)], votes=market.votes[np.ix_(rows, column)])
        won = market.plans[PLAN].profit_ratio[rows, 0] > 0
        known = ~np.isnan(told_by[:, 0])
        said[name] = auc(told_by[known, 0], won[known])
    size = {
        name: np.abs(head.value_weights[head.indicators.index(name)]).mean()
        for head in heads.values()
        for name in head.indicators
        if name.startswith("desk_")
    }
    assert size["desk_b_good"] > 3 * size["desk_a_idle"]
    assert said["with"] > said["without"] + 0.02
    vote = heads["C"].vote_weights[heads["C"].indicators.index("desk_c_score")]
    assert vote[0] > 0 > vote[1]


def test_a_history_takes_up_a_column_and_goes_on_without_it(small, told):
    seal = read_seal(small, history="main", as_of=LAST)
    arm, market = seal.arms["r1"], load_market(told, as_of=LAST)
    assert arm.record.names == tuple(one.name for one in CATALOGUE)
    grown = with_columns(arm.record, market.indicators)
    assert grown.names == market.indicators
    assert grown.indicator_stack.groups["B"] == (*family("B"), "desk_b_good")
    for name in ("rsi_14", "breadth_50"):
        old, new = arm.record.names.index(name), grown.names.index(name)
        np.testing.assert_array_equal(grown.indicators.counts[:, :, new], arm.record.indicators.counts[:, :, old])
    whole = pending_columns(arm.pending, before=arm.record.names, names=market.indicators)
    shares = from_text(whole["shares"].tolist(), indicators=len(market.indicators))
    assert as_text(shares[:, :69]) == arm.pending["shares"].tolist()
    assert not shares[:, 69:].any()
    without = load_market(small, as_of=LAST).knowing(market.indicators)
    assert set(without.indicators) == set(market.indicators)
    assert np.isnan(without.values[:, 69:]).all()
    assert with_columns(grown, grown.names) is grown


def test_a_seal_says_what_it_read_and_is_derived_again_with_it(small, told):
    market = load_market(told, as_of=LAST)
    assert inputs_read(market, as_of=LAST) == {"desk": ["desk_a_idle", "desk_b_good", "desk_c_score"]}
    assert inputs_read(load_market(small, as_of=LAST), as_of=LAST) == {}
    with tables_with(told, ()) as slim:
        assert slim.indicators.read_bytes() == small.indicators.read_bytes()
        assert slim.votes.read_bytes() == small.votes.read_bytes()
        assert slim.bars.samefile(told.bars)
    with tables_with(told, ["desk_a_idle", "desk_b_good", "desk_c_score"]) as same:
        assert same is told


def test_the_default_settings_ask_for_no_column(small):
    assert plain(load_params(small.params).desk) == plain(Desk())
    assert desk_columns(small_bars(), Desk(), recorded=small.root / "nowhere") is None


# --- live


def test_a_live_system_hands_over_what_the_tables_would_say(told):
    market = load_market(told)
    bars = small_bars()
    row = int(np.flatnonzero(market.pair == 0)[-1])
    key = (market.pairs[0], market.timeframes[market.timeframe[row]])
    own = bars[(bars["pair"] == key[0]) & (bars["timeframe"] == key[1])]
    closed = own["date"].astype("int64").to_numpy()
    window = Window(np.ones((4, len(own))), np.ones(len(own)), closed, True)
    ours = tuple(one.name for one in CATALOGUE)
    newest = replace(
        market, indicators=ours, pairs=key[:1], timeframes=key[1:], date=closed[-1:], pair=np.zeros(1, np.int8),
        timeframe=np.zeros(1, np.int8), regime=market.regime[:1], values=market.values[row : row + 1, :69],
        votes=market.votes[row : row + 1, :69], regimes={"rule": market.regime[:1]},
    )  # fmt: skip
    desk = Desk(indicators={"good": "B", "idle": "A"}, votes={"score": "C"})
    given = pd.read_parquet(next(told.recorded.glob("*.parquet"))).iloc[-4000:]

    def live(given):
        columns, rows = newest_columns(given, windows={key: window}, asked=[key], desk=desk, units={})
        return with_newest(newest, columns, rows=rows)

    found = live(given)
    np.testing.assert_array_equal(found.values[0], market.values[row])
    np.testing.assert_array_equal(found.votes[0], market.votes[row])
    late = given.assign(known_at=given["known_at"] + pd.Timedelta("1min"))
    before = live(late)
    same_series = market.pair[:row] == 0
    same_series &= market.timeframe[:row] == market.timeframe[row]
    np.testing.assert_array_equal(before.values[0, 69:], market.values[np.flatnonzero(same_series)[-1], 69:])
