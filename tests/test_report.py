"""Tables, prose and pages: numbers as they are written, words escaped, nothing lost when the disk is full."""

from __future__ import annotations

import errno
import itertools
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from edgebook.errors import NotebookError
from edgebook.figures.figures import canvas, picture
from edgebook.figures.figures_equity import draw_equity
from edgebook.pages.figures_palette import PAGE_DARK, PAGE_LIGHT, contrast
from edgebook.pages.report import (
    ReportHeader,
    callout,
    formatted,
    interval,
    page,
    prose,
    replace_together,
    table,
)
from edgebook.pages.report_contents import contents_list
from edgebook.pages.report_index import stylesheet

RATES = pd.DataFrame(
    {
        "regime": ["ranging", "volatile"],
        "win_rate": [0.5432, None],
        "win_rate_low": [0.501, None],
        "win_rate_high": [0.584, None],
        "mean_r": [-0.061, 0.0],
        "n": [1204, 0],
    }
)


def rates(note: str = "") -> object:
    return table(
        RATES,
        caption="Win rate by regime",
        note=note,
        formats={"win_rate": "percent", "mean_r": "r"},
        intervals={"win_rate": ("win_rate_low", "win_rate_high")},
    )


def test_a_table_reads_the_same_in_text_and_page() -> None:
    made = rates()
    assert repr(made).splitlines() == [
        "Win rate by regime",
        "Regime    Win rate   95 % interval   Mean r      n",
        "--------  --------  --------------  -------  -----",
        "ranging     54.3 %  50.1 to 58.4 %  −0.06 R  1,204",
        "volatile       n/a             n/a   0.00 R      0",
    ]
    page = made._repr_html_()  # type: ignore[attr-defined]
    cells = re.findall(r"<t[hd][^>]*>(?:<span[^>]*></span>)?([^<]*)</t[hd]>", page)
    assert cells[5:] == [
        "ranging",
        "54.3 %",
        "50.1 to 58.4 %",
        "−0.06 R",
        "1,204",
        "volatile",
        "n/a",
        "n/a",
        "0.00 R",
        "0",
    ]
    assert '<td class="num neg">−0.06 R</td>' in page
    assert page == rates()._repr_html_()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "how", "shown"),
    [
        (1234.5, "number", "1,234.50"),
        (-0.0004, "percent", "0.0 %"),
        (-0.25, "signed_percent", "−25.0 %"),
        (0.019, "points", "+1.9 pp"),
        (-11.0, "bps", "−11.0 bps"),
        (0.0004, "p", "<0.001"),
        (float("inf"), "number", "n/a"),
        (pd.NaT, "date", "n/a"),
        (None, "integer", "n/a"),
        (pd.Timestamp("2019-07-01", tz="UTC"), "date", "2019-07-01"),
    ],
)
def test_numbers_are_written_one_way(value: object, how: str, shown: str) -> None:
    assert formatted(value, how) == shown  # type: ignore[arg-type]


def test_an_interval_has_its_unit_once_and_is_missing_when_an_end_is() -> None:
    assert interval(-0.02, 0.14, "r") == "−0.02 to +0.14 R"
    assert interval(1, 2, "integer") == "1 to 2"
    assert interval(float("nan"), 0.14, "r") == "n/a"


def test_words_of_the_data_cannot_become_markup() -> None:
    frame = pd.DataFrame({"pattern": ["<script>alert(1)</script>"], "status": ["<b>met"]})
    page = table(frame, caption="<i>x", note="a < b", pills={"status": {}})._repr_html_()
    assert "<script" not in page
    assert "<i>" not in page
    assert "<b>met" not in page
    assert "a &lt; b" in page
    assert "<script" not in callout("<script>alert(1)</script>")._repr_html_()


def test_columns_that_were_numbers_before_they_were_written_stand_right() -> None:
    frame = pd.DataFrame(
        {"value": ["+1.2 %", "n/a"], "ends": ["0.97 to 1.35", "−2.2 to +6.0 pp"], "word": ["1 of two", "x"]}
    )
    page = table(frame, caption="c")._repr_html_()
    assert '<td class="num">+1.2 %</td>' in page
    assert '<td class="num">−2.2 to +6.0 pp</td>' in page
    assert '<td class="brief">1 of two</td>' in page


