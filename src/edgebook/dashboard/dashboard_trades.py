"""Signals one by one, as the dashboard's document has them: columns once, then one short row a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.dashboard.dashboard_numbers import minutes, numbers, prices, rows_of
from edgebook.outcomes.outcomes import signal_ids

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from edgebook.dashboard.dashboard_dimensions import Signals

COLUMNS = [
    "id", "symbol", "timeframe", "side", "opened", "closed", "entry", "exit", "target", "stop", "reason", "r", "profit",
    "mae", "mfe", "bars", "pattern", "regime", "heads", "agreed", "head_set", "confidence", "threshold", "certified",
    "version", "plan",
]  # fmt: skip
"""Of a signal in the document, in this order."""
NEWEST = 2_000
"""Closed signals in the committed page; the open ones come on top."""
ROUNDED = {
    "r": ("r_multiple", 2), "mae": ("mae", 2), "mfe": ("mfe", 2), "profit": ("profit_ratio", 4),
    "confidence": ("confidence", 3), "threshold": ("threshold", 3),
}  # fmt: skip
"""Column of the ledger, and the decimals to which it is rounded once, as shown: 1.17 R, 1.44 %, 57.4 %."""


def shown_rows(signals: Signals, *, newest: int | None = NEWEST) -> NDArray[np.int64]:
    """Rows of the signals that are shown, oldest first: the newest closed ones, then all that are open.

    Parameters
    ----------
    signals : Signals
    newest : int, optional
        Closed signals; None for all.
    """
    first = 0 if newest is None else max(0, signals.closed - newest)
    return np.arange(first, len(signals.rows), dtype=np.int64)


def trades_document(signals: Signals, *, newest: int | None = NEWEST) -> dict[str, Any]:
    """Signals of the ledger as columns and rows.

    Parameters
    ----------
    signals : Signals
        As `dashboard_dimensions.described_signals` gives them.
    newest : int, optional
        Closed signals; None for all. Open ones are always there.

    Returns
    -------
    dict
        columns (`COLUMNS`) and rows, oldest first. Times are minutes since 1970 UTC; symbol, timeframe, side, reason,
        pattern, regime, head_set, version and plan are numbers of values of their dimension; heads is a sum of powers
        of two, one a head; agreed is the same for indicators, as hexadecimal text. What is not known yet is None, and
        so is the id of a signal that is named as usual: by symbol, timeframe, time of entry and side.
    """
    at = shown_rows(signals, newest=newest)
    rows = signals.rows.iloc[at]

    def coded(key: str) -> list[int | None]:
        return [None if code < 0 else code for code in signals.codes[key][at].tolist()]

    def rounded(name: str, digits: int) -> list[float | None]:
        return numbers(rows[name].to_numpy(dtype=np.float64), digits)

    bars = numbers(rows["bars_held"].to_numpy(dtype=np.float64), 0)
    columns: dict[str, list[Any]] = {
        "id": _unusual(rows),
        "opened": minutes(rows["open_date"]),
        "closed": minutes(rows["close_date"]),
        "entry": prices(rows["open_rate"]),
        "exit": prices(rows["close_rate"]),
        "target": prices(rows["take_profit_abs"]),
        "stop": prices(rows["stop_loss_abs"]),
        **{name: rounded(column, digits) for name, (column, digits) in ROUNDED.items()},
        "bars": [None if count is None else int(count) for count in bars],
        "heads": (signals.heads[at] @ (1 << np.arange(signals.heads.shape[1]))).tolist(),
        "agreed": hexadecimal(signals.indicators[at]),
        "certified": rows["certified"].astype(int).tolist(),
    }
    return {
        "columns": COLUMNS,
        "rows": rows_of(*(columns[name] if name in columns else coded(name) for name in COLUMNS)),
    }


def _unusual(rows: pd.DataFrame) -> list[str | None]:
    """Names of the signals, None where the other columns say it: most of the bytes of a row would be its name."""
    usual = signal_ids(rows[["pair", "timeframe", "is_short"]].assign(date=rows["open_date"]))
    own = rows["signal_id"].astype(str)
    return [None if a == b else a for a, b in zip(own.tolist(), usual.tolist(), strict=True)]


def hexadecimal(flags: NDArray[np.bool_]) -> list[str]:
    """Flags of each row as hexadecimal text, the first flag the lowest bit.

    Parameters
    ----------
    flags : ndarray of bool, shape (rows, n)

    Examples
    --------
    >>> hexadecimal(np.array([[True, False, False, False, True], [False, True, False, False, False]]))
    ['11', '02']
    """
    width = -(-flags.shape[1] // 8)
    whole = np.zeros((len(flags), width * 8), dtype=bool)
    whole[:, width * 8 - flags.shape[1] :] = flags[:, ::-1]
    text = np.packbits(whole, axis=1).tobytes().hex()
    return [text[i : i + 2 * width] for i in range(0, len(text), 2 * width)]
