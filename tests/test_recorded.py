"""A desk's own outcomes: snapshots that are only added to, their rows checked, joined, and learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.errors import DataError, SettingsError
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.outcomes import KEY, as_known, known_outcomes
from edgebook.outcomes.recorded import append, read_recorded, snapshots
from edgebook.outcomes.recorded_join import join
from edgebook.outcomes.recorded_mapping import reason_of
from edgebook.outcomes.recorded_versions import find_facts, with_recorded
from edgebook.paths import Paths
from edgebook.settings.desk_outcomes import Outcomes
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.settings.loading import section
from small_desk import desk_trades
from small_market import small_bars

FILES = Outcomes(source="files")
PLAN = "tp2.0_sl1.5_t12"
FIRST, SECOND, THIRD = "2018-04-02", "2018-04-09", "2018-04-16"


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def trade(**changes) -> pd.DataFrame:
    """One closed long: 100 to 102 in four hours, fees of 0.1 % a side."""
    row = {
        "signal_id": "T1", "pair": "S01/USD", "timeframe": "4h", "is_short": False,
        "open_date": at("2018-03-05 00:00:05"), "close_date": at("2018-03-05 03:30"), "open_rate": 100.0,
        "close_rate": 102.0, "take_profit_abs": 102.0, "stop_loss_abs": 98.5, "fee_open": 0.001, "fee_close": 0.001,
        "profit_ratio": 0.01798, "exit_reason": "take_profit", "status": "closed",
    }  # fmt: skip
    return pd.DataFrame([row | changes])


@pytest.fixture
def paths(tmp_path) -> Paths:
    return Paths(tmp_path)


@pytest.fixture(scope="module")
def labelled() -> dict[str, pd.DataFrame]:
    """Candidates of the small market under two plans that differ in their target, and one in its time limit."""
    plans = [ExitPlan(2.0, 1.5, 12), ExitPlan(3.0, 1.5, 12), ExitPlan(3.0, 1.5, 24)]
    return label_candidates(small_bars(), plans, costs=Costs(7.5, 2.5, 1.0))


def some(labelled, *, plan: str = PLAN, n: int = 40, seed: int = 1, since="2018-02-05", until=FIRST) -> pd.DataFrame:
    """Closed candidates of a plan, drawn by chance."""
    table = labelled[plan]
    known = table[(table["open_date"] >= at(since)) & (table["close_date"] < at(until))]
    return known.sample(n, random_state=seed).sort_index()


def facts_of(trades: pd.DataFrame, labelled, *, paths: Paths, settings: Outcomes = FILES, until: str = FIRST):
    append(trades, paths=paths, until=until)
    return find_facts(read_recorded(paths.recorded), labelled, bars=small_bars(), settings=settings, fee=0.00075)


# --- snapshots


def test_a_snapshot_is_written_once_and_again_changes_nothing(paths):
    assert "1 new" in append(trade(), paths=paths, until=FIRST, complete=True)
    text = (paths.recorded / f"outcomes-{FIRST}.csv").read_bytes()
    assert "nothing new" in append(trade(), paths=paths, until=FIRST, complete=True)
    assert "nothing new" in append(trade(), paths=paths, until=SECOND, complete=True)
    assert [file.read_bytes() for _, file in snapshots(paths.recorded)] == [text]


def test_a_correction_and_a_deletion_are_new_rows_known_from_their_snapshot(paths):
    append(pd.concat([trade(), trade(signal_id="T2")]), paths=paths, until=FIRST, complete=True)
    append(trade(profit_ratio=0.017), paths=paths, until=SECOND, complete=True)
    rows = read_recorded(paths.recorded)
    assert rows[["signal_id", "status", "profit_ratio"]].values.tolist() == [
        ["T1", "closed", 0.01798], ["T2", "closed", 0.01798], ["T1", "closed", 0.017], ["T2", "deleted", 0.01798],
    ]  # fmt: skip
    assert rows["known_at"].tolist() == [at("2018-03-05 03:30")] * 2 + [at(SECOND)] * 2


def test_what_comes_in_time_is_known_at_its_close_and_what_comes_late_at_its_snapshot(paths):
    append(trade(), paths=paths, until=FIRST)
    new = trade(signal_id="T2", open_date=at("2018-04-05"), close_date=at("2018-04-06"))
    late = trade(signal_id="T3", open_date=at("2018-03-20"), close_date=at("2018-03-21"))
    append(pd.concat([new, late]), paths=paths, until=SECOND)
    known = read_recorded(paths.recorded).set_index("signal_id")["known_at"]
    assert known["T2"] == at("2018-04-06")
    assert known["T3"] == at(SECOND)


def test_a_row_is_read_as_it_was_at_midnight(paths):
    later = trade(signal_id="T2", open_date=at(FIRST), close_date=at("2018-04-03"))
    still = trade(signal_id="T3", open_date=at("2018-04-01"), close_date=at("2018-04-02 00:00:01"))
    told_later = trade(signal_id="T4").assign(recorded_at=at("2018-04-02 08:00"))
    append(pd.concat([trade(), later, still, told_later]), paths=paths, until=FIRST)
    rows = read_recorded(paths.recorded).set_index("signal_id")
    assert rows["status"].to_dict() == {"T1": "closed", "T3": "open", "T4": "open"}
    assert rows.loc["T3", ["close_rate", "profit_ratio"]].isna().all()


def test_a_week_that_learned_from_a_snapshot_takes_no_further_rows(paths):
    append(trade(), paths=paths, until=FIRST)
    seal = paths.seal(history="main", as_of=FIRST) / "seal.json"
    seal.parent.mkdir(parents=True)
    seal.write_text('{\n "recorded": "2018-04-02"\n}\n')
    assert "wait for the next snapshot" in append(trade(signal_id="T2"), paths=paths, until=FIRST)
    assert "1 new" in append(trade(signal_id="T2"), paths=paths, until=SECOND)
    seal.write_text('{\n "recorded": "2018-04-02"\n}\n')
    assert "a later snapshot" in append(trade(signal_id="T3"), paths=paths, until=FIRST)


def test_an_unsealed_day_takes_a_second_file(paths):
    append(trade(), paths=paths, until=FIRST)
    append(trade(signal_id="T2"), paths=paths, until=FIRST)
    assert [file.name for _, file in snapshots(paths.recorded)] == [
        f"outcomes-{FIRST}.csv", f"outcomes-{FIRST}-2.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signal_id": ""}, "signal_id '' is empty"),
        ({"open_rate": 0.0}, "'T1': open_rate 0.0 is a price, above 0"),
        ({"open_rate": float("inf")}, "open_rate 'inf' is not a finite number"),
        ({"close_date": None}, "close_date NaT is missing in a closed row"),
        ({"exit_reason": "target"}, "exit_reason 'target' is none of take_profit"),
        ({"status": "won"}, "status 'won' is none of open, closed, deleted"),
        ({"fee_open": 12.5}, "is a share of the notional, not a sum of money"),
        ({"open_date": "yesterday"}, "open_date 'yesterday' is not a date"),
        ({"open_date": at("1969-01-01")}, "lies outside 1970 to 2200"),
        ({"pair": "A\nB"}, "pair 'A\\nB': a name is printable"),
        ({"is_short": "maybe"}, "is_short 'maybe' is not true or false"),
        ({"orders": "two"}, "orders 'two' is not like 2+1"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_nothing_is_written(paths, changes, words):
    with pytest.raises(DataError) as caught:
        append(trade(**changes), paths=paths, until=FIRST)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert snapshots(paths.recorded) == []


def test_two_rows_of_one_signal_are_refused(paths):
    with pytest.raises(DataError, match="'T1' stands twice; each signal has one row"):
        append(pd.concat([trade(), trade()], ignore_index=True), paths=paths, until=FIRST)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-30], lambda text: text.replace("2018-03-05T03", "yesterday"), lambda text: "",
        lambda text: text.replace(",False,", ",perhaps,"), lambda text: text.replace(",102,", ",inf,"),
        lambda text: text.replace("signal_id", "signal"), lambda text: "\0" + text,
    ],
)  # fmt: skip
def test_a_damaged_snapshot_is_refused_by_its_name(paths, spoil):
    append(trade(), paths=paths, until=FIRST)
    place = paths.recorded / f"outcomes-{FIRST}.csv"
    place.write_text(spoil(place.read_text()))
    with pytest.raises(DataError, match=rf"^data/recorded/outcomes-{FIRST}.csv: "):
        read_recorded(paths.recorded)


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([0.01, 0.02, None])), max_size=12, unique_by=lambda t: t[0]
    ),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([0.01, 0.02, None])), max_size=12, unique_by=lambda t: t[0]
    ),
)
def test_the_newest_rows_are_what_the_desk_says(tmp_path_factory, before, after):
    """Whatever was there before: opened, closed, corrected, deleted, come back."""
    paths = Paths(tmp_path_factory.mktemp("desk"))
    empty = trade().iloc[:0]
    for until, rows in ((FIRST, before), (SECOND, after), (THIRD, after)):
        parts = [
            trade(signal_id=name, profit_ratio=profit)
            if profit is not None
            else trade(
                signal_id=name, status="open", close_date=None, close_rate=None, profit_ratio=None, exit_reason=""
            )
            for name, profit in rows
        ]
        append(pd.concat(parts, ignore_index=True) if parts else empty, paths=paths, until=until, complete=True)
    newest = read_recorded(paths.recorded).drop_duplicates("signal_id", keep="last")
    newest = newest[newest["status"] != "deleted"].set_index("signal_id")["profit_ratio"]
    said = {name: profit for name, profit in after}
    assert {name: None if np.isnan(value) else value for name, value in newest.items()} == said


# --- joined to candidates


@pytest.mark.parametrize("own_ids", [True, False])
def test_every_trade_of_a_candidate_finds_it_again(paths, labelled, own_ids):
    mine = some(labelled)
    facts = facts_of(desk_trades(mine, own_ids=own_ids), labelled, paths=paths)
    assert facts.joined.unjoined.empty
    found = facts.joined.rows.sort_values(KEY)
    assert found[KEY].values.tolist() == mine.sort_values(KEY)[KEY].values.tolist()
    assert set(found["exit_plan"]) == {PLAN}


def test_plans_that_differ_in_their_time_limit_are_told_by_the_setting_or_by_how_long_it_lasted(paths, labelled):
    short, long = "tp3.0_sl1.5_t12", "tp3.0_sl1.5_t24"
    mine = some(labelled, plan=long, n=60)
    trades = desk_trades(mine)
    append(trades, paths=paths, until=FIRST)
    rows = read_recorded(paths.recorded)
    found = join(rows, labelled, settings=FILES).rows.set_index("signal_id")["exit_plan"]
    lasted = mine.set_axis(trades["signal_id"])["bars_held"]
    assert found[lasted > 13].unique().tolist() == [long]
    assert found[lasted <= 12].unique().tolist() == [short]
    declared = Outcomes(source="files", exit_plan=long)
    assert join(rows, labelled, settings=declared).rows["exit_plan"].unique().tolist() == [long]


def test_what_does_not_join_is_named_with_its_reason(paths, labelled):
    mine = some(labelled, n=6)
    trades = desk_trades(mine)
    trades.loc[0, "pair"] = "DOGE/USD"
    trades.loc[1, "timeframe"] = "5m"
    trades.loc[[2, 3], ["take_profit_abs", "stop_loss_abs"]] = np.nan
    trades.loc[3, "exit_plan"] = "tp9.0_sl1.5_t12"
    twin = trades.iloc[[5]].assign(signal_id="T99999")
    trades.loc[4, "signal_id"] = "S01/USD_4h_20180402T0000_long".replace("/", "-")
    trades.loc[4, ["pair", "is_short"]] = ["S02/USD", True]
    facts = facts_of(pd.concat([trades, twin], ignore_index=True), labelled, paths=paths)
    why = facts.joined.unjoined.set_index("signal_id")["why"]
    assert why.to_dict() == {
        "S01-USD_4h_20180402T0000_long": "its signal_id names another side or pair than its columns",
        "T00000": "its pair is not in the bars; outcomes.pairs maps names",
        "T00001": "its timeframe is not in the bars",
        "T00002": "it has no exit plan, and outcomes.exit_plan declares none",
        "T00003": "its exit_plan is not in the grid of section candidates",
        "T99999": "the desk's T00005 is on the same candidate already",
    }
    assert facts.joined.rows["signal_id"].tolist() == ["T00005"]
    assert len(list(facts.lines())) == 7
    assert list(facts.lines(private=True)) == ["6 recorded outcomes: did not join a candidate"]


def test_a_desk_of_which_nothing_joins_teaches_nothing(paths, labelled):
    facts = facts_of(trade(pair="ELSE/USD"), labelled, paths=paths)
    assert facts.joined.rows.empty and len(facts.joined.unjoined) == 1
    assert [line for line in facts.lines() if "did not join" in line]
    table = with_recorded(labelled[PLAN], facts, plan=PLAN)
    pd.testing.assert_frame_equal(table, known_outcomes(labelled[PLAN]))


def test_a_pair_may_have_another_name(paths, labelled):
    trades = desk_trades(some(labelled)).replace({"pair": {"S01/USD": "S01USDT", "S02/USD": "S02USDT"}})
    renamed = Outcomes(source="files", pairs={"S01USDT": "S01/USD", "S02USDT": "S02/USD"})
    assert facts_of(trades, labelled, paths=paths, settings=renamed).joined.unjoined.empty


# --- held against the bars


def test_the_engines_own_fills_have_no_findings_and_its_own_excursions(paths, labelled):
    """With the engine's fills a desk's rows are the engine's: held, MAE and MFE to the digit, R but for the costs."""
    mine = some(labelled, n=120)
    facts = facts_of(desk_trades(mine), labelled, paths=paths)
    assert facts.findings.empty, facts.findings
    table = as_known(with_recorded(labelled[PLAN], facts, plan=PLAN))
    both = table[table["source"] == "recorded"].merge(mine, on=KEY, suffixes=("", "_engine"))
    assert len(both) == 120
    assert (both["bars_held"] == both["bars_held_engine"]).all()
    for name in ("mae", "mfe"):
        np.testing.assert_allclose(both[name], both[f"{name}_engine"], atol=2e-6)
    cheaper = 1e4 * (both["profit_ratio"] - both["profit_ratio_engine"])[~both["is_short"]]
    assert cheaper.between(4.6, 5.4).all(), "2.5 bps a side that the desk does not pay"