def test_pills_bars_bold_rows_and_truth_values() -> None:
    frame = pd.DataFrame(
        {"goal": ["a", "b"], "share": [0.5, 0.25], "kept": [True, False], "status": ["met", "too early"]}
    )
    page = table(
        frame, caption="c", formats={"share": "percent"}, bars=["share"], strong=[1],
        pills={"status": {"met": "good", "too early": "wait"}},
    )._repr_html_()  # fmt: skip
    assert '<td class="num bar" style="--w:50.0">25.0 %</td>' in page
    assert '<span class="pill good">met</span>' in page
    assert '<tr class="strong"><th scope="row" class="brief">b</th>' in page
    assert '<td class="brief">yes</td>' in page


def test_a_table_of_nothing_says_none() -> None:
    made = table(RATES[:0], caption="Cells that survive")
    assert repr(made).splitlines()[-1] == "none"
    assert ">none</td>" in made._repr_html_()


def test_prose_and_callouts_carry_their_text() -> None:
    assert repr(prose("One.", "", "Two.")) == "One.\n\nTwo."
    assert prose("**x**")._repr_markdown_() == "**x**"
    boxed = callout("Keep *r1*.", kind="caution")
    assert repr(boxed) == "Caution: Keep *r1*."
    assert "<p>Keep <em>r1</em>.</p>" in boxed._repr_html_()


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a.html", tmp_path / "b.ipynb"
    first.write_text("last good")
    write = Path.write_text

    def full(self: Path, *given: object, **named: object) -> int:
        if "b.ipynb" in self.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(
        NotebookError, match=r"b\.ipynb: could not be written \(No space left on device\); the last good"
    ):
        replace_together({first: "new", second: "new"})
    monkeypatch.undo()
    assert first.read_text() == "last good"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_files_are_replaced_together_and_folders_made(tmp_path: Path) -> None:
    files = {tmp_path / "x" / "a.html": "ä\n", tmp_path / "y" / "b.html": "b\n"}
    replace_together(files)
    assert {path: path.read_bytes() for path in files} == {p: t.encode() for p, t in files.items()}
    assert sorted(path.name for path in tmp_path.rglob("*.html")) == ["a.html", "b.html"]


# --- the page of a notebook


def cell_of(shown: object, *, html: str = "", svg: str = "", markdown: str = "") -> nbformat.NotebookNode:
    data = {"text/plain": repr(shown)} | ({"text/html": html} if html else {})
    data |= ({"image/svg+xml": svg} if svg else {}) | ({"text/markdown": markdown} if markdown else {})
    return nbformat.v4.new_code_cell("shown", outputs=[nbformat.v4.new_output("display_data", data=data)])


