"""Every number on the dashboard is the number that it came from, and its text is that number, rounded."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from explorer import all_rows, go_to, shown_numbers
from sample_dashboard import SAMPLE, sample_page, sample_week
from truth import cell_numbers, closed_of, disagreeing, groups, ledger_of, numbers_in

from edgebook.paths import Paths
from edgebook.settings.loading import load_params
from edgebook.stages.summary import account_metrics, metrics_document

HERE = Paths.at()


@dataclass(frozen=True)
class Case:
    """One page, and the files that it was made of."""

    page: Path
    metrics: dict[str, Any]
    ledger: pd.DataFrame
    seal: Path


def as_committed() -> Case:
    run = load_params(HERE.params).run
    folder = HERE.report(as_of=run.as_of)
    return Case(
        folder / "index.html",
        json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        ledger_of(HERE.root / "data" / "ledger" / run.history, as_of=run.as_of),
        HERE.seal(history=run.history, as_of=run.as_of),
    )


def of_the_sample(folder: Path) -> Case:
    week = sample_week()
    place = folder / "index.html"
    place.write_text(sample_page(), encoding="utf-8")
    return Case(
        place,
        json.loads(json.dumps(metrics_document(week, account_metrics(week)))),
        ledger_of(SAMPLE.root / "data" / "ledger" / week.history, as_of=week.as_of),
        SAMPLE.seal(history=week.history, as_of=week.as_of),
    )


@pytest.fixture(scope="module", params=["the sample", "as committed"])
def case(request, tmp_path_factory) -> Case:
    return as_committed() if request.param == "as committed" else of_the_sample(tmp_path_factory.mktemp("page"))


@pytest.fixture
def page(opened, case):
    return opened(case.page).page


def close(shown: str, value: float | None, *, places: int = 6) -> bool:
    """Whether a `data-value` is a number, rounded to some places."""
    if shown == "" or value is None or math.isnan(value):
        return shown == "" and (value is None or math.isnan(value))
    return abs(float(shown) - value) <= 0.5000001 * 10.0**-places


def test_a_text_is_read_as_the_number_that_it_shows():
    assert numbers_in("48.0 %") == [(pytest.approx(0.48), pytest.approx(0.0005))]
    assert [value for value, _ in numbers_in("−22.8 to +6.5 pp")] == pytest.approx([-0.228, 0.065])
    assert numbers_in("1,643") == [(1643.0, 0.5)]
    assert numbers_in("n/a") == []
    assert disagreeing([("win_rate", "0.4796", "48.0 %"), ("r", "", "n/a"), ("a_b", "0.1;0.2", "10.0 to 20.0")])[
        0:
    ] == ["a_b: '0.1;0.2' is shown as '10.0 to 20.0'"]
    assert disagreeing([("win_rate", "0.4796", "47.9 %")]) == ["win_rate: '0.4796' is shown as '47.9 %'"]


def test_the_metrics_are_those_of_metrics_json(page, case):
    rows = page.locator("[data-key]").evaluate_all(
        "(all) => all.map((row) => [row.dataset.key, row.querySelector('[data-metric]').dataset.value,"
        " [...row.cells].slice(2, 4).map((cell) => cell.textContent)])"
    )
    shown = {name: (value, band, n) for name, value, (band, n) in rows}
    account = case.metrics["account"]
    assert set(shown) == set(account) | {"equity"}
    assert close(shown["equity"][0], case.metrics["equity"])
    for name, wanted in account.items():
        value, band, n = shown[name]
        assert close(value, wanted["value"]), name
        assert numbers_in(n)[0][0] == wanted["n"], name
        ends = [end for end in (wanted["low"], wanted["high"]) if end is not None]
        read = numbers_in(band)
        assert len(read) == len(ends), name
        assert all(abs(end - said) <= half * (1 + 1e-9) for end, (said, half) in zip(ends, read, strict=True)), name


def test_the_first_screen_says_the_same_as_the_table_of_metrics(page):
    table = {metric: (value, text) for metric, value, text in shown_numbers(page, "#equity ~ details")}
    strip = {metric: (value, text) for metric, value, text in shown_numbers(page, ".strip")}
    assert strip
    assert {name: table[name] for name in strip} == strip


def test_the_metrics_are_those_of_the_ledger(page, case):
    """Straight from the files, by pandas: no code of the package in between."""
    closed = closed_of(case.ledger)
    wanted = cell_numbers(closed)
    shown = {metric: value for metric, value, _ in shown_numbers(page, "#equity ~ details")}
    assert close(shown["total_signals"], len(case.ledger))
    assert close(shown["win_rate"], wanted["win_rate"])
    assert close(shown["expectancy"], wanted["mean_r"])
    days = pd.concat(
        [
            pd.read_csv(file)
            for file in sorted(case.seal.parent.glob("*/days.csv"))
            if file.parent.name <= case.seal.name
        ]
    )
    account = days[days["arm"] == "account"]
    assert close(shown["equity"], account["equity"].iloc[-1], places=2)


def test_the_wealth_of_every_trial_is_that_of_metrics_json(page, case):
    rows = page.locator("[data-trial]").evaluate_all(
        "(all) => all.map((row) => [row.dataset.trial, row.querySelector('[data-metric]').dataset.value])"
    )
    shown = dict(rows)
    assert case.metrics["wealth"].keys() <= shown.keys()
    for name, wealth in case.metrics["wealth"].items():
        assert close(shown[name], wealth), name


def test_the_open_positions_are_the_open_rows_of_the_ledger(page, case):
    still = case.ledger[case.ledger["status"] == "open"].set_index("signal_id")
    shown = page.locator("[data-position]").evaluate_all("(all) => all.map((row) => row.dataset.position)")
    assert sorted(shown) == sorted(still.index)
    for name in shown:
        row = page.locator(f'[data-position="{name}"]')
        numbers = {metric: float(value) for metric, value, _ in shown_numbers(page, f'[data-position="{name}"]')}
        assert still.loc[name, "pair"] in row.inner_text()
        assert numbers["entry"] == pytest.approx(still.loc[name, "open_rate"], rel=1e-5)
        assert numbers["target"] == pytest.approx(float(still.loc[name, "take_profit_abs"]), rel=1e-5)
        assert numbers["stop"] == pytest.approx(float(still.loc[name, "stop_loss_abs"]), rel=1e-5)


@pytest.mark.parametrize(
    "group",
    [
        "pattern", "regime", "symbol", "timeframe", "side", "hour", "head", "head_set", "pattern.regime",
        "regime.symbol", "regime.symbol.timeframe", "pattern.regime.symbol.timeframe",
    ],
)  # fmt: skip
def test_cells_are_the_groups_of_the_ledger(page, case, group):
    keys = group.split(".")
    go_to(page, f"group={group}&size=250")
    wanted = groups(closed_of(case.ledger), keys)
    shown = all_rows(page, "cells-table", key="cell")
    assert shown
    assert len({name for name, _ in shown}) == len(shown)
    for name, numbers in shown:
        cell = name[0] if keys == ["head"] else name
        for metric, value in cell_numbers(wanted[cell]).items():
            places = {"n": 0, "win_rate": 3, "mean_r": 3, "profit_factor": 2}[metric]
            assert close(numbers[metric], value, places=places), f"{name}: {metric} {numbers[metric]}, not {value}"
    total = numbers_in(page.locator("#cells-status").inner_text())[1][0]
    assert total == len(wanted)
    assert len(shown) == total or min(len(wanted[name]) for name, _ in shown) >= 1


def test_trades_are_the_rows_of_the_ledger(page, case):
    closed = closed_of(case.ledger).set_index("signal_id")
    go_to(page, "all=&size=250")
    shown = dict(all_rows(page, "trades-table", key="trade"))
    newest = closed.sort_values("close_date").index[-2000:]
    assert len(shown) == len(newest)
    assert set(shown) <= set(closed.index)
    for name, numbers in shown.items():
        row = closed.loc[name]
        assert close(numbers["r"], row["r_multiple"], places=2), name
        assert close(numbers["profit"], row["profit_ratio"], places=4), name
        assert close(numbers["confidence"], row["confidence"], places=3), name
        assert float(numbers["bars"]) == row["bars_held"], name


def test_the_trades_of_a_cell_are_its_rows_and_each_opens_with_its_numbers(page, case):
    closed = closed_of(case.ledger)
    cells = groups(closed, ["regime", "symbol"])
    name = max(cells, key=lambda one: len(cells[one]))
    regime, symbol = name.split("|")
    go_to(page, f"group=regime.symbol&size=250&cell={regime}&cell={symbol.replace('/', '%2F')}")
    shown = [one for one, _ in all_rows(page, "trades-table", key="trade")]
    newest = closed.sort_values("close_date")["signal_id"].iloc[-2000:]
    assert sorted(shown) == sorted(set(cells[name]["signal_id"]) & set(newest))
    rows = closed.set_index("signal_id")
    for one in shown[:2] + shown[-1:]:
        go_to(page, f"group=regime.symbol&trade={one}")
        facts = {metric: float(value) for metric, value, _ in shown_numbers(page, "#trade-facts") if value}
        for metric, column in (
            ("entry", "open_rate"), ("exit", "close_rate"), ("target", "take_profit_abs"), ("stop", "stop_loss_abs")
        ):  # fmt: skip
            assert facts[metric] == pytest.approx(float(rows.loc[one, column]), rel=1e-5), (one, metric)
        for metric, column, places in (("r", "r_multiple", 2), ("mae", "mae", 2), ("mfe", "mfe", 2)):
            assert close(str(facts[metric]), rows.loc[one, column], places=places), (one, metric)
        assert disagreeing(shown_numbers(page, "#trade-facts")) == []


def test_every_text_is_its_number_rounded(page):
    assert len(shown_numbers(page)) > 100
    assert disagreeing(shown_numbers(page)) == []
    for address in ("group=pattern.regime&size=250", "group=hour", "group=head.regime", "all=&size=100"):
        go_to(page, address)
        where = "#trades-table" if "all" in address else "#cells-table"
        assert shown_numbers(page, where), address
        assert disagreeing(shown_numbers(page, where)) == [], address
