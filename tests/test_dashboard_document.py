"""The dashboard's document: every number is that of the store that it came from."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edgebook.analyses.outcome_candidates import by_indicator, pairs_of
from edgebook.analyses.outcome_cells import described, report_cells
from edgebook.analyses.outcome_pairs import leading_pairs
from edgebook.dashboard.dashboard_cells import cells_document, dashboard_cells
from edgebook.dashboard.dashboard_charts import bars_around, charts_document
from edgebook.dashboard.dashboard_dimensions import described_signals
from edgebook.dashboard.dashboard_document import dashboard_document
from edgebook.dashboard.dashboard_goals import week_scoreboard
from edgebook.dashboard.dashboard_pictures import dashboard_pictures, equity_of_books
from edgebook.dashboard.dashboard_text import document_text
from edgebook.dashboard.dashboard_trades import shown_rows, trades_document
from edgebook.paths import Paths
from edgebook.policy.market import REGIMES
from edgebook.seals.week import Week
from edgebook.settings.params import Run
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.stages import summary
from edgebook.statistics.cells import BETTER, WORSE

RUN = Run(history="main", as_of="2018-06-04", previous="2018-05-28", genesis="2018-04-02")
GOALS = {
    "win_rate_gain": 0.05, "false_signal_cut": 0.2, "win_rate": 0.7, "profit_factor": 2.0, "sharpe_ratio": 2.0,
    "max_drawdown": 0.15, "random_percentile": 95.0, "random_policies": 20, "seed": 17,
}  # fmt: skip
SAME = {
    "shrunk": "shrunk_win_rate", "shrunk_low": "shrunk_win_rate_low", "shrunk_high": "shrunk_win_rate_high",
    "shrunk_r": "shrunk_r", "shrunk_r_low": "shrunk_r_low", "shrunk_r_high": "shrunk_r_high", "mean_r": "mean_r",
    "win_rate": "win_rate", "win_low": "win_rate_low", "win_high": "win_rate_high", "q": "q_value",
}  # fmt: skip
"""Column of the document, and of the report's cells."""
HOSTILE = '<script>alert("x")</script>'
FORMULA = "=cmd()"


@pytest.fixture(scope="module")
def week() -> Week:
    return Week(RUN, Paths.at("data/sample"))


@pytest.fixture(scope="module")
def metrics(week):
    return summary.account_metrics(week)


@pytest.fixture(scope="module")
def board(week):
    return week_scoreboard(week, goals=GOALS)


@pytest.fixture(scope="module")
def document(week, metrics, board):
    return dashboard_document(week, metrics=metrics, goals=GOALS, board=board, previous="2018-05-28")


@pytest.fixture(scope="module")
def signals(week):
    return described_signals(week.ledger, week.votes)


def frame(table) -> pd.DataFrame:
    return pd.DataFrame(table["rows"], columns=table["columns"])


def named_cells(document, kind: str) -> dict[tuple[str, ...], dict]:
    """Cells of one kind by the names of their values."""
    names = [one["name"] for one in document["kinds"]]
    values = {one["key"]: one["values"] for one in document["dimensions"]}
    keys = document["kinds"][names.index(kind)]["dimensions"]
    return {
        tuple(values[key][at] for key, at in zip(keys, row["values"], strict=True)): row
        for row in frame(document["cells"]).to_dict("records")
        if row["kind"] == names.index(kind)
    }


def test_key_numbers_are_those_of_metrics_json(week, metrics, document):
    written = summary.metrics_document(week, metrics)
    key = {row["name"]: row for row in document["key"]}
    assert key.pop("equity")["value"] == pytest.approx(written["equity"], abs=1e-6)
    assert key.keys() == written["account"].keys()
    for name, row in key.items():
        assert {end: row[end] for end in ("value", "low", "high", "n")} == written["account"][name]
    wealth = {f"{t['kind']}_{t['arm']}_against_{t['against']}": t["wealth"] for t in document["gate"]["trials"]}
    assert wealth == pytest.approx(written["wealth"], abs=1e-6)


def test_scoreboard_is_that_of_the_learning_review(board, document):
    found = pd.DataFrame(document["scoreboard"])
    assert found["goal"].tolist() == board["goal"].tolist()
    assert found["state"].tolist() == board["verdict"].tolist()
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(found[name].astype(float), board[name].astype(float), atol=1e-6)


