"""Changes to params.yaml that commands make: the week, pins, approvals. Comments and everything else stay."""

from __future__ import annotations

import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from edgebook.errors import SettingsError
from edgebook.files.whole_files import write_whole
from edgebook.settings.loading import section
from edgebook.settings.params import Params

if TYPE_CHECKING:
    from pathlib import Path


def next_monday(as_of: str) -> str:
    """The Monday after.

    Examples
    --------
    >>> next_monday("2019-07-01")
    '2019-07-08'
    """
    return (datetime.date.fromisoformat(as_of) + datetime.timedelta(days=7)).isoformat()


def set_week(path: Path, *, as_of: str, previous: str) -> str:
    """Move `run` to another week; returns the text as it was before."""

    def change(data: Any) -> None:
        data["run"]["as_of"] = _quoted(as_of)
        data["run"]["previous"] = _quoted(previous)

    return _rewrite(path, change)


def add_entry(path: Path, name: str, *, entry: dict[str, str]) -> str:
    """Append a decision to ``learning.pins`` or ``learning.approvals``; returns the text as it was before.

    Parameters
    ----------
    path : Path
        params.yaml.
    name : {"pins", "approvals"}
    entry : mapping of str to str
    """

    def change(data: Any) -> None:
        rows = [dict(row) for row in data["learning"][name]]
        if entry not in rows:
            from ruamel.yaml.comments import CommentedMap, CommentedSeq

            fresh = CommentedSeq()
            for row in [*rows, entry]:
                one = CommentedMap({key: _quoted(value) for key, value in row.items()})
                one.fa.set_flow_style()
                fresh.append(one)
            data["learning"][name] = fresh

    return _rewrite(path, change)


def restore(path: Path, text: str) -> None:
    """Put an earlier text back."""
    _replace(path, text)


def _quoted(text: str) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    return DoubleQuotedScalarString(text)


def _rewrite(path: Path, change: Any) -> str:
    """Change the settings in place, checked before they are written."""
    from ruamel.yaml import YAML

    before = path.read_text(encoding="utf-8")
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    data = yaml.load(before)
    change(data)
    out = StringIO()
    yaml.dump(data, out)
    after = out.getvalue()
    section(Params, YAML(typ="safe", pure=True).load(after), where=path.name)
    _replace(path, after)
    return before


def _replace(path: Path, text: str) -> None:
    try:
        write_whole({path: text}, durable=True)
    except OSError as error:
        raise SettingsError(f"{path.name}: could not be written ({error.strerror}); it is as it was") from error
