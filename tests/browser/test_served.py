"""What `edgebook open` serves, in the browser: all trades, exact bars, and no way out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from explorer import all_rows, go_to, shown_numbers
from sample_dashboard import SAMPLE, sample_document, sample_page, sample_week
from truth import closed_of, disagreeing, ledger_of
from watched import barriers

from edgebook.files import tables
from edgebook.settings.loading import load_params
from edgebook.stages.serving import ReportsServer
from edgebook.stages.serving_pages import LedgerPages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Made(LedgerPages):
    """The sample's pages, the trades of which are all asked for: no bars in the page."""

    def page(self, week: str) -> str | None:
        document = sample_document()
        document["head"]["served"] = True
        document["charts"]["rows"] = [None] * len(document["charts"]["rows"])
        return sample_page(document) if week == sample_week().as_of else None


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ReportsServer]:
    reports = tmp_path_factory.mktemp("reports")
    for week in (sample_week().as_of, "2018-05-28"):
        (reports / week).mkdir()
        (reports / week / "index.html").write_text("<p>committed</p>", encoding="utf-8")
    pages = Made(SAMPLE, load_params(SAMPLE.params))
    with ReportsServer(reports, pages=pages, port=0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def one(opened, server) -> Any:
    return opened(f"{server.address}/{sample_week().as_of}/")


def test_all_trades_are_there_and_nothing_else_is_asked_for(one):
    week = sample_week()
    closed = closed_of(ledger_of(SAMPLE.root / "data" / "ledger" / week.history, as_of=week.as_of))
    go_to(one.page, "all=&size=250")
    assert len(all_rows(one.page, "trades-table", key="trade")) == len(closed)
    assert set(one.asked) == {one.address}
    assert disagreeing(shown_numbers(one.page, "#trades-table")) == []


def test_the_chart_of_a_trade_is_drawn_of_the_exact_bars(one):
    week = sample_week()
    row = week.ledger.iloc[0]
    go_to(one.page, f"trade={quote(row['signal_id'], safe='')}")
    chart = one.page.locator("#trade-chart svg")
    chart.wait_for()
    assert one.asked[-1] == f"{one.address}bars?signal_id={quote(row['signal_id'], safe='')}"
    answer = one.page.evaluate(
        "(id) => fetch('bars?signal_id=' + encodeURIComponent(id)).then((a) => a.json())", row["signal_id"]
    )
    bars = tables.read(SAMPLE.bars)
    own = bars[(bars["pair"] == row["pair"]) & (bars["timeframe"] == row["timeframe"])]
    minutes = own["date"].astype("int64") // 60_000
    wanted = own[minutes.isin(answer["minutes"])]
    assert answer["close"] == wanted["close"].tolist()
    assert int(chart.get_attribute("data-bars") or 0) == len(answer["minutes"])
    assert barriers(one.page) == []


def test_a_page_of_elsewhere_is_not_loaded_and_nothing_is_sent_there(one):
    """The policy of the page holds even for a script that got into it."""
    refused = one.page.evaluate(
        """async () => {
            const sent = await fetch('http://elsewhere.example/').then(() => 'sent', () => 'refused');
            const image = await new Promise((done) => {
                const made = new Image();
                made.onload = () => done('loaded');
                made.onerror = () => done('refused');
                made.src = 'http://elsewhere.example/x.png';
            });
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            return [sent, image, window.ran ?? 'refused'];
        }"""
    )
    assert refused == ["refused"] * 3
    assert all("Content Security Policy" in said for said in one.said)
    assert len(one.said) >= 3
    one.said.clear()
    one.asked.clear()


def test_a_server_that_went_away_leaves_the_levels(opened, server):
    one = opened(f"{server.address}/{sample_week().as_of}/")
    one.page.route("**/bars?*", lambda route: route.abort())
    go_to(one.page, f"trade={quote(sample_week().ledger['signal_id'].iloc[0], safe='')}")
    chart = one.page.locator("#trade-chart svg")
    chart.wait_for()
    assert chart.get_attribute("data-bars") == "0"
    assert chart.locator("[data-level]").count() >= 4
    one.said.clear()  # the browser itself logs a request that failed