@pytest.mark.parametrize(
    "keys",
    [("pattern",), ("regime",), ("symbol",), ("timeframe",), ("side",), ("hour",), ("head_set",),
     ("pattern", "regime"), ("pattern", "symbol"), ("regime", "timeframe"), ("symbol", "timeframe"),
     ("pattern", "regime", "symbol"), ("regime", "symbol", "timeframe"), ("pattern", "regime", "symbol", "timeframe")],
)  # fmt: skip
def test_cells_are_groups_of_the_ledger(week, document, keys):
    closed = described(week.ledger)
    kind = "head set" if keys == ("head_set",) else " × ".join(keys)
    cells = named_cells(document, kind)
    groups = {key if isinstance(key, tuple) else (key,): rows for key, rows in closed.groupby(list(keys))}
    assert cells.keys() == groups.keys()
    for key, rows in groups.items():
        profit, cell = rows["profit_ratio"], cells[key]
        assert cell["n"] == len(rows)
        assert cell["win_rate"] == pytest.approx((profit > 0).mean(), abs=5.1e-4)
        assert cell["mean_r"] == pytest.approx(rows["r_multiple"].mean(), abs=5.1e-4)
        if (profit > 0).any() and (profit < 0).any():
            factor = profit[profit > 0].sum() / -profit[profit < 0].sum()
            assert cell["profit_factor"] == pytest.approx(factor, abs=5.1e-3)
        else:
            assert pd.isna(cell["profit_factor"])


def test_cells_of_heads_and_indicators_are_groups_that_overlap(week, document):
    closed = described(week.ledger)
    heads = named_cells(document, "head")
    for (name,), cell in heads.items():
        rows = closed[closed["heads_agreed"].str.contains(name[0])]
        assert (cell["n"], cell["mean_r"]) == (len(rows), pytest.approx(rows["r_multiple"].mean(), abs=5.1e-4))
    votes = week.votes.set_index(["pair", "timeframe", "date"])
    side = np.where(closed["is_short"], -1, 1)
    for (name,), cell in list(named_cells(document, "indicator").items())[::10]:
        vote = votes[name].reindex(list(zip(closed["pair"], closed["timeframe"], closed["date"], strict=True)))
        rows = closed[vote.to_numpy() * side > 0]
        profit = rows["profit_ratio"]
        assert cell["n"] == len(rows)
        assert cell["profit_factor"] == pytest.approx(profit[profit > 0].sum() / -profit[profit < 0].sum(), abs=5.1e-3)


def test_pairs_are_those_that_the_outcome_report_lists(week, document):
    pairs = pairs_of(by_indicator(week))
    listed = pd.concat([leading_pairs(pairs, by=by, top=8) for by in ("lift", "interaction")])
    names = set(listed["first"] + " + " + listed["second"])
    dimension = document["dimensions"][-1]
    assert (dimension["key"], set(dimension["values"])) == ("indicator_pair", names)
    cells = named_cells(document, "pair of indicators")
    assert len(cells) > 5 and set(cells) <= {(name,) for name in names}
    closed = described(week.ledger)
    votes = week.votes.set_index(["pair", "timeframe", "date"])
    decided = list(zip(closed["pair"], closed["timeframe"], closed["date"], strict=True))
    side = np.where(closed["is_short"], -1, 1)
    for (name,), cell in cells.items():
        both = [votes[one].reindex(decided).to_numpy() * side > 0 for one in name.split(" + ")]
        profit = closed["profit_ratio"][both[0] & both[1]]
        assert (cell["n"], cell["win_rate"]) == (len(profit), pytest.approx((profit > 0).mean(), abs=5.1e-4))


def test_shrunk_values_and_badges_are_those_of_the_report(week, document):
    report = report_cells(week.ledger, week.votes)
    keys = {kind["name"]: ["head_set" if d == "heads" else d for d in kind["dimensions"]] for kind in document["kinds"]}
    seen = 0
    for kind, own in report.groupby("kind"):
        cells = named_cells(document, str(kind))
        for row in own.to_dict("records"):
            cell = cells[tuple(str(row[key]) for key in keys[kind])]
            assert cell["badge"] == row["badge"]
            for name, theirs in SAME.items():
                assert cell[name] == pytest.approx(np.round(row[theirs], 3), abs=1e-9, nan_ok=True), (kind, name)
            seen += 1
    assert seen == len(report)


def test_badges_are_one_family_and_no_crossing_outside_of_it_wears_one(document):
    report = [i for i, kind in enumerate(document["kinds"]) if kind["report"]]
    cells = frame(document["cells"])
    others = cells[~cells["kind"].isin(report)]
    assert len(others) and others["q"].isna().all() and (others["badge"] == "").all()
    assert others["shrunk"].notna().all()
    assert "not tested" in document["notes"]["badges"]


