"""Tables, prose and pages: numbers as they are written, words escaped, nothing lost when the disk is full."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pandas as pd
import pytest

from edgebook.errors import NotebookError
from edgebook.report import (
    callout,
    formatted,
    interval,
    prose,
    replace_together,
    table,
)

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
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", page)
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
    assert "<td>1 of two</td>" in page


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
    assert '<tr class="strong"><th scope="row">b</th>' in page
    assert "<td>yes</td>" in page


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
