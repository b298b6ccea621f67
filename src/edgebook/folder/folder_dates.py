"""Stamps of a file as moments: every spelling that can be read without a guess, or the one that is declared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from edgebook.settings.bar_files import Files

_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
_ZONE = re.compile(_OFFSET)
_ISO = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$"
_EXAMPLE = "write the bar's close like 2019-01-07T01:00:00Z"
_EPOCH_UNITS = ((1e8, 1e11, 1e3), (1e11, 1e14, 1.0), (1e14, 1e17, 1e-3), (1e17, 1e20, 1e-6))
_EPOCH_WORDS = {1e3: "seconds", 1.0: "milliseconds", 1e-3: "microseconds", 1e-6: "nanoseconds"}
_EARLIEST, _LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
_DAY_MS = 86_400_000
_REWRITTEN = (
    (r"^(\d{2})\.(\d{2})\.(\d{4})", r"\3-\2-\1"),
    (r"^(\d{4})[./](\d{1,2})[./](\d{1,2})", r"\1-\2-\3"),
    (r"^(\d{4})(\d{2})(\d{2})(?:[ T]?(\d{2}):?(\d{2}):?(\d{2})?)?$", r"\1-\2-\3 \4:\5:\6"),
    (r"(?: 0*::|::)$", ""),
    (r":$", ":00"),
    (r" (?:UTC|GMT|Z)$", "Z"),
    (r" (?:UTC|GMT)([+-])", r" \1"),
    (r" ([+-]\d\d:?\d\d)$", r"\1"),
)


@dataclass(frozen=True)
class Stamps:
    """Stamps of a file, before it is said which end of the bar they name.

    Parameters
    ----------
    at : Series
        Of ``datetime64[ms]``: in UTC where `zoned`, else as the file's clock showed it.
    zoned : bool
        The stamps say their offset, or count from 1970.
    days : bool
        The stamps are dates without a time.
    spelled : str
        How they were read, for `edgebook data check`.
    """

    at: pd.Series
    zoned: bool
    days: bool
    spelled: str


def read_stamps(
    column: pa.ChunkedArray, times: pa.ChunkedArray | None, *, files: Files, text: bool, shown: str
) -> Stamps:
    """Read stamps of any known spelling.

    Parameters
    ----------
    column, times : pyarrow.ChunkedArray
        The date, and the time of day where it has a column of its own.
    files : Files
        What is declared.
    text : bool
        The file is text.
    shown : str
        How errors name it.

    Raises
    ------
    DataError
        The first cell that is no date, with its row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not text and not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _typed(column, shown=shown)
    texts = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    if times is not None:
        texts = pc.binary_join_element_wise(texts, _clock_times(times), " ")
    if files.date_format is not None:
        return _formatted(texts.to_pandas(), spelled=files.date_format, shown=shown)
    if len(texts) and pc.all(pc.match_substring_regex(texts, r"^\d{9,19}(\.0*)?$")).as_py():
        counts = texts.cast(pa.float64()).to_numpy()
        if not _are_dates(counts):
            return _epochs(counts, texts, shown=shown)
    return _texts(texts, shown=shown)


def _typed(column: pa.ChunkedArray, *, shown: str) -> Stamps:
    """Stamps of a typed file: timestamps, dates, or numbers that count from 1970."""
    import pyarrow as pa

    kind = column.type
    if column.null_count:
        row = column.is_null().to_numpy().argmax() + 1
        raise DataError(f"{shown}: row {row}: date is missing; correct or drop the row")
    if pa.types.is_date(kind):
        return Stamps(pd.to_datetime(column.to_pandas()).dt.as_unit("ms"), False, True, "dates")
    if pa.types.is_timestamp(kind):
        found = column.to_pandas()
        zoned = kind.tz is not None
        at = (found.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else found).dt.as_unit("ms")
        _check_range(at, at.astype(str), shown=shown)
        return Stamps(at, zoned, not zoned and _all_midnights(at), str(kind))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        counts = column.cast(pa.float64(), safe=False).to_numpy()
        if _are_dates(counts):
            return _texts(pa.chunked_array([pa.array(counts.astype(np.int64)).cast(pa.string())]), shown=shown)
        return _epochs(counts, column, shown=shown)
    raise DataError(f"{shown}: column of dates is {kind}, which is no date; write timestamps in UTC")


