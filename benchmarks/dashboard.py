"""The dashboard in the test browser: promised are 2 s to open and 100 ms to filter, sort or open a trade.

Twice: the committed page of this repository, opened as a file, and a page of 50,000 trades as `edgebook open` serves
it, their ledger drawn from the candidates of this repository's own tables, with what became of each. Times are of the
page's own clock, from the start of the navigation, or from the click, to the frame that shows what was asked for; and
beside them the processor time of the page's main thread, which does not grow when the machine has other work.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import EdgebookError
from edgebook.outcomes.outcomes import signal_ids
from edgebook.paths import Paths, repository
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.stages.serving import ReportsServer

sys.path.insert(0, str(repository() / "tests" / "browser"))

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TRADES = 50_000
OPENED, REPEATED = 3, 5
OPEN_MS, USE_MS = 2000.0, 100.0
OUTCOME = [
    "pair", "timeframe", "is_short", "date", "open_date", "close_date", "open_rate", "close_rate", "take_profit_abs",
    "stop_loss_abs", "profit_ratio", "r_multiple", "exit_reason", "bars_held", "mae", "mfe",
]  # fmt: skip
PAINTED = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
PAUSED = "await new Promise((done) => setTimeout(done, 50))"
_ROWS = "[...document.querySelectorAll('#cells-table tbody tr')]"
_CELLS = f"!document.querySelector('#cells-view').hidden && {_ROWS}.length > 5"
_SORTED = "document.querySelector('#{table}-table th[data-column={column}]')?.ariaSort === 'descending'"
_TRADES = "!document.querySelector('#trades-view').hidden && document.querySelector('#trades-table tbody a')"
_ALONE = "document.querySelector('#trade-panel').hidden"
USES = {
    "filter by a regime": (
        "group=pattern",
        f"{_CELLS} && !document.querySelector('[data-filter=regime] input').checked",
        "document.querySelector('[data-filter=regime] input').click()",
        f"{_ROWS}[0]?.dataset.cell.includes('|')",
    ),
    "four groups at once": (
        "group=pattern.regime.symbol",
        f"{_CELLS} && {_ROWS}[0].dataset.cell.split('|').length === 3",
        "document.querySelector('#group-timeframe').click()",
        f"{_ROWS}[0].dataset.cell.split('|').length === 4",
    ),
    "sort by win rate": (
        "group=pattern.regime.symbol.timeframe",
        f"{_CELLS} && {_ROWS}[0].dataset.cell.split('|').length === 4 && {_SORTED.format(table='cells', column='n')}",
        "document.querySelector('#cells-table th[data-column=win_rate] button').click()",
        _SORTED.format(table="cells", column="win_rate"),
    ),
    "search": (
        "group=pattern.regime.symbol.timeframe",
        f"{_CELLS} && {_ROWS}.some((row) => !row.dataset.cell.includes('volatile'))",
        "const field = document.querySelector('#search'); field.value = 'volatile';"
        " field.dispatchEvent(new Event('input'))",
        f"{_ROWS}.every((row) => row.dataset.cell.includes('volatile'))",
    ),
    "trades of the largest cell": ("group=pattern", _CELLS, f"{_ROWS}[0].querySelector('a').click()", _TRADES),
    "sort all trades by R": (
        "group=pattern&all=",
        f"{_TRADES} && {_ALONE} && {_SORTED.format(table='trades', column='closed')}",
        "document.querySelector('#trades-table th[data-column=r] button').click()",
        _SORTED.format(table="trades", column="r"),
    ),
    "chart of a trade": (
        "group=pattern&all=",
        f"{_TRADES} && {_ALONE}",
        "document.querySelector('#trade-chart').replaceChildren();"
        " document.querySelector('#trades-table tbody a').click()",
        f"!{_ALONE} && document.querySelector('#trade-chart svg')",
    ),
}
"""From where, and when one is there; what is done, and when its result is there: in the page's own words."""


def steps(*lines: str) -> str:
    """A script of these steps, one after the other."""
    return f"async () => {{ {'; '.join(lines)}; }}"


def until(condition: str) -> str:
    """Wait for something that the page shows."""
    return f"while (!({condition})) await new Promise((done) => setTimeout(done, 1))"


