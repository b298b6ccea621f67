"""Figures: the same bytes twice, colours that can be told apart, and numbers that are drawn as they are."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from PIL import Image

from edgebook.figures import figures_equity, figures_rates, figures_regimes, figures_search
from edgebook.figures.figures import COLOURS, HEADS, canvas, colour, line_colours, picture, png, words
from edgebook.figures.figures_axes import count_axis, percent_axis, spread
from edgebook.figures.figures_shades import draw_shades
from edgebook.figures.figures_svg import _path
from edgebook.pages.figures_palette import DARK, DARK_PAPER, PAPER, SERIES, contrast, readable
from edgebook.pages.report_index import stylesheet
from edgebook.paths import repository

SVG = "{http://www.w3.org/2000/svg}"

DAYS = pd.date_range("2018-07-02", periods=60, freq="D", tz="UTC")
RNG = np.random.default_rng(3)
WALK = 10_000 * np.cumprod(1 + RNG.normal(0.001, 0.01, (60, 2)), axis=0)
EQUITY = pd.DataFrame(WALK, index=DAYS, columns=["champion", "frozen"])
RATES = pd.DataFrame(
    {
        "label": ["breakout", "double_bottom", "no pattern"],
        "rate": [0.52, 0.58, 0.47],
        "low": [0.48, 0.52, 0.44],
        "high": [0.56, 0.64, 0.50],
        "n": [610, 240, 1204],
        "badge": [False, True, False],
        "raw": [0.53, 0.66, 0.47],
    }
)
BARS = pd.DataFrame({"label": ["a", "b"], "value": [0.01, 0.03], "low": [0.0, 0.02], "high": [0.02, 0.04]})
CALIBRATION = pd.DataFrame(
    {"predicted": [0.45, 0.55], "observed": [0.47, 0.53], "low": [0.4, 0.5], "high": [0.5, 0.6], "n": [90, 400]}
)
REGIMES = list(figures_regimes.REGIMES)
PRICE = pd.DataFrame({"date": DAYS, "close": EQUITY["champion"].to_numpy(), "regime": np.resize(REGIMES, 60)})
SHARES = pd.DataFrame(np.full((60, 9), 1 / 9), index=DAYS, columns=list(HEADS))
TRIALS = pd.DataFrame({"number": range(30), "value": RNG.normal(size=30), "kind": ["sobol"] * 20 + ["tpe"] * 10})
CORRELATION = pd.DataFrame(np.corrcoef(RNG.normal(size=(6, 50))))

DRAWINGS: dict[str, Callable[[Axes], None]] = {
    "equity": lambda ax: figures_equity.draw_equity(EQUITY, ax=ax, start=10_000),
    "drawdown": lambda ax: figures_equity.draw_drawdown(EQUITY, ax=ax, limit=0.15),
    "wealth": lambda ax: figures_equity.draw_wealth(EQUITY[["champion"]] / 10_000, ax=ax, bar=80, rollback_bar=4),
    "weeks": lambda ax: figures_equity.draw_weeks(
        EQUITY / 20_000,
        ax=ax,
        title="W",
        unit="rate",
        low=EQUITY / 21_000,
        high=EQUITY / 19_000,
        reference=(0.5, "even"),
    ),
    "forest": lambda ax: figures_rates.draw_forest(
        RATES, ax=ax, title="F", reference=0.51, reference_label="break-even"
    ),
    "bars": lambda ax: figures_rates.draw_bars(
        BARS.assign(null_low=0.0, null_high=0.02, kept=[False, True], n=[5, 6]),
        ax=ax,
        title="B",
        unit="u",
        null_label="null",
    ),
    "r": lambda ax: figures_rates.draw_r_histogram(RNG.normal(size=99), ax=ax, mean=(0.1, -0.1, 0.3)),
    "calibration": lambda ax: figures_rates.draw_calibration(CALIBRATION, ax=ax),
    "price": lambda ax: figures_regimes.draw_regime_price(PRICE, ax=ax, title="P"),
    "transitions": lambda ax: figures_regimes.draw_transitions(
        pd.DataFrame([[9, 1], [0, 0]], index=REGIMES[:2], columns=REGIMES[:2]), ax=ax
    ),
    "shares": lambda ax: figures_regimes.draw_shares(SHARES, ax=ax, title="S"),
    "history": lambda ax: figures_search.draw_history(TRIALS, ax=ax, unit="Sharpe ratio", default=0.1),
    "slice": lambda ax: figures_search.draw_slice(
        np.arange(1, 31), TRIALS["value"].to_numpy(), ax=ax, name="half_life_votes", unit="u", log=True, chosen=9
    ),
    "clusters": lambda ax: figures_search.draw_clusters(CORRELATION, ax=ax, clusters=[0, 1, 0, 2, 1, 0], title="C"),
    "matrix": lambda ax: figures_search.draw_matrix(
        pd.DataFrame([[0.2, np.nan]], index=["HEAD_A"], columns=REGIMES[:2]), ax=ax, title="M", unit="regime"
    ),
}


def shown(name: str, *, caption: str = "n 3") -> str:
    figure, (ax,) = canvas(height_in=2.6)
    DRAWINGS[name](ax)
    return picture(figure, caption=caption).svg


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_is_a_small_svg_with_title_units_and_words(name: str) -> None:
    figure, (ax,) = canvas(height_in=2.6)
    DRAWINGS[name](ax)
    made = picture(figure, caption="what it is,\n  n 3")
    root = ElementTree.fromstring(made.svg)
    title, description = root[0], root[1]
    assert (root.attrib["role"], title.tag, description.tag) == ("img", f"{SVG}title", f"{SVG}desc")
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert (title.text, description.text) == (ax.get_title(loc="left") or "untitled", "what it is, n 3")
    assert repr(made) == f"Figure: {title.text}\nwhat it is, n 3"
    assert len(made.svg) < 14_000
    assert ax.get_title(loc="left") or name == "drawdown"
    assert ax.get_ylabel() or name in {"forest", "bars", "matrix", "clusters"}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_page_can_hold_a_drawing_and_recolour_it(name: str) -> None:
    svg = shown(name)
    assert not re.search(
        r"<\?xml|<!|<style|<metadata|<image|https?://(?!www\.w3\.org/2000/svg)|<[^>]*\d\.\d{3}|mathdefault", svg
    )
    assert re.findall(r"(?<!,)#[0-9a-f]{6}\b(?!-)", svg) == [], "a colour that no theme can change"
    named = re.findall(r' id="([^"]*)"', svg)
    assert len(named) == len(set(named))
    assert set(re.findall(r"url\(#([^)]*)\)", svg) + re.findall(r'href="#([^"]*)"', svg)) <= set(named)
    assert set(re.findall(r"var\((--[a-z0-9-]*)", svg)) <= {*re.findall(r"--[a-z0-9-]+(?=:)", stylesheet())}


def test_figures_of_one_page_have_no_name_in_common() -> None:
    names = [set(re.findall(r' id="([^"]*)"', shown(name))) for name in DRAWINGS]
    assert len(set().union(*names)) == sum(map(len, names))


def test_a_picture_is_the_same_whatever_the_session_set_before() -> None:
    first = shown("forest")
    with matplotlib.rc_context({"font.size": 19, "axes.grid": False, "savefig.dpi": 40, "text.color": "red"}):
        assert shown("forest") == first
    assert shown("forest", caption="n 4") != first


SAVED = sorted((repository() / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", SAVED, ids=[path.stem for path in SAVED])
def test_every_figure_of_the_committed_sample_is_small_named_and_recoloured(path: Path) -> None:
    outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
    shown = ["".join(o["data"]["image/svg+xml"]) for o in outputs if "image/svg+xml" in o.get("data", {})]
    assert shown, "a report without a figure"
    assert not [o for o in outputs if "image/png" in o.get("data", {})]
    for svg in shown:
        root = ElementTree.fromstring(svg)
        assert root[0].text
        assert root[1].text
        assert len(svg) < 80_000, root[0].text
        assert re.findall(r"(?<!,)#[0-9a-f]{6}\b(?!-)", svg) == [], root[0].text
        assert not re.search(r"<image|<style|mathdefault", svg), root[0].text


def test_names_of_the_data_are_letters_and_nothing_else() -> None:
    names = ["<script>alert(1)</script>", "$a_b$ & \"c'", "=cmd()"]
    figure, (ax,) = canvas()
    table = RATES.assign(label=names)
    figures_rates.draw_forest(table, ax=ax, title="<b>$x$", reference=0.51, reference_label="break-even")
    svg = picture(figure, caption="<i>n & 3").svg
    assert not re.search(r"<script|<b>|<i>", svg)
    texts = [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert {"<script>alert(1)</script>", "$a b$ & \"c'", "=cmd()", "<b>$x$"} <= set(texts)


def test_points_are_rounded_where_they_are_and_not_step_by_step() -> None:
    rng = np.random.default_rng(1)
    points = np.cumsum(rng.normal(0, 0.3, (400, 2)), axis=0)
    path = "M " + " L ".join(f"{x} {y}" for x, y in points)
    at, seen = np.zeros(2), []
    for kind, numbers in re.findall(r"([Mlhv])([^Mlhv]*)", _path(path)):
        steps = [float(step) for step in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        pairs = {"h": [(x, 0) for x in steps], "v": [(0, y) for y in steps]}.get(kind) or list(
            zip(steps[::2], steps[1::2], strict=True)
        )
        for pair in pairs:
            at = np.array(pair) if kind == "M" else at + pair
            seen.append(at)
    wanted = [
        point for i, point in enumerate(np.round(points, 2)) if not i or (point != np.round(points, 2)[i - 1]).any()
    ]
    np.testing.assert_allclose(seen, wanted, atol=1e-9)


def test_shades_are_one_shape_a_level_and_cover_each_cell_once() -> None:
    _, (ax,) = canvas()
    values = np.array([[1.0, 1.0, -1.0], [0.5, np.nan, 0.0]])
    draw_shades(values, ax=ax, shade="#17456e", below="#c8553d", ceiling=1.0, levels=4)
    assert sorted((patch.get_alpha(), len(patch.get_path().vertices) // 5) for patch in ax.patches) == [
        (0.5, 1),
        (1.0, 1),
        (1.0, 1),
    ]
    inside = [patch for patch in ax.patches if patch.get_path().contains_point((1, 0))]
    assert [patch.get_alpha() for patch in inside] == [1.0]


def test_a_file_for_the_docs_is_a_small_palette_png() -> None:
    def made() -> bytes:
        figure, (ax,) = canvas()
        DRAWINGS["forest"](ax)
        return png(figure, caption="n 3").data

    image = Image.open(io.BytesIO(made()))
    assert (image.mode, image.size[0]) == ("P", 1170)
    assert not image.info.keys() & {"Software", "Creation Time"}
    assert made() == made()


@pytest.mark.parametrize(
    "together",
    [
        ["champion", "challenger", "frozen"],
        ["champion", "challenger", "no_learning"],
        REGIMES,
        ["long", "short"],
        ["take_profit", "stop_loss", "time_exit"],
    ],
)
def test_colours_that_stand_together_are_told_apart_when_colour_blind(together: list[str]) -> None:
    # Machado, Oliveira & Fernandes (2009), severity 1: protanopia, deuteranopia
    blind = [
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    ]
    for matrix in [np.eye(3), *blind]:
        for theme in (COLOURS, {name: DARK[shade] for name, shade in COLOURS.items()}):
            seen = [matrix @ _linear(theme[name]) for name in together]
            for one, other in itertools.combinations(map(_lab, seen), 2):
                assert np.linalg.norm(one - other) > 15, together


def _linear(shade: str) -> np.ndarray:
    value = np.array([int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(
        linear, 0, 1
    )
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_letters_can_be_read_on_light_paper_and_on_dark() -> None:
    for shade in {*COLOURS.values(), *SERIES}:
        assert contrast(readable(shade), PAPER) >= 4.5, shade
        assert contrast(readable(DARK[shade], on=DARK_PAPER), DARK_PAPER) >= 4.5, shade
        assert contrast(DARK[shade], DARK_PAPER) >= 3, shade


def test_lines_take_their_meaning_and_the_others_the_next_colour() -> None:
    assert line_colours(["r3", "champion", "r4"]) == ["#17456e", COLOURS["champion"], "#d9822b"]
    assert colour("A") == colour("HEAD_A")
    assert words("HEAD_B") == "Mean reversion"
    with pytest.raises(KeyError):
        colour("unheard_of")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.3))
def test_labels_are_moved_apart_in_their_order(heights: list[float], gap: float) -> None:
    placed = spread(heights, gap=gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(np.array(placed)[order]) >= gap - 1e-9).all()
    assert np.mean(placed) == pytest.approx(np.mean(heights))
    if (np.diff(np.array(heights)[order]) >= gap).all():
        assert placed == pytest.approx(heights)


def test_the_best_rate_is_on_top_with_its_numbers_beside_it() -> None:
    _, (ax,) = canvas()
    figures_rates.draw_forest(RATES, ax=ax, title="F", reference=0.51, reference_label="break-even")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["no pattern", "breakout", "double bottom"]
    beside = [text.get_text() for text in ax.texts]
    assert {"58.0 %", "52 to 64", "240", "1,204", "break-even 51.0 %"} <= set(beside)


def test_r_beyond_the_edge_is_counted_in_the_outermost_bar() -> None:
    _, (ax,) = canvas()
    r = np.array([-9.0, -1.0, 0.5, 0.7, 40.0, np.nan])
    figures_rates.draw_r_histogram(r, ax=ax, mean=(0.1, -0.2, 0.4))
    heights = [bar.get_height() for bar in ax.patches if 0 < bar.get_width() < 0.2 and bar.get_y() == 0]
    assert sum(heights) == 5
    labels = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert {"losing (2)", "winning (3)", "mean +0.10 R, 95 % −0.20 to +0.40"} <= set(labels)


def test_drawdown_is_measured_from_the_highest_equity_before() -> None:
    _, (ax,) = canvas()
    equity = pd.DataFrame({"champion": [100.0, 120.0, 90.0, 130.0]}, index=DAYS[:4])
    figures_equity.draw_drawdown(equity, ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 0, -0.25, 0])


def test_only_the_challenger_on_trial_has_the_challengers_colour() -> None:
    _, (ax,) = canvas()
    wealth = pd.DataFrame({"r2": [1.0, 0.8, np.nan], "r3": [np.nan, 1.0, 1.4]}, index=DAYS[:3])
    figures_equity.draw_wealth(wealth, ax=ax, bar=80)
    drawn = {line.get_color() for line in ax.lines if len(np.asarray(line.get_ydata())) == 3}
    assert colour("challenger") in drawn
    assert len(drawn) == 2
    assert "r3 1.4" in [text.get_text() for text in ax.texts]


def test_ticks_that_are_close_together_do_not_read_alike() -> None:
    _, (ax,) = canvas()
    percent_axis(ax.yaxis)
    for low, high, expected in ((0.42, 0.45, "42.5 %"), (0.35, 0.52, "38 %"), (-0.3, 0.2, "−10 %")):
        ax.set_ylim(low, high)
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert expected in labels
        assert len(set(labels)) == len(labels)


def test_few_trades_are_counted_in_whole_numbers() -> None:
    _, (ax,) = canvas()
    count_axis(ax.yaxis)
    ax.set_ylim(0, 3)
    assert [f"{tick:g}" for tick in ax.get_yticks()] == ["0", "1", "2", "3"]


def test_nothing_to_draw_is_said_and_not_an_error() -> None:
    empty = {
        "forest": lambda ax: figures_rates.draw_forest(RATES[:0], ax=ax, title="T", reference=0.5, reference_label="b"),
        "bars": lambda ax: figures_rates.draw_bars(BARS[:0], ax=ax, title="T", unit="u"),
        "r": lambda ax: figures_rates.draw_r_histogram(np.array([]), ax=ax, mean=(np.nan, np.nan, np.nan)),
        "calibration": lambda ax: figures_rates.draw_calibration(CALIBRATION[:0], ax=ax),
        "history": lambda ax: figures_search.draw_history(TRIALS[:0], ax=ax, unit="u"),
        "equity": lambda ax: figures_equity.draw_equity(EQUITY[:0], ax=ax, start=1),
        "drawdown": lambda ax: figures_equity.draw_drawdown(EQUITY[:0], ax=ax),
        "wealth": lambda ax: figures_equity.draw_wealth(EQUITY * np.nan, ax=ax, bar=80),
        "weeks": lambda ax: figures_equity.draw_weeks(EQUITY * np.nan, ax=ax, title="T", unit="u"),
        "price": lambda ax: figures_regimes.draw_regime_price(PRICE[:0], ax=ax, title="T"),
        "shares": lambda ax: figures_regimes.draw_shares(SHARES[:0], ax=ax, title="T"),
    }
    for name, draw in empty.items():
        _, (ax,) = canvas()
        draw(ax)
        assert [text.get_text() for text in ax.texts] == ["nothing to show yet (n = 0)"], name
