"""The dashboard's document as text that may stand inside a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNSAFE = {character: f"\\u{ord(character):04x}" for character in ("<", ">", "&", "\u2028", "\u2029")}


def document_text(document: Mapping[str, Any]) -> str:
    r"""Write a document as JSON that no name in it can break out of.

    Parameters
    ----------
    document : mapping
        As `dashboard_document.dashboard_document` gives it.

    Returns
    -------
    str
        One row of a table a line, so that next week's file differs by the new rows; ``<``, ``>`` and ``&`` as escapes,
        which mean the same to a reader of JSON and nothing to a reader of HTML.

    Examples
    --------
    >>> print(document_text({"head": {"market": "</script>"}, "cells": {"columns": ["n"], "rows": [[1], [2]]}}))
    {
    "head":{"market":"\u003c/script\u003e"},
    "cells":{"columns":["n"],"rows":[
    [1],
    [2]
    ]}
    }
    """
    parts = [f"{_json(str(name))}:{_part(value)}" for name, value in document.items()]
    text = "{\n" + ",\n".join(parts) + "\n}"
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return text


def _part(value: Any) -> str:
    """A table row by row, a list item by item, anything else in one line."""
    if isinstance(value, dict) and "rows" in value:
        rest = [f"{_json(k)}:{_json(v)}" for k, v in value.items() if k != "rows"]
        return "{" + ",".join([*rest, f'"rows":{_lines(value["rows"])}']) + "}"
    return _lines(value) if isinstance(value, list) else _json(value)


def _lines(items: list[Any]) -> str:
    return "[\n" + ",\n".join(map(_json, items)) + "\n]" if items else "[]"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
