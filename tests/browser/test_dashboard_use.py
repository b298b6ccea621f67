"""The dashboard as readers use it: filter, sort, drill down, go back; by keyboard, on paper, in the dark, by phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from explorer import all_rows, another_address, follow, go_back, go_to, headings, rows_shown, shown_numbers
from sample_dashboard import SAMPLE, sample_document, sample_page, sample_week
from truth import closed_of, disagreeing, groups, ledger_of
from watched import DESK, PHONE, barriers, cut_off, faint, overflow, picture

PAPER, SHRINKS = 680, 1.5
"""Width of A4 between its margins, in pixels, and how much wider a page may be for Chromium to shrink it to fit."""
SCRIPT, FORMULA, IMAGE = "<script>alert(1)</script>", "=cmd()", '"><img src=x onerror=alert(1)>'
"""Names that data may bring; each must stay a name."""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("page") / "index.html"
    place.write_text(sample_page(), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def closed():
    week = sample_week()
    return closed_of(ledger_of(SAMPLE.root / "data" / "ledger" / week.history, as_of=week.as_of))


def names(page, table: str = "cells-table", key: str = "cell") -> list[str]:
    return [name for name, _ in rows_shown(page, table, key=key)]


# --- filter, sort, group


def test_a_filter_splits_the_rows_by_what_it_filters_and_start_over_takes_it_away(opened, file, closed):
    page = opened(file).page
    before = names(page)
    page.locator('details.filter[data-filter="regime"] summary').click()
    page.locator('details.filter[data-filter="regime"]').get_by_label("ranging").check()
    wanted = groups(closed[closed["regime"] == "ranging"], ["pattern", "regime"])
    shown = dict(all_rows(page, "cells-table", key="cell"))
    assert {name: float(numbers["n"]) for name, numbers in shown.items()} == {k: len(v) for k, v in wanted.items()}
    page.get_by_role("button", name="Start over").click()
    assert names(page) == before


def test_search_and_least_n_narrow_the_table_while_one_types(opened, file, closed):
    page = opened(file).page
    word = names(page)[0].partition("_")[0][:5]
    page.get_by_label("Search").press_sequentially(word)
    wanted = {name for name in groups(closed, ["pattern"]) if word in name.replace("_", " ")}
    assert 0 < len(wanted) < len(groups(closed, ["pattern"]))
    assert set(names(page)) == wanted
    page.get_by_label("Search").fill("")
    page.get_by_label("n at least").fill("10")
    assert set(names(page)) == {name for name, rows in groups(closed, ["pattern"]).items() if len(rows) >= 10}
    page.get_by_label("Search").fill("no such thing")
    assert names(page) == []
    assert page.locator("#cells-status").inner_text().startswith("0 of ")


@pytest.mark.parametrize("column", ["n", "win_rate", "mean_r", "shrunk_r"])
def test_a_heading_sorts_down_then_up_and_says_so(opened, file, column):
    page = opened(file).page
    go_to(page, "group=pattern&size=100&sort=-profit_factor")
    button = page.locator(f'#cells-table th[data-column="{column}"] button')
    for order, reverse in (("descending", True), ("ascending", False)):
        button.click()
        assert headings(page)[column] == order
        assert sum(sort is not None for sort in headings(page).values()) == 1
        values = [
            float(numbers[column]) for _, numbers in rows_shown(page, "cells-table", key="cell") if numbers[column]
        ]
        assert len(values) > 5
        assert values == sorted(values, reverse=reverse)


def test_names_sort_as_they_are_read(opened, file):
    page = opened(file).page
    go_to(page, "group=pattern&size=100")
    page.locator('#cells-table th[data-column="pattern"] button').click()
    assert names(page) == sorted(names(page), key=lambda name: name.replace("_", " "))


def test_patterns_regimes_symbols_and_timeframes_combine(opened, file, closed):
    page = opened(file).page
    for key in ("regime", "symbol", "timeframe"):
        page.locator(f"#group-{key}").check()
    assert len(headings(page)) > 8
    shown = dict(all_rows(page, "cells-table", key="cell"))
    assert shown.keys() == groups(closed, ["pattern", "regime", "symbol", "timeframe"]).keys()
    page.locator("#group-pattern").uncheck()
    assert (
        dict(all_rows(page, "cells-table", key="cell")).keys()
        == groups(closed, ["regime", "symbol", "timeframe"]).keys()
    )


def test_every_grouping_can_be_chosen(opened, file):
    page = opened(file).page
    choices = page.locator("#group-other option").evaluate_all("(all) => all.map((e) => e.value).filter(Boolean)")
    assert {"side", "hour", "head", "head_set", "indicator"} <= set(choices)
    for choice in choices:
        page.locator("#group-other").select_option(choice)
        assert names(page), choice
        assert disagreeing(shown_numbers(page, "#cells-table")) == [], choice


# --- from a cell to a trade and back


def test_from_a_cell_to_its_trades_to_a_chart_and_back(opened, file, closed):
    page = opened(file).page
    cell = names(page)[0]
    follow(page, page.locator("#cells-table tbody tr a").first)
    trades = names(page, "trades-table", "trade")
    assert trades
    assert set(trades) <= set(groups(closed, ["pattern"])[cell]["signal_id"])
    follow(page, page.locator("#trades-table tbody tr a").first)
    chart = page.locator("#trade-chart svg")
    chart.wait_for()
    assert int(chart.get_attribute("data-bars") or 0) > 5
    row = closed.set_index("signal_id").loc[trades[0]]
    levels = dict(
        page.locator("#trade-chart [data-level]").evaluate_all(
            "(all) => all.map((e) => [e.dataset.level, Number(e.dataset.value)])"
        )
    )
    for level, column in (
        ("entry", "open_rate"), ("target", "take_profit_abs"), ("stop", "stop_loss_abs"), ("exit", "close_rate")
    ):  # fmt: skip
        assert levels[level] == pytest.approx(float(row[column]), rel=1e-5), level
    assert chart.locator("desc").text_content().startswith(f"{row['side']} trade {trades[0]}")
    picture(page, f"dashboard-trade-{DESK}", whole=False)
    go_back(page)
    assert page.locator("#trade-panel").is_hidden()
    assert names(page, "trades-table", "trade") == trades
    go_back(page)
    assert page.locator("#trades-view").is_hidden()
    assert names(page)[0] == cell


def test_an_address_brings_a_colleague_to_the_same_trade(opened, file, closed):
    trade = closed["signal_id"].iloc[-1]
    page = opened(f"{file.as_uri()}#explore&trade={trade}").page
    page.locator("#trade-chart svg").wait_for()
    assert page.locator("#trade-panel").get_attribute("data-trade") == trade


def test_an_address_that_means_nothing_does_no_harm(opened, file):
    for address in ("group=nothing", "is.regime=nothing", "cell=nothing", "trade=nothing", "sort=nothing", "page=999",
                    "size=-1", "min=x", "cell=a&cell=b", "%zz", "group="):  # fmt: skip
        page = opened(f"{file.as_uri()}#explore&{address}").page
        assert page.locator("h1").is_visible()
        assert page.locator("#explorer").is_visible()


@pytest.mark.parametrize("still_open", [0, 3])
def test_a_long_list_of_trades_sorts_by_every_column(opened, tmp_path, still_open):
    """Long lists are sorted in another way than short ones: all of the rows, or those that have closed."""
    document = sample_document()
    columns, rows = document["trades"]["columns"], document["trades"]["rows"]
    place = {name: i for i, name in enumerate(columns)}
    closed = [row for row in rows if row[place["closed"]] is not None]
    others = [row for row in rows if row[place["closed"]] is None][:still_open]
    many = [[f"copy_{i}_{j}", *row[1:]] for i in range(6) for j, row in enumerate(closed)]
    document["trades"]["rows"] = many + others
    document["charts"]["rows"] = []
    document["head"]["trades_closed"] = len(many)
    file = tmp_path / "index.html"
    file.write_text(sample_page(document), encoding="utf-8")
    page = opened(file).page
    for column in ("r", "profit", "bars", "confidence"):
        for order in (f"-{column}", column):
            go_to(page, f"all=&size=250&order={order}")
            shown = [numbers[column] for _, numbers in all_rows(page, "trades-table", key="trade")]
            wanted = sorted((row[place[column]] for row in many), reverse=order.startswith("-"))
            assert [float(value) for value in shown] == wanted, order


# --- everybody


def tab_to(page, selector: str, *, most: int = 400) -> None:
    """Press Tab until an element that a selector means has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector}: not reached by {most} times Tab")