@pytest.mark.parametrize(
    ("changes", "words", "learned"),
    [
        ({"close_date": at("2018-01-20")}, "before it was opened", False),
        ({"take_profit_abs": 0.9}, "on the losing side", False),
        ({"profit_ratio": 1.5}, "its rates give", False),
        ({"profit_ratio": None}, "its rates and fees give", True),
        ({"open_rate": 1.01}, "its bar went from", True),
        ({"close_rate": 1.012}, "closed at", True),
    ],
)
def test_what_cannot_be_is_not_learned_from_and_what_the_bars_do_not_show_is_said(
    paths, labelled, changes, words, learned
):
    """A long whose target the bars touched; prices are given as a share of its own."""
    table = some(labelled, n=200)
    mine = table[(table["exit_reason"] == "take_profit") & ~table["is_short"]].iloc[[0]]
    trades = desk_trades(mine)
    trades["profit_ratio"] -= 0.004 * ("profit_ratio" in changes)
    for name, value in changes.items():
        if value is None:
            continue
        trades[name] = value * trades[name] if name.endswith(("_rate", "_abs")) else value
        if name.endswith("_rate"):
            trades["profit_ratio"] = trades["close_rate"] / trades["open_rate"] - 1 - 0.0015
    facts = facts_of(trades, labelled, paths=paths)
    assert any(words in text for text in facts.findings["finding"]), facts.findings
    assert (len(facts.learned) == 1) == learned


