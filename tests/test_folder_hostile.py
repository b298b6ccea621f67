"""Files that are wrong: each is refused in one line that names the file and what to do, or read correctly."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import COLUMNS, PRICES, utc
from edgebook.errors import DataError, EdgebookError
from edgebook.folder.folder import folder_bars
from edgebook.folder.folder_names import safe_pair
from edgebook.sources.sources import load_bars
from test_folder_dialects import OHLCV, put, read, refusal, table

HEADER = "date,open,high,low,close,volume\n"
ONE = "2019-01-07T01:00:00Z,10,12,9,11,3\n"
TWO = "2019-01-07T02:00:00Z,11,12,9,11,3\n"
STRICT = "BTC-USD_1h.csv"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no bars at all; add rows or take the file away"),
        ("\n\n", "no bars at all"),
        (HEADER.strip(), "no bars at all"),
        ("\0\0\0", "line 1: a NUL byte; the file is damaged"),
        (HEADER + ONE + TWO.replace("11", "1\0001", 1), "line 3: a NUL byte"),
        ((HEADER + ONE).encode() + b"\xe9" + TWO.encode(), "line 3: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfe\x00", "begins as UTF-16 and is not"),
        (HEADER + ONE.replace("10", "inf"), "row 1 (2019-01-07 01:00): open is inf, not a finite number"),
        (HEADER + ONE.replace("10", "-10"), "row 1 (2019-01-07 01:00): open -10 is not positive"),
        (HEADER + ONE.replace("10", "0"), "row 1 (2019-01-07 01:00): open 0 is not positive"),
        (HEADER + ONE.replace("12", "1e300"), "row 1 (2019-01-07 01:00): high 1e+300 is no price"),
        (HEADER + ONE.replace(",3\n", ",1e300\n"), "row 1 (2019-01-07 01:00): volume 1e+300 is no volume"),
        (HEADER + TWO + ONE, "row 2 (2019-01-07 01:00): date is before that of the row above; sort"),
        (HEADER + ONE + ONE, "row 2 (2019-01-07 01:00): date is there twice"),
        (HEADER + ONE.replace("2019", "9999"), "row 1: date '9999-01-07T01:00:00Z' lies before 1900 or after 2199"),
        (HEADER + ONE.replace("2019-01-07T", "2019-02-30T"), "row 1: date '2019-02-30T01:00:00Z' is not a date"),
        (HEADER + ONE.replace("10,", "=1+1,"), "row 1: open '=1+1' is not a number"),
        (HEADER.replace("low", "high") + ONE, "columns high, high can each be 'high'; say which in bars.files.columns"),
        (",".join(f"c{i}" for i in range(10_000)) + "\n", "10,000 columns; at most 1,000 are read"),
        ("x" * (2 << 20), "the first line has more than a mebibyte"),
        ("a" * 3000 + "\x1b[31m,b\n1,2\n", "column 'date' is missing (it has aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, b)"),
        ('date,"open\n', "column 'high' is missing (it has date, open)"),
        ("1,2,3\n", "no header, and 3 columns; add a header, or number them in bars.files.columns"),
        ("<html><body>404</body></html>\n", "column 'date' is missing (it has <html><body>404</body></html>)"),
        ("open_time,open,high,low,close,volume\nnan,1,1,1,1,1\n", "row 1: date 'nan' is not a date"),
        ("unix,open,high,low,close,volume\n1e300,1,1,1,1,1\n", "row 1: date '1e300' is not a date"),
        ("unix,open,high,low,close,volume\n12,1,1,1,1,1\n", "row 1: date '12' is not a date"),
        ("timestamp,open,high,low,close,volume\n2019-01-07T01:00:00Z,1,1,1,1,1\n",
         "nothing says whether 'timestamp' is a bar's open or its close; set bars.files.stamp: open or close"),
        ("time,open,high,low,close\n2019-01-07T01:00:00Z,1,1,1,1\n", "or set bars.files.volume: none"),
        ("t,Open,open,high,low,close,volume\n", "columns Open, open can each be 'open'; say which in bars.files"),
        ("unix,open,high,low,close,Volume BTC,Volume ETH\n", "columns Volume BTC, Volume ETH can each be 'volume'"),
        ("open_time;open;high;low;close;volume\n2019-01-07T01:00Z;1,5;2;1;1;1\n", "set bars.files.decimal: comma"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_file_is_one_line(tmp_path: Path, content: str | bytes, says: str) -> None:
    put(tmp_path, STRICT, content)
    message = refusal(tmp_path)
    assert message.startswith(f"{STRICT}: ")
    assert says in message


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    put(tmp_path, "BTC-USD_1h.csv.gz", gzip.compress(b"0" * (24 << 20), compresslevel=9))
    assert "bytes unpack to more than 20 MiB, more than a table of bars does" in refusal(tmp_path)


def test_a_packed_file_that_broke_off_is_named(tmp_path: Path) -> None:
    put(tmp_path, "BTC-USD_1h.csv.gz", gzip.compress((HEADER + ONE).encode())[:-9])
    assert refusal(tmp_path).startswith("BTC-USD_1h.csv.gz: cannot be read (")


def test_a_parquet_file_that_broke_off_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"date": [1.0] * 1000}).to_parquet(tmp_path / "BTC-USD_1h.parquet")
    whole = (tmp_path / "BTC-USD_1h.parquet").read_bytes()
    put(tmp_path, "BTC-USD_1h.parquet", whole[: len(whole) // 2] + whole[-40:])
    assert "not a readable Parquet file" in refusal(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["=SUM(A1)_1h", "@x_1h", "-1_1h", "<b>x_1h", "a'b_1h", 'a"b_1h', "a;rm_1h", "a..b_1h", "x\ny_1h",
     "\x1b[31m_1h", "é_1h", "a" * 60 + "_1h"],
)  # fmt: skip
def test_a_symbol_that_is_not_safe_is_refused_and_can_be_renamed(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"{name}.csv", HEADER + ONE + TWO)
    message = refusal(tmp_path, timeframe="1h")
    assert "is not safe in a file name, a page or a table; rename it, or give it a name in bars.files.pairs" in message
    (bars,) = read(tmp_path, timeframe="1h", pairs={name.removesuffix("_1h"): "BTC/USD"})
    assert bars["pair"].tolist() == ["BTC/USD"] * 2


def test_symbols_of_a_column_are_held_to_the_same(tmp_path: Path) -> None:
    put(tmp_path, "all.csv", table("../../etc,2019-01-07T00:00Z", "X,2019-01-07T01:00Z",
        header=f"symbol,open time,{OHLCV}"))  # fmt: skip
    assert refusal(tmp_path, timeframe="1h").startswith("all.csv: the symbol '../../etc' begins with '.'")


@given(st.text(max_size=50))
@settings(max_examples=100, deadline=None)
def test_a_safe_name_has_nothing_that_a_path_a_page_or_a_table_obeys(name: str) -> None:
    try:
        safe = safe_pair(name, shown="file")
    except DataError as error:
        assert str(error).isprintable()
        return
    assert not set(safe) & set("<>&\"'\\;|$`*?\n\r\t\0,")
    assert ".." not in safe
    assert safe[0] not in "=+-@/. "


def test_a_bad_row_is_named_by_its_row_in_the_file(tmp_path: Path) -> None:
    """Also where the file holds many symbols."""
    rows = "A,2019-01-07T00:00Z,1,1,1,1,1\nB,2019-01-07T00:00Z,1,1,1,1,1\nA,2019-01-07T01:00Z,1,1,2,1,1\n"
    put(tmp_path, "all.csv", f"symbol,open time,{OHLCV}\n{rows}")
    assert refusal(tmp_path, timeframe="1h").startswith("all.csv: row 3 (2019-01-07 02:00): high 1 is below low 2")


def test_one_bar_is_a_series(tmp_path: Path) -> None:
    put(tmp_path, STRICT, HEADER + ONE)
    assert len(read(tmp_path)[0]) == 1


def test_a_folder_in_place_of_a_file_and_a_link_to_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "BTC-USD_1h.csv").mkdir()
    assert refusal(tmp_path) == "BTC-USD_1h.csv: is not a file; take it out of the folder"
    (tmp_path / "BTC-USD_1h.csv").rmdir()
    (tmp_path / "BTC-USD_1h.csv").symlink_to(tmp_path / "gone")
    assert "is not a file" in refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, STRICT, HEADER + ONE).chmod(0)
    assert "cannot be read (Permission denied)" in refusal(tmp_path)


@given(st.binary(max_size=300), st.sampled_from([".csv", ".parquet", ".feather", ".json", ".csv.gz"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_bars_or_one_line(tmp_path: Path, content: bytes, suffix: str) -> None:
    _bars_or_one_line(tmp_path, f"BTC-USD_1h{suffix}", content)


CELL = st.sampled_from(["", "1", "2.5", "-1", "nan", "inf", "1e300", "2019-01-07", "2019-01-07T01:00Z",
    "1546819200", "1546819200000", "20190107", '"', "a,b", "\0", "é", "<b>", "=1", ";", "01:00", " 7 ", "1M", "1h",
    "BTC/USD"])  # fmt: skip
NAME = st.sampled_from(["date", "time", "open", "high", "low", "close", "volume", "symbol", "interval", "open time",
    "close time", "unix", "adj close", "", "Date", "<DATE>", "vol", "tickvol", "1", "2019-01-07"])  # fmt: skip


@given(
    st.lists(NAME, max_size=9),
    st.lists(st.lists(CELL, max_size=9), max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.fixed_dictionaries(
        {},
        optional={
            "timezone": st.just("America/New_York"),
            "stamp": st.sampled_from(["open", "close"]),
            "timeframe": st.sampled_from(["1h", "1d"]),
            "volume": st.just("none"),
            "decimal": st.just("comma"),
            "repair": st.just(["sort", "duplicates", "filled"]),
            "adjusted_close": st.just("scale"),
            "date_format": st.just("%Y-%m-%d"),
            "columns": st.sampled_from([{"date": "1"}, {"close": "adj close"}, {"date": "time"}]),
        },
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_bars_or_one_line(tmp_path: Path, names, rows, sign, declared) -> None:
    text = "\n".join(sign.join(cells) for cells in [names, *rows])
    _bars_or_one_line(tmp_path, "BTC-USD_1h.csv", text.encode(), **declared)


def _bars_or_one_line(folder: Path, name: str, content: bytes, **declared: object) -> None:
    for old in folder.iterdir():
        old.unlink()
    put(folder, name, content)
    try:
        found = read(folder, **declared)
    except EdgebookError as error:
        assert str(error).isprintable(), repr(str(error))
        return
    for bars in found:
        assert bars["date"].is_monotonic_increasing
        assert (bars[PRICES] > 0).all().all()


def test_a_dated_part_may_not_overlap_the_next(tmp_path: Path) -> None:
    lines = [f"{1546819200000 + i * 3_600_000},1,1,1,1,1,0,0,0,0,0,0\n" for i in range(4)]
    put(tmp_path, "BTCUSDT-1h-2019-01.csv", "".join(lines[:2]))
    put(tmp_path, "BTCUSDT-1h-2019-02.csv", "".join(lines[2:]))
    (bars,) = read(tmp_path)
    assert bars["date"].tolist() == list(pd.date_range("2019-01-07 01:00", periods=4, freq="1h", tz="UTC"))
    put(tmp_path, "BTCUSDT-1h-2019-02.csv", "".join(lines[1:]))
    assert "BTCUSDT-1h-2019-01.csv and 1 more files: row 1 (2019-01-07 02:00): date is there twice" in refusal(tmp_path)


def test_two_files_of_a_series_without_dates_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "BTC-USD_1h.csv", HEADER + ONE)
    put(tmp_path, "old/BTC-USD_1h.csv", HEADER + TWO)
    twice = "old/BTC-USD_1h.csv: BTC/USD 1h is there and in BTC-USD_1h.csv; keep one of the two files"
    assert refusal(tmp_path) == twice


def test_a_line_names_the_file_from_the_repositorys_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    put(tmp_path, "data/raw/BTC-USD_1h.csv", HEADER + ONE + ONE)
    with pytest.raises(DataError, match=r"^data/raw/BTC-USD_1h\.csv: row 2"):
        load_bars(source="folder", timeframes=["1h"], as_of="2019-01-07", folder=tmp_path / "data" / "raw")


def test_files_of_other_endings_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, STRICT, HEADER + ONE)
    for name in ("README.md", ".hidden.csv", ".git/x.csv", "notes.txt", "x.csv.bak"):
        put(tmp_path, name, "nothing that could be read")
    (bars,) = folder_bars(tmp_path)
    assert bars[COLUMNS[:3]].to_numpy().tolist() == [["BTC/USD", "1h", utc("2019-01-07 01:00")]]
