"""The page over all weeks: lines that rise when values do, marks where something happened, small for many weeks."""

from __future__ import annotations

import datetime
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from edgebook.dashboard.all_weeks import Estimate, Event, Wealth, WeekRow, all_weeks
from edgebook.dashboard.all_weeks_page import all_weeks_page
from edgebook.figures.trend_lines import Series, across, date_ticks, trend
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params

HOSTILE = "<script>alert(1)</script>"


def row(number: int, **more: object) -> WeekRow:
    as_of = (datetime.date(2012, 1, 2) + datetime.timedelta(days=7 * number)).isoformat()
    given = {
        "as_of": as_of, "champion": "r1", "version": f"r1@{as_of}", "decision": "keep", "signals": 31,
        "equity": 100_000.0 + 100 * number, "challenger": "r3", "win_rate": Estimate(0.54, 0.5, 0.58),
        "expectancy": Estimate(0.05, -0.1, 0.2), "break_even": 0.47, "wealth": (Wealth("promotion", "r3", 1.3, 40.0),),
    }  # fmt: skip
    return WeekRow(**given | more)


def page(rows: list[WeekRow]) -> str:
    return all_weeks_page(rows, market="crypto", history="main")


class Elements(HTMLParser):
    """Every element by its name and attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def classed(self, name: str) -> list[dict[str, str | None]]:
        return [given for _, given in self.found if name in (given.get("class") or "").split()]


# --- lines


def test_what_rises_is_drawn_upwards_and_a_gap_stays_a_gap() -> None:
    made = trend([Series([1.0, 2.0, None, 4.0, 3.0], "book")], write=str)
    first, second = ([tuple(map(float, p.split(","))) for p in line.points.split()] for line in made.lines)
    assert [x for x, _ in first] == [0.0, 250.0]
    assert first[0][1] > first[1][1] > second[1][1] > second[0][1]
    assert [x for x, _ in second] == [750.0, 1000.0]


def test_a_lone_week_and_one_value_are_drawn() -> None:
    assert trend([Series([None, 5.0, None], "x")], write=str).lines[0].points == "500,50 502,50"
    assert trend([Series([5.0], "x")], write=str).lines[0].points == "0,50 2,50"
    assert trend([Series([None, None], "x")], write=str).lines == ()


def test_a_logarithmic_axis_has_its_decades_and_cuts_what_leaves_it() -> None:
    made = trend([Series([1e-9, 1.0, 100.0], "x")], write="{:g}".format, log=True, within=(0.01, 1e6))
    assert [tick.text for tick in made.ticks] == ["0.01", "1", "100"]
    heights = [float(p.split(",")[1]) for p in made.lines[0].points.split()]
    assert heights == [95.0, 50.0, 5.0]


def test_a_band_goes_there_and_back() -> None:
    made = trend([Series([2.0, 2.0], "x", [1.0, 1.5], [3.0, 2.5])], write=str)
    assert made.bands == ("0,5 1000,27.5 1000,72.5 0,95",)


@pytest.mark.parametrize("weeks", [2, 7, 30, 66, 140, 500, 1500])
def test_dates_are_few_in_order_and_inside(weeks: int) -> None:
    ticks = date_ticks([row(n).as_of for n in range(weeks)])
    assert 1 <= len(ticks) <= 6
    places = [tick.at for tick in ticks]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= 100


# --- the page


def test_weeks_stand_last_first_and_link_where_there_are_reports() -> None:
    rows = [row(1), row(2, address=f"{row(2).as_of}/index.html"), row(0)]
    made = page(rows)
    body = made[made.rindex("<tbody>") :]
    assert body.index(row(2).as_of) < body.index(row(1).as_of) < body.index(row(0).as_of)
    assert f'<a href="{row(2).as_of}/index.html">{row(2).as_of}</a>' in body
    assert body.count("<a ") == 1
    for shown in ("54.0 %", "50.0 to 58.0 %", "+0.05 R", "1.30 of 40", "100,200", "3 sealed weeks"):
        assert shown in made


def test_one_week_none_and_weeks_without_trades_have_a_page() -> None:
    assert "0 sealed weeks" in page([])
    early = row(0, win_rate=Estimate(), expectancy=Estimate(), break_even=None, wealth=(), challenger="")
    assert "1 sealed week<" in page([early])
    empty = page([early, replace(early, as_of="2012-01-09")])
    assert "nothing has closed" in empty
    assert "no challenger now" in empty


def test_what_happened_is_marked_in_the_lanes_through_the_pictures_and_in_words() -> None:
    rows = [row(n) for n in range(40)]
    rows[10] = row(10, events=(Event("promoted", "r3", "wealth 41 reached the bar"),), decision="promote r3")
    for n in range(10, 30):
        rows[n] = replace(rows[n], champion="r3", challenger="")
    rows[30] = row(30, events=(Event("rolled back", "r1", "r3 did worse"),), challenger="r5", alarms=2)
    rows[35] = row(35, events=(Event("retired", "r5", "hopeless"),), challenger="")
    made = Elements(page(rows))
    lines = [(m["class"], m["style"]) for m in made.classed("rule")]
    assert len(lines) == 2 * 4, "a line a change of champion, through each of four pictures"
    at = f"left:{across(10, weeks=40)}%"
    assert [style for kind, style in lines if "promoted" in kind] == [at] * 4
    marks = [m for m in made.classed("mark") if m.get("style") and "rule" not in m["class"]]
    assert [m["title"] for m in marks] == [
        f"{rows[10].as_of}: r3 promoted", f"{rows[30].as_of}: r1 rolled back", f"{rows[35].as_of}: r5 retired",
    ]  # fmt: skip
    lanes = [given["aria-label"] for tag, given in made.found if "lane" in (given.get("class") or "")]
    assert lanes[0] == (
        f"Champions: r1, {rows[0].as_of} to {rows[10].as_of}; r3, {rows[10].as_of} to {rows[30].as_of}; "
        f"r1, {rows[30].as_of} to now"
    )
    assert lanes[3] == f"2 drift alarms: {rows[30].as_of}: 2"
    text = " ".join(made.text)
    for said in ("r3 promoted", "wealth 41 reached the bar", "r1 rolled back", "r5 retired", "2 drift alarms"):
        assert said in text


def test_marks_that_would_touch_are_one_and_a_promotion_stays_visible() -> None:
    rows = [row(n) for n in range(300)]
    rows[100] = row(100, events=(Event("retired", "r4", ""),))
    rows[101] = row(101, events=(Event("promoted", "r5", ""),))
    made = Elements(page(rows))
    marks = [m for m in made.classed("mark") if m.get("title") and "rule" not in m["class"]]
    assert [m["class"] for m in marks] == ["mark promoted"]
    assert marks[0]["title"] == f"{rows[101].as_of}: r5 promoted; {rows[100].as_of}: r4 retired"


def test_every_picture_has_a_text_for_those_who_do_not_see_it() -> None:
    made = page([row(n, equity=100.0 + (n == 3)) for n in range(8)])
    assert made.count('role="img" aria-labelledby=') == made.count("<desc ") == 4
    assert f"Equity by week, 8 weeks: 100 on {row(0).as_of}, lowest 100" in made
    assert f"highest 101 on {row(3).as_of}" in made


def test_the_page_has_no_script_leaves_for_nowhere_and_takes_names_as_names() -> None:
    bad = Event("retired", HOSTILE, f'"><img src=x>{HOSTILE}')
    rows = [row(n, champion=HOSTILE, challenger='"><b>', events=(bad,)) for n in range(3)]
    made = all_weeks_page(rows, market=HOSTILE, history="=cmd()", verdict=HOSTILE)
    assert not re.search(r"<script|<img|javascript:|@import|<link|https?://", made, re.IGNORECASE)
    assert not [tag for tag, given in Elements(made).found if tag == "b" and given]
    assert HOSTILE in "".join(Elements(made).text)


def many(weeks: int) -> list[WeekRow]:
    """Ten busy years: a trial every half year, each third one promoted, an alarm now and then."""
    rows = []
    for n in range(weeks):
        arm, age = f"r{3 + n // 26}", n % 26
        events = (Event("admitted", arm, "tuning"),) if age == 0 else ()
        if age == 25:
            events = (Event("promoted" if n // 26 % 3 == 0 else "retired", arm, "wealth 41.2 against 40"),)
        rows.append(
            row(n, champion=f"r{1 + n // 78}", challenger=arm, events=events, alarms=int(n % 17 == 0),
                equity=100_000 * (1 + 0.1 * ((n * 7919) % 97) / 97), win_rate=Estimate(0.5 + (n % 13) / 100, 0.4, 0.6),
                wealth=(Wealth("promotion", arm, 1 + age, 40.0), Wealth("rollback", "r1", 1.0, 4.0)),
                address=f"{row(n).as_of}/index.html")
        )  # fmt: skip
    return rows


def test_ten_years_of_weeks_are_a_small_page() -> None:
    made = page(many(520))
    assert len(made.encode()) < 300_000
    assert made == page(list(reversed(many(520)))), "in any order, the same bytes"
    lanes = Elements(made).classed("lane")
    assert len(lanes) == 4


def test_the_rows_of_a_history_say_what_its_seals_say(small) -> None:
    week = Week(load_params(small.params).run, small)
    rows = all_weeks(week)
    assert [one.as_of for one in rows] == week.weeks
    assert rows[-1].equity == week.seal.account.equity
    assert rows[-1].address == f"{week.as_of}/index.html"
    assert rows[0].address == ""
    assert [event.kind for event in rows[0].events] == ["genesis", "admitted"]
    trades = week.ledger[week.ledger["status"] == "closed"]  # nine weeks: all lie within the window
    assert rows[-1].win_rate.value == pytest.approx((trades["profit_ratio"] > 0).mean(), abs=1e-6)
    assert rows[-1].expectancy.value == pytest.approx(trades["r_multiple"].mean(), abs=1e-6)
    assert sum(one.signals for one in rows) == len(trades)
    assert rows[-1].wealth[0].value == week.seal.head["decision"]["wealth"]
    assert f"{len(rows)} sealed weeks" in all_weeks_page(rows, market=week.market, history=week.history)


@pytest.mark.parametrize("weeks", [66, 90, 260, 520])
def test_dates_do_not_run_into_each_other_on_a_phone(weeks: int) -> None:
    """300 pixels of axis, 6.5 a letter; the first and last date are written inwards."""
    taken = []
    for at, text in date_ticks([row(n).as_of for n in range(weeks)]):
        wide = 6.5 * len(text)
        begin = 3 * at if at < 6 else 3 * at - wide if at > 94 else 3 * at - wide / 2
        taken.append((begin, begin + wide))
    assert len(taken) >= 3
    assert all(a[1] < b[0] for a, b in itertools.pairwise(taken))