def test_a_target_that_the_bars_never_touched_is_reported(paths, labelled):
    table = some(labelled, n=200)
    mine = table[(table["exit_reason"] == "stop_loss") & table["is_short"]].iloc[[0]]
    trades = desk_trades(mine).assign(exit_reason="take_profit")
    trades["close_rate"] = trades["take_profit_abs"]
    trades["profit_ratio"] = 1 - trades["close_rate"] / trades["open_rate"] - 0.0015
    found = facts_of(trades, labelled, paths=paths).findings
    assert any("which the bars never touched" in text for text in found["finding"])


def test_the_rates_of_several_orders_are_averages_and_no_contradiction(paths, labelled):
    """A second entry and a second exit put them outside the bars of the first and the last, within those between."""
    table = some(labelled, n=200)
    mine = table[(table["exit_reason"] == "time_exit") & ~table["is_short"]].iloc[[0]]
    bars = small_bars().merge(mine[["pair", "timeframe"]])
    during = bars[(bars["date"] > mine["open_date"].item()) & (bars["date"] <= mine["close_date"].item())]
    trades = desk_trades(mine).assign(open_rate=during["high"].max(), close_rate=during["low"].min(), orders="2+2")
    trades["profit_ratio"] = trades["close_rate"] / trades["open_rate"] - 1 - 0.0015
    trades[["take_profit_abs", "stop_loss_abs"]] = np.nan
    declared = Outcomes(source="files", exit_plan=PLAN)
    averaged = facts_of(trades, labelled, paths=Paths(paths.root / "several"), settings=declared)
    assert averaged.findings.empty
    assert list(averaged.lines()) == ["1 are of several entries or exits: their rates are averages"]
    beyond = trades.assign(open_rate=1.1 * during["high"].max(), profit_ratio=np.nan)
    beyond["profit_ratio"] = beyond["close_rate"] / beyond["open_rate"] - 1 - 0.0015
    found = facts_of(beyond, labelled, paths=Paths(paths.root / "beyond"), settings=declared).findings
    assert "an average, and its bars went from" in found["finding"].item()
    once = facts_of(trades.assign(orders=""), labelled, paths=paths, settings=declared).findings["finding"]
    assert once.str.contains("its bar went from").sum() == 2


