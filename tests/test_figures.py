"""Figures: the same bytes twice, colours that can be told apart, and numbers that are drawn as they are."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from PIL import Image

from edgebook import figures_equity, figures_rates, figures_regimes, figures_search
from edgebook.figures import COLOURS, HEADS, canvas, colour, line_colours, png, words
from edgebook.figures_axes import readable, spread

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


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_is_a_small_palette_png_with_title_and_units(name: str) -> None:
    figure, (ax,) = canvas(height_in=2.6)
    DRAWINGS[name](ax)
    picture = png(figure, caption="n 3")
    image = Image.open(io.BytesIO(picture.data))
    assert image.mode == "P"
    assert image.size[0] == 1170
    assert not image.info.keys() & {"Software", "Creation Time"}
    assert len(picture.data) < 45_000
    assert repr(picture).endswith("\nn 3")
    assert ax.get_title(loc="left") or name == "drawdown"
    assert ax.get_ylabel() or name in {"forest", "bars", "matrix", "clusters"}


def test_a_picture_is_the_same_whatever_the_session_set_before() -> None:
    def bytes_now() -> bytes:
        figure, (ax,) = canvas(height_in=2)
        figures_rates.draw_forest(RATES, ax=ax, title="F", reference=0.51, reference_label="break-even")
        return png(figure, caption="").data

    first = bytes_now()
    with matplotlib.rc_context({"font.size": 19, "axes.grid": False, "savefig.dpi": 40, "text.color": "red"}):
        assert bytes_now() == first


def test_a_thin_mark_keeps_its_colour() -> None:
    figure, (ax,) = canvas()
    figures_rates.draw_forest(RATES, ax=ax, title="F", reference=0.51, reference_label="break-even")
    image = Image.open(io.BytesIO(png(figure, caption="").data)).convert("RGB")
    shown = {"#{:02x}{:02x}{:02x}".format(*value) for _, value in image.getcolors(1 << 20)}
    assert {colour("champion"), colour("challenger"), colour("frozen"), "#ffffff"} <= shown


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
        seen = [matrix @ _linear(colour(name)) for name in together]
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


def test_letters_are_never_pale() -> None:
    for shade in COLOURS.values():
        luminance = np.array([0.2126, 0.7152, 0.0722]) @ _linear(readable(shade))
        assert 1.05 / (luminance + 0.05) > 2.9, shade


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