def test_everything_can_be_done_by_keyboard(opened, file):
    page = opened(file).page
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.getAttribute('href')") == "#week"
    tab_to(page, "#group-regime")
    page.keyboard.press("Space")
    assert "|" in names(page)[0]
    tab_to(page, 'details.filter[data-filter="regime"] summary')
    page.keyboard.press("Enter")
    tab_to(page, 'details.filter[data-filter="regime"] input[value="volatile"]')
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.tagName") == "SUMMARY"
    assert {name.split("|")[1] for name in names(page)} == {"volatile"}
    tab_to(page, '#cells-table th[data-column="win_rate"] button')
    page.keyboard.press("Enter")
    assert headings(page)["win_rate"] == "descending"
    assert page.evaluate("() => document.activeElement.closest('th').dataset.column") == "win_rate"
    for table, title in (("cells", "trades-title"), ("trades", "trade-title")):
        tab_to(page, f"#{table}-table tbody a")
        with another_address(page):
            page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.id") == title
    page.locator("#trade-chart svg").wait_for()
    go_back(page)
    go_back(page)
    assert page.locator("#cells-view").is_visible()


def test_what_has_the_focus_can_be_seen(opened, file):
    page = opened(file).page
    for selector in ("#group-regime", "#search", '#cells-table th[data-column="n"] button', "#cells-table tbody a"):
        tab_to(page, selector)
        ring = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return [s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow]; }"
        )
        assert (ring[0] != "none" and ring[1] >= 1) or ring[2] != "none", selector


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_and_has_no_barrier(opened, file, closed, scheme, width):
    page = opened(file, scheme=scheme, width=width, height=900).page
    trade = closed["signal_id"].iloc[-1]
    for view, address in (
        ("cells", "group=pattern.regime.symbol.timeframe"),
        ("trades", "all="),
        ("trade", f"trade={trade}"),
    ):
        go_to(page, address)
        if view == "trade":
            page.locator("#trade-chart svg").wait_for()
        for details in page.locator("details:not(.filter)").all():
            details.evaluate("(e) => { e.open = true; }")
        assert barriers(page) == [], view
        assert overflow(page) == [], view
        assert faint(page) == [], view
        picture(page, f"dashboard-{view}-{width}-{scheme}", whole=view == "cells")