# --- versions


def test_facts_take_the_place_of_simulated_outcomes_and_later_ones_are_versions(paths, labelled):
    """One candidate known at once, one that comes late, one corrected, one deleted."""
    mine = some(labelled, n=4)
    trades = desk_trades(mine, slippage=0.002)
    append(trades.iloc[[0, 2, 3]], paths=paths, until=FIRST, complete=True)
    corrected = trades.iloc[:3].copy()
    corrected.loc[corrected.index[2], "profit_ratio"] -= 0.001
    append(corrected, paths=paths, until=SECOND, complete=True)
    facts = find_facts(read_recorded(paths.recorded), labelled, bars=small_bars(), settings=FILES, fee=0.00075)
    table = with_recorded(labelled[PLAN], facts, plan=PLAN)
    simulated = known_outcomes(labelled[PLAN])
    before, after = as_known(table, at=at(FIRST)), as_known(table, at=at(SECOND))
    assert len(before) == len(after) == len(simulated)
    keys = pd.MultiIndex.from_frame(mine[KEY])

    def source(known):
        return known.set_index(KEY)["source"].reindex(keys).tolist()

    assert source(before) == ["recorded", "simulated", "recorded", "recorded"]
    assert source(after) == ["recorded", "recorded", "recorded", "simulated"]
    # Nobody learns from it twice: what was known before keeps the time at which it was.
    was, now = (known.set_index(KEY)["known_at"].reindex(keys) for known in (before, after))
    assert was.tolist() == now.tolist()
    others = [
        known[known["source"] == "simulated"].merge(simulated, on=[*KEY, "r_multiple"]) for known in (before, after)
    ]
    assert [len(part) for part in others] == [len(simulated) - 3] * 2


