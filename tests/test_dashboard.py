"""The dashboard's page: complete without a script, nothing from outside, names as text, its document's numbers."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest

from edgebook.dashboard.dashboard import SCRIPTS, dashboard_page, script
from edgebook.files.formats import formatted, interval
from edgebook.pages.report_index import TEMPLATES, Link

HOSTILE = "<script>alert(1)</script>"
FORMULA = "=cmd()"
IMAGE = '"><img src=x onerror=alert(1)>'
VERDICT = {"action": "keep", "title": "Keep r1", "reason": "The bar is 80.", "means": "Go on.", "tone": "plain"}
OPENED = 26_020_800  # 2019-06-23 00:00 UTC


@dataclass(frozen=True)
class Drawn:
    """What the page asks of a picture."""

    svg: str
    words: str


def metric(name: str, value: float, how: Any, *, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "low": low,
        "high": high,
        "n": 3,
        "unit": "signals",
        "format": how,
        "text": formatted(value, how),
        "interval": interval(low, high, how),
    }


def trade(opened: int, r: float) -> list[Any]:
    """One closed trade of an hour, entered at 100, without what follows from the rest: its name and its exit."""
    reason = 0 if r > 0 else 1
    prices = [100, None, 110, 90]
    rest = [-0.2, 1.1, 1, 0, 2, 5, "03", 0, 0.61, 0.6, 0, 0, 0]
    return [None, 0, 0, 0, opened, opened + 60, *prices, reason, r, r / 10, *rest]


def document(*, symbol: str = "BTC/USD", pattern: str = "breakout", closed: int = 3) -> dict[str, Any]:
    """A week with two cells and three trades: two won 1 R, the third lost it."""
    results = [1.0, 1.0, -1.0][:closed]
    trades = [trade(OPENED + 60 * i, r) for i, r in enumerate(results)]
    bars = base64.b64encode(bytes([200, 50, 100, 255, 0, 30])).decode()
    cell = [3, 2.5, 0.667, 0.2, 0.94, 0.55, 0.4, 0.7, 2.0, 0.333, 0.1, -0.2, 0.4, 0.04, "better"]
    return {
        "format": 1,
        "head": {
            "as_of": "2019-07-01", "week": 65, "market": "crypto", "history": "main", "genesis": "2018-04-02",
            "champion": "r1@2019-07-01", "challenger": "r4", "previous": "2019-06-24", "following": None,
            "parameters": "35d46da59342635d", "data": "6d83b0a5df8accb0", "served": False, "trades_total": closed,
            "trades_closed": closed, "trades_shown": closed, "cells_total": 2, "cells_shown": 2 if closed else 0,
        },
        "verdict": VERDICT,
        "scoreboard": [
            metric("x", 0.667, "percent", low=0.2, high=0.94)
            | {"goal": "Win rate", "target": "at least 55 %", "state": "too early", "n_text": "3 signals",
               "n_against": None}
        ],
        "key": [metric("win_rate", 0.667, "percent", low=0.2, high=0.94), metric("equity", 101_000.5, "money")],
        "champion": {
            "version": "r1@2019-07-01", "recipe": "r1", "title": "refit", "since": "2018-04-02",
            "settings": [["exit_plan", symbol]],
            "weeks_to_certify": 12,
            "thresholds": [
                {"regime": "ranging", "value": 0.6, "certified": False, "weeks": 7,
                 "mean_r": 0.1, "low": -1, "high": 1, "n": 3}
            ],
            "lineage": [{"as_of": "2018-04-02", "recipe": "r1", "event": "genesis", "text": "first", "change": True}],
        },
        "gate": {
            "trials": [
                {"kind": "promotion", "arm": "r4", "title": "tuned", "against": "r1", "since": "2018-11-26",
                 "until": None, "days": 217, "wealth": 3.045314, "bar": 80.0,
                 "outcome": "on trial", "words": "Is r4 better?"}
            ],
            "budget": {"year": 2019, "admitted": 0, "admissions_per_year": 4, "alpha_spent": 0, "alpha_per_year": 0.05},
            "words": "r1 stays",
        },
        "changes": [f"Most signals were of {symbol}."],
        "table": [
            {"name": "win rate", "window": "13 weeks", "this": 0.498, "last": 0.463, "change": 0.035, "low": 0.37,
             "high": 0.62, "n": 235, "format": "percent", "text_this": "49.8 %", "text_last": "46.3 %",
             "interval": "37.0 to 62.0 %"},
            {"name": "signals", "window": "the week", "this": 6, "last": 17, "change": -11, "low": None, "high": None,
             "n": None, "format": "integer", "text_this": "6", "text_last": "17", "interval": "n/a"},
        ],
        "positions": [
            {"signal_id": f"{symbol}_1h", "symbol": symbol, "timeframe": "1h", "side": "long", "opened": OPENED,
             "entry": 9609.5, "target": 9800.0, "stop": 9500.0, "last": 9650.0, "r": 0.37, "stake": 1.0,
             "confidence": 0.61, "certified": False, "pattern": pattern, "regime": "ranging", "version": "r1"}
        ],
        "alarms": [{"kind": "drift", "text": f"{symbol} fell.", "since": "2019-06-20", "as_of": "2019-07-01"}],
        "alarms_before": [],
        "dimensions": [
            {"key": key, "title": key.title(), "values": values}
            for key, values in {
                "pattern": [pattern], "regime": ["trending_bullish", "trending_bearish", "ranging", "volatile"],
                "symbol": [symbol, FORMULA], "timeframe": ["1h"], "side": ["long", "short"], "hour": ["00:00"],
                "head": ["A Trend", "B Mean", "C Momentum"], "head_set": ["AC"], "indicator": ["rsi_2", "adx_14"],
                "reason": ["take_profit", "stop_loss", "time_exit"], "version": ["r1@2019-06-24"], "plan": ["tp2"],
            }.items()
        ],
        "kinds": [
            {"name": "all", "dimensions": [], "report": True, "total": 0, "shown": 0},
            {"name": "pattern", "dimensions": ["pattern"], "report": True, "total": 1, "shown": 1},
            {"name": "symbol", "dimensions": ["symbol"], "report": True, "total": 1, "shown": 1},
        ],
        "cells": {
            "columns": [
                "kind", "values", "n", "n_effective", "win_rate", "win_low", "win_high", "shrunk", "shrunk_low",
                "shrunk_high", "profit_factor", "mean_r", "shrunk_r", "shrunk_r_low", "shrunk_r_high", "q", "badge",
            ],
            "rows": [[1, [0], *cell], [2, [0], *cell]] if closed else [],
        },
        "trades": {
            "columns": [
                "id", "symbol", "timeframe", "side", "opened", "closed", "entry", "exit", "target", "stop", "reason",
                "r", "profit", "mae", "mfe", "bars", "pattern", "regime", "heads", "agreed", "head_set", "confidence",
                "threshold", "certified", "version", "plan",
            ],
            "rows": trades,
        },
        "charts": {
            "columns": ["start", "step", "low", "high", "entry", "exit", "gaps", "bars"],
            "rows": [[OPENED, 60, 85.0, 115.0, 0, 1, [], bars]] if closed else [],
        },
        "notes": {"cells": "2 of 2 cells."},
    }  # fmt: skip


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("script", "style"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.text += data

    def values(self, name: str) -> list[str]:
        return [one["data-value"] for _, one in self.found if one.get("data-metric") == name]


def embedded(page: str) -> str:
    found = re.search(r'<script type="application/json" id="dashboard-data">(.*?)</script>', page, re.S)
    assert found
    return found[1]


def test_the_verdict_comes_first_and_says_what_to_do() -> None:
    page = dashboard_page(document())
    order = [
        "verdict-title",
        "alarms-title",
        "goals",
        "changes",
        "positions",
        "champion",
        "equity",
        "explore-title",
        "how",
    ]
    places = [page.index(f'id="{name}"') for name in order]
    assert places == sorted(places)
    assert all(words in Elements(page).text for words in ("Keep r1", "The bar is 80.", "Go on.", "1 alarm this week"))


def test_the_page_asks_for_nothing_outside_itself() -> None:
    page = dashboard_page(document(), links=[Link("Outcome analysis", "outcome_analysis.html")])
    assert set(re.findall(r"https?://[^\s\"'<)]*", page)) == {"http://www.w3.org/2000/svg"}
    assert not [one for tag, one in Elements(page).found if tag in ("link", "img", "iframe") or "src" in one]
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.parametrize("name", [HOSTILE, FORMULA, IMAGE, "a\u2028b", "</script><b>"])
def test_names_from_data_are_text(name: str) -> None:
    page = dashboard_page(document(symbol=name, pattern=name))
    elements = Elements(page)
    assert [tag for tag, _ in elements.found].count("script") == 2
    assert not [one for _, one in elements.found if "onerror" in one]
    assert not {"b", "img"} & {
        tag for tag, one in elements.found if one.get("onerror") or "alert" in str(one.get("src"))
    }
    assert f"{name} fell." in elements.text
    assert json.loads(embedded(page))["dimensions"][2]["values"][0] == name
    assert not set(embedded(page)) & set("<>&\u2028\u2029")


def test_every_number_of_the_document_is_on_the_page_as_it_is() -> None:
    given = document()
    elements = Elements(dashboard_page(given))
    for one in given["key"]:
        assert elements.values(one["name"]) == [json.dumps(one["value"])] * len(elements.values(one["name"]))
        assert elements.values(one["name"])
        assert one["text"] in elements.text
    for one in given["scoreboard"]:
        assert elements.values(one["goal"]) == [json.dumps(one["value"])]
        assert one["interval"] in elements.text
    for one in given["table"]:
        assert elements.values(one["name"] + "_last") == [json.dumps(one["last"])]
        assert elements.values(one["name"] + "_change") == [json.dumps(one["change"])]
    assert elements.values("promotion_r4_against_r1") == ["3.045314"]
    assert "+3.5 pp" in elements.text
    assert "−11" in elements.text
    assert json.loads(embedded(dashboard_page(given))) == given


def test_a_state_is_a_word_and_a_sign_never_a_colour_alone() -> None:
    for state, sign in {"met": "✓", "not met": "✕", "too early": "◔"}.items():
        given = document()
        given["scoreboard"][0]["state"] = state
        assert f"{sign} {state}" in Elements(dashboard_page(given)).text


def test_the_same_document_gives_the_same_bytes() -> None:
    assert dashboard_page(document()) == dashboard_page(json.loads(json.dumps(document())))


def test_the_page_without_its_document_is_small() -> None:
    page = dashboard_page(document())
    assert len(page) - len(embedded(page)) < 130_000


def test_a_history_that_just_began_has_a_page() -> None:
    given = document(closed=0)
    for empty in ("key", "scoreboard", "changes", "table", "positions", "alarms"):
        given[empty] = []
    given["gate"]["trials"] = []
    text = Elements(dashboard_page(given)).text
    assert "No trade has closed yet" in text
    assert "Nothing is open" in text
    assert "No alarm this week" in text


def test_pictures_stand_in_their_sections_with_name_and_caption() -> None:
    drawn = {name: Drawn(f"<svg data-is='{name}'></svg>", f"Figure: Title of {name}\nCaption.") for name in
             ("equity", "wealth", "thresholds", "importance", "another")}  # fmt: skip
    page = dashboard_page(document(), pictures=drawn)  # type: ignore[arg-type]
    places = [page.index(text) for text in
              ('id="champion"', "data-is='wealth'", 'id="equity"', "data-is='equity'", 'id="importance"',
               "data-is='importance'", 'id="learning"', "data-is='thresholds'", "data-is='another'")]  # fmt: skip
    assert places == sorted(places)
    assert page.count("<figcaption>Caption.</figcaption>") == len(drawn)
    assert 'aria-label="Title of equity"' in page


def test_every_control_and_table_has_a_name() -> None:
    page = dashboard_page(document())
    elements = Elements(page)
    ids = [one["id"] for _, one in elements.found if "id" in one]
    assert len(ids) == len(set(ids))
    for tag, one in elements.found:
        if one.get("role") == "region":
            assert one.get("aria-label")
            assert one.get("tabindex") == "0"
        if tag == "section":
            assert one["aria-labelledby"] in ids
    assert page.count("<table") == page.count("<caption")
    assert [tag for tag, _ in elements.found].count("main") == 1
    assert "<noscript>" in page


def test_the_script_makes_no_markup_from_text_and_is_strict() -> None:
    text = script()
    assert text.startswith("(() => {\n'use strict';\n")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in text
    assert text.count("fetch(") == 1
    there = sorted(path.stem.removeprefix("dashboard_") for path in TEMPLATES.glob("dashboard_*.js"))
    assert there == sorted(SCRIPTS)


def test_comments_stay_in_the_source_and_no_text_is_lost() -> None:
    kept = re.sub(r"\s", "", script())
    for name in SCRIPTS:
        source = re.sub(r"(?ms)^\s*/\*.*?\*/", "", (TEMPLATES / f"dashboard_{name}.js").read_text(encoding="utf-8"))
        assert re.sub(r"\s", "", source) in kept
