"""How a seal is written as text: JSON and CSV that give each number back and read well in a diff."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping


def csv_text(frame: pd.DataFrame, columns: list[str]) -> str:
    """CSV of the columns, the shortest text that gives each number back."""
    return frame.reindex(columns=columns).to_csv(index=False, lineterminator="\n")


def read_csv(text: str) -> pd.DataFrame:
    """The frame that `csv_text` wrote."""
    # Exact since pandas 3.1, which deprecates `float_precision`; before it, numbers may come back an ulp away.
    return pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])


def json_text(data: Mapping[str, Any]) -> str:
    """JSON with one line a leaf list, so that a diff reads well."""
    return _write(data, "") + "\n"


def _write(data: Any, indent: str) -> str:
    if isinstance(data, dict) and data and any(isinstance(v, (dict, list)) for v in data.values()):
        inner = indent + " "
        rows = [f"{inner}{json.dumps(str(key))}: {_write(value, inner)}" for key, value in data.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(data, list) and data and any(isinstance(v, (dict, list)) for v in data):
        inner = indent + " "
        return "[\n" + ",\n".join(inner + _write(value, inner) for value in data) + f"\n{indent}]"
    return json.dumps(_whole(data), ensure_ascii=False, allow_nan=False)


def _whole(data: Any) -> Any:
    """Whole numbers without their point: half of a seal's numbers are counts."""
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, list):
        return [_whole(item) for item in data]
    if isinstance(data, dict):
        return {key: _whole(value) for key, value in data.items()}
    return data


def digest(text: str) -> str:
    """Digest by which a damaged file is noticed."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