def notebook_page() -> str:
    figure, (ax,) = canvas(height_in=2)
    draw_equity(pd.DataFrame({"champion": [1.0, 1.2]}, index=pd.date_range("2019-01-01", periods=2)), ax=ax, start=1)
    shown = picture(figure, caption="Net of costs, n = 2 days of <b>x & y.")
    made = table(RATES, caption="Win rate by regime")
    cells = [
        nbformat.v4.new_markdown_cell("# Does it pay?\n\nIn one sentence."),
        nbformat.v4.new_code_cell("run = {}", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_markdown_cell("## What R & costs are\n\nText."),
        cell_of(shown, svg=shown.svg),
        cell_of(made, html=made._repr_html_()),
        nbformat.v4.new_markdown_cell("### Again\n\n## What R & costs are"),
        cell_of(shown, svg=shown.svg),
    ]
    head = ReportHeader(
        "small", "Small", "2019-07-01", "crypto", "main", "r1@2019-07-01", "0a", "0b", (("Small", "s"),)
    )
    return page(nbformat.v4.new_notebook(cells=cells), header=head)


def test_every_heading_is_listed_and_every_link_of_the_page_arrives() -> None:
    made = notebook_page()
    names = re.findall(r' id="([^"]*)"', made)
    assert len(names) == len(set(names)), "a name twice"
    assert set(re.findall(r'href="#([^"]*)"', made)) <= set(names)
    assert {"what-r-costs-are", "again", "what-r-costs-are-2", "report", "figure-1", "figure-2", "table-1"} <= set(
        names
    )
    beside = made[made.index('class="beside"') : made.index("<details><summary>Contents")]
    listed = re.findall(r'<a href="#([^"]*)">([^<]*)</a>', beside)
    assert listed == [
        ("what-r-costs-are", "What R &amp; costs are"),
        ("again", "Again"),
        ("what-r-costs-are-2", "What R &amp; costs are"),
    ]


def test_figures_and_tables_are_numbered_and_have_their_words_beside_them() -> None:
    made = notebook_page()
    captions = [re.sub(r"<[^>]*>", "", text) for text in re.findall(r"<figcaption>(.*?)</figcaption>", made, re.DOTALL)]
    assert [" ".join(text.split()) for text in captions] == [
        "Figure 1Net of costs, n = 2 days of &lt;b&gt;x &amp; y.",
        "Table 1Win rate by regime",
        "Figure 2Net of costs, n = 2 days of &lt;b&gt;x &amp; y.",
    ]
    for svg in re.findall(r"<svg.*?</svg>", made):
        assert "<desc id=" in svg
        assert re.search(r"<title id=[^>]*>Equity of the books, net of costs</title>", svg)
    assert made.count('role="img"') == 2


def test_the_page_can_be_walked_without_a_mouse_and_names_its_parts() -> None:
    made = notebook_page()
    tags = [
        (name, dict(re.findall(r'([a-z-]+)="([^"]*)"', rest))) for name, rest in re.findall(r"<(\w+)([^>]*)>", made)
    ]
    order = [name for name, _ in tags]
    assert order[order.index("body") + 1] == "a", "the first stop"
    assert (tags[order.index("body") + 1][1]["href"], tags[order.index("main")][1]["id"]) == ("#report", "report")
    assert [order.count(name) for name in ("h1", "header", "main", "footer")] == [1, 1, 1, 1]
    assert ("html", {"lang": "en"}) in tags
    assert [given["aria-label"] for name, given in tags if name == "nav"] == ["Reports of the week", "Contents"]
    boxes = [given for _, given in tags if given.get("class") == "wide"]
    assert len(boxes) == 4  # the settings too
    assert all(given.get("aria-label") and given["tabindex"] == "0" for given in boxes)
    assert not re.search(r"<script|javascript:|@import|<link|https?://(?!www\.w3\.org/2000/svg)", made, re.IGNORECASE)
    assert [given.get("class") for _, given in tags if given.get("aria-current") == "page"] == ["here"]


def test_a_page_of_one_heading_has_no_contents_list() -> None:
    assert contents_list([(2, "a", "A")]) == ""


def test_a_regime_a_head_and_an_exit_reason_have_their_colour_in_tables() -> None:
    frame = pd.DataFrame(
        {
            "regime": ["trending bullish", "elsewhere"],
            "head": ["Volatility", "x"],
            "exit": ["stop loss", "y"],
            "n": [1, 2],
        }
    )
    shown = table(frame, caption="c")._repr_html_()
    assert re.findall(r'style="--of:var\(([^)]*)\)"></span>([^<]*)<', shown) == [
        ("--regime-trending-bullish", "trending bullish"),
        ("--head-d", "Volatility"),
        ("--exit-stop-loss", "stop loss"),
    ]


@pytest.mark.parametrize("tones", [PAGE_LIGHT, PAGE_DARK])
def test_letters_of_the_pages_can_be_read_on_what_lies_under_them(tones: dict[str, str]) -> None:
    grounds = ("paper", "ground", "stripe", "code", "accent-wash", "bar")
    for ink, under in [
        *itertools.product(("ink", "soft", "accent"), grounds),
        *itertools.product(("faint",), ("paper", "code", "stripe")),
        *((tone, f"{tone}-wash") for tone in ("good", "bad", "wait")),
        *itertools.product(("good", "bad"), ("paper", "stripe", "accent-wash")),
    ]:
        assert contrast(tones[ink], tones[under]) >= 4.5, (ink, under)


def test_no_dark_rule_reaches_the_printer() -> None:
    css = stylesheet()
    assert PAGE_DARK["paper"] in css
    for rule in re.findall(r"(@media[^{]*)\{[^@]*" + PAGE_DARK["paper"], css):
        assert "screen" in rule
    outside = re.sub(r"@media screen[^{]*\{(?:[^{}]*\{[^{}]*\})*\}", "", css)
    assert PAGE_DARK["paper"] not in outside