def test_the_page_is_dark_where_the_system_is_and_the_switch_overrules_it(opened, file):
    light = "() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);" \
        " return (r + g + b) / 765; }"  # fmt: skip
    page = opened(file, scheme="dark").page
    assert page.evaluate(light) < 0.25
    page.get_by_label("Theme").select_option("light")
    assert page.evaluate(light) > 0.9
    page.emulate_media(color_scheme="light")
    page.get_by_label("Theme").select_option("dark")
    assert page.evaluate(light) < 0.25
    assert barriers(page) == []
    page.get_by_label("Theme").select_option("")
    assert page.evaluate(light) > 0.9


# --- on paper


def test_it_prints_whole(opened, file, tmp_path):
    one = opened(file, width=PAPER, scheme="dark")
    one.page.emulate_media(media="print")
    assert cut_off(one.page) == []
    assert one.page.evaluate("() => document.documentElement.scrollWidth") <= PAPER * SHRINKS
    paper = one.page.pdf(format="A4", path=tmp_path / "dashboard.pdf")
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", paper))
    assert 3 <= pages <= 14
    ink = one.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ink in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), "paper is white, whatever the screen is"
    picture(one.page, "dashboard-print")


# --- names that data bring


def hostile() -> str:
    """The sample's page where a symbol, two patterns, and what is said of a position and an alarm would be markup."""
    document = sample_document()
    for one in document["dimensions"]:
        if one["key"] == "symbol":
            one["values"][0] = SCRIPT
        if one["key"] == "pattern":
            one["values"][:2] = [IMAGE, FORMULA]
    for position in document["positions"]:
        position["symbol"], position["pattern"] = SCRIPT, IMAGE
    document["alarms"] = [{"kind": IMAGE, "text": SCRIPT, "since": IMAGE}]
    document["changes"] = [SCRIPT]
    document["verdict"]["reason"] = IMAGE
    document["head"]["market"] = f"</title>{SCRIPT}"
    return sample_page(document)


def test_names_stay_names(opened, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(hostile(), encoding="utf-8")
    one = opened(file)
    page = one.page
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    for address in ("group=pattern.symbol&size=250", "group=symbol", "all=&size=250"):
        go_to(page, address)
        page.wait_for_function("() => document.querySelectorAll('#explorer tbody tr').length > 0")
        assert page.locator("#explorer img, #explorer tbody script").count() == 0
    text = page.locator("#trades-table").inner_text()
    assert SCRIPT in text
    assert FORMULA in text
    assert IMAGE in text
    go_to(page, "group=pattern.symbol")
    assert SCRIPT in page.locator('details.filter[data-filter="symbol"]').text_content()
    row = page.locator("#cells-table tbody tr").filter(has_text=FORMULA).first
    follow(page, row.locator("a"))
    assert FORMULA in page.locator("#trades-title").inner_text()
    follow(page, page.locator("#trades-table tbody a").first)
    page.locator("#trade-chart svg").wait_for()
    assert page.locator("img").count() == 0
    assert SCRIPT in page.locator(".alarms").inner_text()
    assert ran == []


def test_a_spreadsheet_gets_names_as_text(opened, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(hostile(), encoding="utf-8")
    page = opened(file).page
    with page.expect_download() as waited:
        page.get_by_role("button", name="Download these cells as CSV").click()
    text = Path(waited.value.path()).read_text(encoding="utf-8")
    assert "'=cmd()" in text
    assert not re.search(r"(^|,)=", text, flags=re.MULTILINE)