def test_a_trade_that_was_over_before_its_bar_is_known_with_the_bar(paths):
    """Days that close at 22:00, as in FX: one runs over Monday 00:00, and no week finds later what it did not read."""
    bars = small_bars()
    bars = bars[bars["timeframe"] == "1d"].assign(date=lambda rows: rows["date"] - pd.Timedelta(hours=2))
    bars = bars.reset_index(drop=True)
    whole = label_candidates(bars, [ExitPlan(2.0, 1.5, 12)], costs=Costs(7.5, 2.5, 1.0))
    table = whole[PLAN]
    quick = table[table["open_date"] == at("2018-04-01 22:00")]
    assert len(quick) == 4
    trades = desk_trades(quick).assign(close_date=at("2018-04-01 23:30"))
    append(trades, paths=paths, until=FIRST)
    rows = read_recorded(paths.recorded)
    assert (rows["known_at"] < at(FIRST)).all()

    def known(until: str) -> pd.DataFrame:
        seen = bars[bars["date"] <= at(until)]
        labelled = label_candidates(seen, [ExitPlan(2.0, 1.5, 12)], costs=Costs(7.5, 2.5, 1.0))
        facts = find_facts(rows, labelled, bars=seen, settings=FILES, fee=0.00075)
        found = as_known(with_recorded(labelled[PLAN], facts, plan=PLAN), at=at(FIRST))
        return found[(found["known_at"] <= at(FIRST)) & (found["source"] == "recorded")]

    assert len(known(FIRST)) == len(known(SECOND)) == 0
    facts = find_facts(rows, whole, bars=bars, settings=FILES, fee=0.00075)
    after = with_recorded(table, facts, plan=PLAN)
    assert set(after.loc[after["source"] == "recorded", "known_at"]) == {at("2018-04-02 22:00")}


