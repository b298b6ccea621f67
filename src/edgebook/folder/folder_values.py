"""Prices and volumes of a file as numbers: decimal sign, scale, adjusted close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.bars.bars import PRICES
from edgebook.errors import DataError
from edgebook.settings.bar_files import ALL_PAIRS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from edgebook.folder.folder_contents import Read
    from edgebook.settings.bar_files import Files

_SCALED_DECIMALS = 10


def read_values(read: Read, *, files: Files, shown: str) -> dict[str, NDArray[np.float64]]:
    """Numbers of each field of a file, row by row.

    Parameters
    ----------
    read : Read
        The file's table.
    files : Files
        What is declared.
    shown : str
        How errors name the file.

    Returns
    -------
    dict
        ``open`` to ``volume``: volume is nought where it is declared that there is none.

    Raises
    ------
    DataError
        The first cell that is no number, with its row.

    Notes
    -----
    MetaTrader has real and tick volume; real volume that is nought throughout stands for none, and ticks are taken.
    """
    by_field = read.columns.by_field
    values = {name: _column(read, by_field[name], name=name, files=files, shown=shown) for name in PRICES}
    if files.volume == "none":
        values["volume"] = np.zeros(len(read.table))
    else:
        values["volume"] = _column(read, by_field["volume"], name="volume", files=files, shown=shown)
        if "volume" in read.columns.also and not values["volume"].any():
            values["volume"] = _column(read, read.columns.also["volume"], name="volume", files=files, shown=shown)
    if files.adjusted_close == "scale" and "adjusted_close" in by_field:
        adjusted = _column(read, by_field["adjusted_close"], name="adjusted_close", files=files, shown=shown)
        _scale_by(adjusted, values, shown=shown)
    return values


def scaled(bars: pd.DataFrame, *, scales: Mapping[str, float]) -> pd.DataFrame:
    """Prices of one pair by its declared scale, rounded to 10 decimals."""
    scale = scales.get(bars["pair"].iloc[0], scales.get(ALL_PAIRS, 1.0))
    if scale == 1.0:
        return bars
    return bars.assign(**{name: np.round(bars[name].to_numpy() * scale, _SCALED_DECIMALS) for name in PRICES})


def _scale_by(adjusted: NDArray[np.float64], values: dict[str, NDArray[np.float64]], *, shown: str) -> None:
    """Bring a row's prices to its adjusted close, and its volume to the same money."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = adjusted / values["close"]
        wrong = ~(np.isfinite(scale) & (scale > 0))
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                f"{shown}: row {row + 1}: adjusted close {adjusted[row]:.10g} of close {values['close'][row]:.10g} is"
                " no scale; correct or drop the row"
            )
        for name in PRICES:
            values[name] = np.round(values[name] * scale, _SCALED_DECIMALS)
        values["volume"] = np.round(values["volume"] / scale, 6)


def _column(read: Read, column: str, *, name: str, files: Files, shown: str) -> NDArray[np.float64]:
    """Read one column."""
    cells = read.table[column]
    return _from_text(cells, name=name, files=files, shown=shown) if read.text else _typed(
        cells, name=name, shown=shown)  # fmt: skip


def _from_text(cells: pa.ChunkedArray, *, name: str, files: Files, shown: str) -> NDArray[np.float64]:
    """Read numbers, each to the nearest float."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    given = cells
    if files.decimal == "comma":
        cells = pc.replace_substring(pc.replace_substring(cells, ".", "no"), ",", ".")
    try:
        return _plain(cells.cast(pa.float64()))
    except pa.ArrowInvalid as error:
        values = pc.utf8_trim_whitespace(pc.fill_null(cells, ""))
        try:
            return _plain(values.cast(pa.float64()))
        except pa.ArrowInvalid:
            wrong = pd.to_numeric(values.to_pandas(), errors="coerce").isna()
        row = int(wrong.to_numpy().argmax())
        cell = (given[row].as_py() or "").strip()[:40]
        remedy = "correct or drop the row"
        if files.decimal == "point" and cell.count(",") == 1:
            remedy = "set bars.files.decimal: comma, or correct the row"
        raise DataError(f"{shown}: row {row + 1}: {name} {cell!r} is not a number; {remedy}") from error


def _typed(cells: pa.ChunkedArray, *, name: str, shown: str) -> NDArray[np.float64]:
    """Take numbers of a typed file."""
    import pyarrow as pa

    kind = cells.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(f"{shown}: column {name!r} is {kind}, not a number; write it as float64")
    return _plain(cells.cast(pa.float64(), safe=False))


def _plain(cells: pa.ChunkedArray) -> NDArray[np.float64]:
    """Numbers without a value as nan."""
    numbers: NDArray[np.float64] = cells.to_pandas().to_numpy(dtype=np.float64)
    return numbers