def many_trades(week: Week, *, trades: int, seed: int = 7) -> pd.DataFrame:
    """A ledger of any size: candidates since genesis with their outcomes, dressed as signals of the ledger."""
    from edgebook.files import tables

    rng = np.random.default_rng(seed)
    found = tables.read(week.paths.outcomes / f"{week.champion_plan}.parquet")
    since, until = (pd.Timestamp(day, tz="UTC") for day in (week.genesis, week.as_of))
    found = found[(found["date"] >= since) & (found["close_date"] <= until)]
    chosen = found.iloc[np.sort(rng.permutation(len(found))[:trades])].reset_index(drop=True)
    ledger = week.ledger[week.ledger["status"] == "closed"]
    dressed = ledger.iloc[rng.integers(0, len(ledger), len(chosen))].reset_index(drop=True)
    for name in OUTCOME:
        dressed[name] = chosen[name].astype(dressed[name].dtype)
    return dressed.assign(signal_id=signal_ids(dressed[["pair", "timeframe", "is_short"]].assign(date=dressed["date"])))


class Served:
    """Pages of a week whose ledger is another."""

    def __init__(self, week: Week, text: str) -> None:
        self.week, self.text = week, text

    def page(self, week: str) -> str | None:
        return self.text if week == self.week.as_of else None

    def bars(self, week: str, *, signal_id: str) -> dict[str, Any] | None:
        from edgebook.dashboard.dashboard_charts import bars_around

        found = self.week.ledger[self.week.ledger["signal_id"] == signal_id]
        return None if found.empty else bars_around(self.week.bars, dict(found.iloc[0].items()))


def measure(browser: Browser, address: str, *, tell: Callable[[str], None]) -> None:
    """Open a page some times, use it, and print the medians beside what is promised."""
    clock, worked = [], []
    for _ in range(OPENED):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        processor = processor_time(page)
        page.goto(address, wait_until="load")
        page.wait_for_selector("#cells-table tbody tr")
        clock.append(page.evaluate(steps(PAINTED, "return performance.now()")))
        worked.append(processor())
        if len(clock) < OPENED:
            context.close()
    tell(line("open", clock, worked, promised_ms=OPEN_MS))
    for name, (start, begins, action, ready) in USES.items():
        clock, worked = [], []
        for _ in range(REPEATED):
            page.evaluate(steps(f"location.hash = '#explore&{start}'", until(begins), PAINTED, PAUSED))
            before = processor()
            took = "return performance.now() - begin"
            clock.append(page.evaluate(steps("const begin = performance.now()", action, until(ready), PAINTED, took)))
            worked.append(processor() - before)
        tell(line(name, clock, worked, promised_ms=USE_MS))
    context.close()


def processor_time(page: Page) -> Callable[[], float]:
    """Milliseconds that the page's main thread has worked so far, whenever it is asked."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return 1000 * found["TaskDuration"]

    return read


def line(name: str, clock: list[float], worked: list[float], *, promised_ms: float) -> str:
    """Median by the clock and by the processor, and what is promised."""
    by_clock, by_processor = statistics.median(clock), statistics.median(worked)
    words = (
        "" if by_clock <= promised_ms else "  NOT KEPT" if by_processor > promised_ms else "  not kept: a busy machine"
    )
    return (
        f"  {name:28} {by_clock:6.0f} ms by the clock, {by_processor:5.0f} of processor time "
        f"(promised {promised_ms:.0f}){words}"
    )


def main() -> None:
    """Print the times."""
    try:
        from playwright.sync_api import sync_playwright
        from watched import NO_BROWSER, find_chromium
    except ImportError:
        print("not timed: playwright is not installed; `make benchmarks` installs it")
        return
    program, paths = find_chromium(), Paths.at()
    if program is None:
        print(f"not timed: {NO_BROWSER}")
        return
    try:
        params = load_params(paths.params)
        week = Week(params.run, paths)
        made, seconds = large_page(week, goals=plain(params.goals))
    except EdgebookError as error:
        print(f"not timed: {error}")
        return
    committed = paths.report(as_of=week.as_of) / "index.html"
    with sync_playwright() as driver, ReportsServer(paths.reports, pages=made, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        browser = driver.chromium.launch(executable_path=program)
        print(f"the committed page, {committed.stat().st_size / 1e6:.2f} MB, as a file")
        measure(browser, committed.as_uri(), tell=partial(print, flush=True))
        size = len(made.text.encode()) / 1e6
        print(f"served with {len(week.ledger):,} trades, {size:.2f} MB, made in {seconds:.1f} s of processor time")
        measure(browser, f"{server.address}/{week.as_of}/", tell=partial(print, flush=True))
        browser.close()
        server.shutdown()


def large_page(week: Week, *, goals: dict[str, Any]) -> tuple[Served, float]:
    """The page of a week as if it had traded as often as `TRADES`, and the processor seconds that it took to make."""
    from edgebook.dashboard.week_dashboard import week_dashboard

    week.__dict__["ledger"] = many_trades(week, trades=TRADES)  # where the cached property keeps it
    begin = time.process_time()
    text = week_dashboard(week, goals=goals, newest=None, served=True)
    return Served(week, text), time.process_time() - begin


if __name__ == "__main__":
    main()
