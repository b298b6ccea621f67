"""What the commands around the data print on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgebook.cli_views import table

if TYPE_CHECKING:
    from collections.abc import Mapping


def data_check(found: Mapping[str, Any]) -> None:
    """One line a series, then one a finding."""
    columns = ["pair", "timeframe", "first", "last", "n"]
    table(columns, [[str(row[name]) for name in columns] for row in found["series"]])
    for row in found["findings"]:
        click.echo(f"{row['effect']}: {row['says']}")