def test_the_report_would_pass_its_badges_on(week):
    ledger = week.ledger.copy()
    good = ledger["is_short"] & ledger["close_date"].notna()
    ledger.loc[good, ["profit_ratio", "r_multiple"]] = [0.02, 1.5]
    ledger.loc[~good & ledger["close_date"].notna(), ["profit_ratio", "r_multiple"]] = [-0.015, -1.1]
    found = dashboard_cells(described_signals(ledger, week.votes), ledger, week.votes).table
    side = found[found["kind"] == 8].set_index("values")
    assert side["badge"].to_dict() == {(0,): WORSE, (1,): BETTER}


def test_cells_are_left_out_by_size_and_never_a_badge_or_a_single_dimension(week, signals):
    found = dashboard_cells(signals, week.ledger, week.votes)
    kinds, all_cells = cells_document(found, most_bytes=10**9)
    fewer_kinds, fewer = cells_document(found, most_bytes=20_000)
    assert len(all_cells["rows"]) == len(found.table) == sum(kind["total"] for kind in kinds)
    assert len(fewer["rows"]) == sum(kind["shown"] for kind in fewer_kinds) < len(all_cells["rows"])
    single = {i for i, kind in enumerate(kinds) if len(kind["dimensions"]) <= 1 and kind["name"] != "head set"}
    for i, kind in enumerate(fewer_kinds):
        assert kind["total"] == kinds[i]["total"]
        assert i not in single or kind["shown"] == kind["total"]
    kept = {(row[0], tuple(row[1])) for row in fewer["rows"]}
    left = [row for row in all_cells["rows"] if (row[0], tuple(row[1])) not in kept]
    smallest = min(row[2] for row in fewer["rows"] if row[0] not in single)
    assert max(row[2] for row in left) == fewer["most_left_out"] <= smallest
    assert all_cells["most_left_out"] is None


def test_trades_are_the_rows_of_the_ledger(week, document):
    ledger = week.ledger.set_index("signal_id")
    values = {one["key"]: one["values"] for one in document["dimensions"]}
    rows = frame(document["trades"])
    assert len(rows) == len(ledger) == document["head"]["trades_total"]
    closed = rows["closed"].dropna()
    assert closed.is_monotonic_increasing and rows["closed"].isna().to_numpy()[len(closed) :].all()
    for row in rows.to_dict("records"):
        name = row["id"] or usual_name(row, values)
        trade = ledger.loc[name]
        assert values["symbol"][row["symbol"]] == trade["pair"]
        assert values["pattern"][row["pattern"]] == (trade["enter_tag"] or "none")
        assert values["regime"][row["regime"]] == trade["regime"]
        assert values["version"][row["version"]] == trade["model_version"]
        assert row["opened"] * 60 == trade["open_date"].timestamp()
        assert float(f"{trade['open_rate']:.6g}") == row["entry"]
        assert float(f"{trade['stop_loss_abs']:.6g}") == row["stop"]
        letters = "".join(letter for i, letter in enumerate(HEAD_LETTERS) if row["heads"] >> i & 1)
        assert letters == trade["heads_agreed"]
        if trade["status"] == "open":
            assert pd.isna(row["closed"]) and pd.isna(row["r"]) and pd.isna(row["reason"])
            continue
        assert values["reason"][int(row["reason"])] == trade["exit_reason"]
        assert row["closed"] * 60 == trade["close_date"].timestamp()
        assert row["r"] == pytest.approx(trade["r_multiple"], abs=5.1e-3)
        assert row["profit"] == pytest.approx(trade["profit_ratio"], abs=5.1e-5)


def usual_name(row, values) -> str:
    """What the page makes of a row without an id."""
    at = pd.Timestamp(row["opened"] * 60, unit="s")
    pair = values["symbol"][row["symbol"]].replace("/", "-")
    return f"{pair}_{values['timeframe'][row['timeframe']]}_{at:%Y%m%dT%H%M}_{values['side'][row['side']]}"