def _clock_times(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of day as text: ``093000``, ``930`` and ``9:30`` as ``09:30:00``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_time(times.type):
        return times.cast(pa.string())
    texts = pc.utf8_trim_whitespace(pc.fill_null(times.cast(pa.string()), ""))
    digits = pc.match_substring_regex(texts, r"^\d{1,6}$")
    long = pc.greater(pc.utf8_length(texts), 4)
    padded = pc.if_else(long, pc.utf8_lpad(texts, 6, "0"), pc.binary_join_element_wise(
        pc.utf8_lpad(texts, 4, "0"), "00", ""))  # fmt: skip
    spelled = pc.replace_substring_regex(padded, r"^(\d\d)(\d\d)(\d\d)$", r"\1:\2:\3")
    return pc.if_else(digits, spelled, pc.replace_substring_regex(texts, r"^(\d):", r"0\1:"))


def _are_dates(counts: NDArray[np.float64]) -> bool:
    """Whether whole numbers are dates like 20190107, or 201901070130."""
    with np.errstate(invalid="ignore"):
        for low, high in ((19000101, 22000101), (190001010000, 220001010000), (19000101000000, 22000101000000)):
            if counts.size and ((counts >= low) & (counts <= high)).all():
                months = counts // (low // 190001) % 100
                return bool(((months >= 1) & (months <= 12)).all())
    return False


def _epochs(counts: NDArray[np.float64], cells: pa.ChunkedArray, *, shown: str) -> Stamps:
    """Counts since 1970; the unit by their size."""
    import pyarrow as pa
    import pyarrow.compute as pc

    top = float(np.nanmax(counts)) if counts.size else np.nan
    factor = next((factor for low, high, factor in _EPOCH_UNITS if low <= top < high), None)
    with np.errstate(invalid="ignore"):
        low = next((low for low, high, _ in _EPOCH_UNITS if low <= top < high), 0.0) / 10
        wrong = ~(np.isfinite(counts) & (counts >= low)) if factor else np.ones(counts.size, bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{shown}: row {row + 1}: date {str(cells[row].as_py())[:40]!r} is no time since 1970 in seconds,"
            f" milliseconds, microseconds or nanoseconds; {_EXAMPLE}"
        )
    if pa.types.is_floating(cells.type):
        whole = counts.astype(np.int64)
    else:  # not by way of a float, which is not exact to the nanosecond
        bare = cells if pa.types.is_integer(cells.type) else pc.replace_substring_regex(cells, r"\.0*$", "")
        whole = bare.cast(pa.int64()).to_numpy()
    ms = whole * int(factor) if factor is not None and factor >= 1 else whole // int(1 / (factor or 1))
    at = pd.Series(ms.astype("datetime64[ms]"))
    _check_range(at, at.astype(str), shown=shown)
    return Stamps(at, True, False, f"{_EPOCH_WORDS[factor or 1.0]} since 1970")


def _formatted(texts: pd.Series, *, spelled: str, shown: str) -> Stamps:
    """Dates of the declared format."""
    zoned = "%z" in spelled or spelled.endswith("Z")
    found = pd.to_datetime(texts, format=spelled, errors="coerce", utc=zoned)
    if found.isna().any():
        row = int(found.isna().to_numpy().argmax())
        raise DataError(
            f"{shown}: row {row + 1}: date {texts[row][:40]!r} is not of bars.files.date_format {spelled!r};"
            " correct one of the two"
        )
    at = (found.dt.tz_localize(None) if zoned else found).dt.as_unit("ms")
    _check_range(at, texts, shown=shown)
    return Stamps(at, zoned, not re.search(r"%[HIcsXT]", spelled), spelled)


def _texts(texts: pa.ChunkedArray, *, shown: str) -> Stamps:
    """Dates as text: ISO, and what can be rewritten as it without a guess."""
    import pyarrow.compute as pc

    if (quick := _plain_iso(texts)) is not None:
        return quick
    for pattern, spelled in _REWRITTEN:
        texts = pc.replace_substring_regex(texts, pattern, spelled)
    carries = pc.match_substring_regex(texts, _OFFSET).to_numpy()
    zoned = bool(carries.any()) and len(texts) > 0
    values = texts.to_pandas()
    if zoned and not carries.all():
        _refuse_naive(values, int((~carries).argmax()), shown=shown)
    found = pd.to_datetime(values, format="ISO8601", utc=zoned, errors="coerce")
    if found.isna().any():
        row = int(found.isna().to_numpy().argmax())
        if not zoned and not values[row]:
            _refuse_naive(values, row, shown=shown)
        raise DataError(
            f"{shown}: row {row + 1}: date {values[row][:40]!r} is not a date that is recognised; {_EXAMPLE},"
            " or set bars.files.date_format"
        )
    at = (found.dt.tz_localize(None) if zoned else found).dt.as_unit("ms")
    _check_range(at, values, shown=shown)
    return Stamps(at, zoned, not zoned and _all_midnights(at), "ISO with its offset" if zoned else "ISO")


def _plain_iso(texts: pa.ChunkedArray) -> Stamps | None:
    """ISO stamps of one kind, by the fastest parser; None where one of them is anything else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(texts) == 0 or not pc.all(pc.match_substring_regex(texts, _ISO)).as_py():
        return None
    zoned = bool(_ZONE.search(texts[0].as_py()))
    try:
        found = texts.cast(pa.timestamp("ms", "UTC" if zoned else None))
    except pa.ArrowInvalid:
        return None
    at = pd.Series(found.cast(pa.int64()).to_numpy().astype("datetime64[ms]"))
    if not ((at >= _EARLIEST) & (at < _LATEST)).all():
        return None
    return Stamps(at, zoned, not zoned and _all_midnights(at), "ISO with its offset" if zoned else "ISO")


def _refuse_naive(values: pd.Series, row: int, *, shown: str) -> None:
    """Refuse a stamp of which nobody said whose clock wrote it."""
    raise DataError(
        f"{shown}: row {row + 1}: date {values[row][:40]!r} has no offset from UTC; {_EXAMPLE},"
        " or set bars.files.timezone"
    )


def refuse_naive(column: pa.ChunkedArray, *, text: bool, shown: str) -> None:
    """Refuse stamps without an offset where no zone is declared, by the first of them."""
    if not text:
        raise DataError(
            f"{shown}: column 'date' is {column.type}, without an offset from UTC; write timestamps in UTC,"
            " or set bars.files.timezone"
        )
    _refuse_naive(column.slice(0, 1).to_pandas().fillna(""), 0, shown=shown)


def _all_midnights(at: pd.Series) -> bool:
    """Whether no stamp has a time of day."""
    return len(at) > 0 and bool((at.to_numpy().astype("datetime64[ms]").astype(np.int64) % _DAY_MS == 0).all())


def _check_range(at: pd.Series, cells: pd.Series, *, shown: str) -> None:
    """Raise on a date that no bar has."""
    wrong = ~((at >= _EARLIEST) & (at < _LATEST)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{shown}: row {row + 1}: date {str(cells.iloc[row])[:40]!r} lies before 1900 or after 2199;"
            " correct or drop the row"
        )