def test_a_candidate_that_the_desk_holds_has_no_outcome_yet(paths, labelled):
    mine = some(labelled, n=1)
    trades = desk_trades(mine)
    open_ = trades.assign(status="open", close_date=pd.NaT, close_rate=np.nan, profit_ratio=np.nan, exit_reason="")
    append(open_, paths=paths, until=FIRST)
    closed = trades.assign(close_date=at("2018-04-05 12:00"))
    append(closed, paths=paths, until=SECOND)
    facts = find_facts(read_recorded(paths.recorded), labelled, bars=small_bars(), settings=FILES, fee=0.00075)
    table = with_recorded(labelled[PLAN], facts, plan=PLAN)
    key = tuple(mine.iloc[0][KEY])
    assert key not in as_known(table, at=at(FIRST)).set_index(KEY).index
    later = as_known(table, at=at(SECOND)).set_index(KEY)
    assert later.loc[key, "known_at"] == at("2018-04-05 12:00")


def test_without_recorded_outcomes_the_table_is_what_it_was(paths, labelled):
    facts = facts_of(desk_trades(some(labelled)), labelled, paths=paths)
    other = "tp3.0_sl1.5_t12"
    pd.testing.assert_frame_equal(with_recorded(labelled[other], facts, plan=other), known_outcomes(labelled[other]))


# --- settings


def test_words_of_exits_are_read_as_declared():
    words = {"roi": "take_profit", "trailing": "stop_loss"}
    assert [reason_of(w, words) for w in ("roi", "trailing", "Stop Loss", "TP", "force_exit", "")] == [
        "take_profit", "stop_loss", "stop_loss", "take_profit", "time_exit", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"source": "database"}, "database.url: missing; write the name of the environment variable"),
        ({"database": {"url": "postgresql://me:secret@host/desk"}}, "never an address"),
        ({"database": {"columns": {"pnl": "profit"}}}, "pnl: 'profit' is no column of ours"),
        ({"database": {"columns": {"a": "pair", "b": "pair"}}}, "two columns are mapped to pair"),
        ({"database": {"timezone": "Mars/Olympus"}}, "'Mars/Olympus' is no time zone"),
        ({"exit_words": {"roi": "profit"}}, "roi: 'profit' is none of take_profit, stop_loss, time_exit"),
    ],
)
def test_settings_are_checked_and_never_shown_when_secret(given_, words):
    with pytest.raises(SettingsError) as caught:
        section(Outcomes, given_, where="params.yaml: outcomes")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