def test_cells_lead_to_their_trades(document):
    """Counting the rows of a cell, by the numbers and bits alone, gives its n: what the page's drill-down does."""
    rows = frame(document["trades"])
    rows = rows[rows["closed"].notna()]
    agreed = [int(text, 16) for text in rows["agreed"]]
    for cell in frame(document["cells"]).to_dict("records"):
        chosen = np.ones(len(rows), dtype=bool)
        for key, at in zip(document["kinds"][cell["kind"]]["dimensions"], cell["values"], strict=True):
            if key == "head":
                chosen &= (rows["heads"].to_numpy() >> at & 1).astype(bool)
            elif key == "indicator":
                chosen &= np.array([bits >> at & 1 for bits in agreed], dtype=bool)
            elif key == "indicator_pair":
                pair = next(one for one in document["dimensions"] if one["key"] == key)["members"][at]
                chosen &= np.array([all(bits >> one & 1 for one in pair) for bits in agreed], dtype=bool)
            elif key == "hour":
                chosen &= (rows["opened"] // 60 % 24 == at).to_numpy()
            else:
                chosen &= (rows[key] == at).to_numpy()
        assert chosen.sum() == cell["n"], cell


def test_newest_trades_are_shown_and_all_on_request(signals):
    few, whole = trades_document(signals, newest=10), trades_document(signals, newest=None)
    assert len(whole["rows"]) == len(signals.rows)
    assert few["rows"] == whole["rows"][-10 - (len(signals.rows) - signals.closed) :]


def test_open_positions_are_those_of_the_account(week, document):
    held = {one["signal_id"]: one for one in week.seal.account.positions}
    assert {row["signal_id"] for row in document["positions"]} == held.keys()
    for row in document["positions"]:
        one = held[row["signal_id"]]
        assert (row["entry"], row["stop"], row["target"]) == (
            one["open_rate"], one["stop_loss_abs"], one["take_profit_abs"],
        )  # fmt: skip
    assert document["head"]["trades_open"] == len(held)


def test_a_chart_holds_the_bars_around_its_trade(week, document):
    rows, charts = frame(document["trades"]), document["charts"]
    values = {one["key"]: one["values"] for one in document["dimensions"]}
    ledger = week.ledger.set_index("signal_id", drop=False)
    assert len(charts["rows"]) == len(rows)
    for row, chart in zip(rows.to_dict("records"), charts["rows"], strict=True):
        exact = bars_around(week.bars, ledger.loc[row["id"] or usual_name(row, values)].to_dict(), before=12, after=6)
        start, step, low, high, entry, left, gaps, text = chart
        packed = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(-1, 3)
        minutes = [start]
        for i in range(1, len(packed)):
            minutes.append(minutes[-1] + dict(gaps).get(i, step))
        assert (minutes, entry, left) == (exact["minutes"], exact["entry"], exact["exit"])
        shown = low + packed / 255 * (high - low)
        error = (high - low) / 255 * 0.51 + high * 1e-7
        for column, name in enumerate(("high", "low", "close")):
            np.testing.assert_allclose(shown[:, column], exact[name], atol=error)


def test_a_trade_enters_at_the_open_of_its_entry_bar_and_leaves_within_its_exit_bar(week):
    closed = week.ledger[week.ledger["status"] == "closed"]
    for trade in closed.iloc[::7].to_dict("records"):
        found = bars_around(week.bars, trade)
        entry, left = found["entry"], found["exit"]
        opened = int(trade["open_date"].timestamp()) // 60
        assert found["minutes"][entry - 1] <= opened < found["minutes"][entry]
        cost = 1 - trade["open_rate"] / found["open"][entry]
        assert abs(cost) < 1e-3
        assert found["minutes"][left] * 60 == trade["close_date"].timestamp()
        assert left - entry + 1 == trade["bars_held"]
        slack = found["close"][left] * 1e-3
        assert found["low"][left] - slack <= trade["close_rate"] <= found["high"][left] + slack


def test_bars_around_a_trade_by_hand():
    at = pd.to_datetime(["2020-01-01 01:00", "2020-01-01 02:00", "2020-01-01 03:00", "2020-01-01 05:00"], utc=True)
    rows = {"pair": "A/B", "timeframe": "1h", "date": at, "open": [1.0, 2, 3, 4], "high": [2.0, 3, 4, 5]}
    bars = pd.DataFrame({**rows, "low": [0.5, 1, 2, 3], "close": [2.0, 3, 4, 4.5]})
    trade = {"signal_id": "s", "pair": "A/B", "timeframe": "1h", "open_date": at[1], "close_date": at[2]}
    found = bars_around(bars, trade, before=1, after=1)
    assert found["minutes"] == [int(one.timestamp()) // 60 for one in at[1:]]
    assert (found["entry"], found["exit"], found["step"]) == (1, 1, 60)
    assert found["close"] == [3.0, 4.0, 4.5]
    still = bars_around(bars, trade | {"close_date": pd.NaT}, before=0)
    assert (still["entry"], still["exit"], still["open"]) == (0, None, [3.0, 4.0])
    assert bars_around(bars, trade | {"pair": "C/D"})["minutes"] == []


def test_charts_of_a_market_with_gaps_and_without_bars(week, signals):
    rows = shown_rows(signals)
    gone = week.bars.drop(week.bars.index[week.bars["pair"] == "S01/USD"])
    charts = charts_document(signals, rows, gone, newest=20)
    assert len(charts["rows"]) == 20
    pairs = signals.rows["pair"].iloc[rows[-20:]]
    assert [row is None for row in charts["rows"]] == (pairs == "S01/USD").tolist()


def test_names_from_data_pass_unchanged_as_text(week):
    ledger = week.ledger.copy()
    ledger["pair"] = ledger["pair"].replace("S01/USD", HOSTILE)
    ledger["enter_tag"] = ledger["enter_tag"].replace("marubozu", FORMULA)
    found = described_signals(ledger, week.votes)
    assert HOSTILE in found.values["symbol"] and FORMULA in found.values["pattern"]
    kinds, cells = cells_document(dashboard_cells(found, ledger, week.votes))
    text = document_text({"names": found.values, "kinds": kinds, "cells": cells, "trades": trades_document(found)})
    assert "<" not in text and ">" not in text and "&" not in text
    assert json.loads(text)["names"]["symbol"] == list(found.values["symbol"])


def test_text_holds_the_document_and_is_the_same_twice(week, metrics, board, document):
    text = document_text(document)
    assert json.loads(text, parse_constant=pytest.fail) == json.loads(json.dumps(document))
    again = dashboard_document(replace(week), metrics=metrics, goals=GOALS, board=board, previous="2018-05-28")
    assert document_text(again) == text
    lines = text.splitlines()
    assert sum(line.startswith("[") for line in lines) >= document["head"]["trades_shown"]


def test_old_values_keep_their_numbers_when_weeks_pass(week, signals):
    before = Week(Run(history="main", as_of="2018-05-28", previous="2018-05-21", genesis="2018-04-02"), week.paths)
    earlier = described_signals(before.ledger[before.ledger["close_date"].notna()], week.votes)
    for key, values in earlier.values.items():
        assert signals.values[key][: len(values)] == values, key
    old, new = trades_document(earlier, newest=None)["rows"], trades_document(signals, newest=None)["rows"]
    assert new[: len(old)] == old


def test_a_history_that_begins_has_a_valid_document(week):
    first = Week(Run(history="main", as_of="2018-04-02", previous="2018-03-26", genesis="2018-04-02"), week.paths)
    found = dashboard_document(first, metrics=summary.account_metrics(first), goals=GOALS)
    assert json.loads(document_text(found))["verdict"]["action"] == "begin"
    assert found["cells"]["rows"] == found["trades"]["rows"] == found["charts"]["rows"] == found["positions"] == []
    assert {row["state"] for row in found["scoreboard"]} == {"too early"}
    assert equity_of_books(first).empty


def test_pictures_come_with_title_and_caption(week):
    found = dashboard_pictures(week, max_drawdown=0.15)
    names = ["equity", "wealth", "thresholds", "weights", "indicator_weights", "importance", "importance_drift"]
    assert list(found) == names
    for picture in found.values():
        assert picture.words.startswith("Figure: ") and "\n" in picture.words
        assert picture.svg.startswith("<svg")


def test_thresholds_champion_and_lineage_are_those_of_the_seals(week, document):
    champion = document["champion"]
    policy = week.seal.arms[week.champion].policy
    assert [row["regime"] for row in champion["thresholds"]] == list(REGIMES)
    for row in champion["thresholds"]:
        threshold = policy.thresholds[row["regime"]]
        assert (row["value"], row["certified"]) == (pytest.approx(threshold.value, abs=1e-4), threshold.certified)
    assert [row["as_of"] for row in champion["champions"]] == week.weeks
    told = [event for head in week.heads for event in head["events"] if event["kind"] != "drift"]
    assert [(row["recipe"], row["event"]) for row in champion["lineage"]] == [(e["recipe"], e["kind"]) for e in told]


def test_fifty_thousand_signals_in_a_few_seconds(week):
    """Every signal many times over: the numbers stay those of the plain sums."""
    closed = week.ledger[week.ledger["close_date"].notna()]
    many = closed.sample(50_000, replace=True, random_state=3).reset_index(drop=True)
    many["signal_id"] = [f"s{i}" for i in range(len(many))]
    found = described_signals(many, week.votes)
    rows = trades_document(found, newest=None)["rows"]
    assert len(rows) == 50_000 and len({row[0] for row in rows}) == 50_000
    assert found.heads.sum() == many["heads_agreed"].str.len().sum()
