"""Which head a column belongs to: one of the catalogue by its row there, one of a desk by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgebook.errors import DataError
from edgebook.indicators.catalogue import CATALOGUE, family
from edgebook.indicators.indicator import HEADS

if TYPE_CHECKING:
    from collections.abc import Iterable

DESK_PATTERN = r"desk_[a-i]_[a-z][a-z0-9_]{0,39}"
"""What the table names a desk's column: its head is part of the name, so that no name can be taken for one of ours."""
_DESK = re.compile(DESK_PATTERN)
_HEAD_OF = {indicator.name: indicator.head for indicator in CATALOGUE}


def desk_name(column: str, *, head: str) -> str:
    """Name in our tables of a desk's column.

    Examples
    --------
    >>> desk_name("my_flow", head="F")
    'desk_f_my_flow'
    """
    return f"desk_{head.lower()}_{column}"


def is_desk(name: str) -> bool:
    """Whether a column of the tables is a desk's."""
    return _DESK.fullmatch(name) is not None


def head_of(name: str) -> str:
    """Letter of the head that a column belongs to.

    Raises
    ------
    DataError
        It is neither in the catalogue nor a desk's.

    Examples
    --------
    >>> head_of("rsi_14"), head_of("desk_f_my_flow")
    ('B', 'F')
    """
    if name in _HEAD_OF:
        return _HEAD_OF[name]
    if not is_desk(name):
        raise DataError(f"indicators: {name:.60}: belongs to no head; declare it in section desk of params.yaml")
    return name[5].upper()


def families_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Indicators of each head: those of the catalogue, then a desk's among some columns.

    Parameters
    ----------
    names : iterable of str
        Columns of a table of indicators.

    Returns
    -------
    dict of str to tuple of str
        By letter.

    Examples
    --------
    >>> families_of(["rsi_14", "desk_f_my_flow"])["F"][-2:]
    ('ease_of_movement_14', 'desk_f_my_flow')
    """
    own = [name for name in names if is_desk(name)]
    return {head: (*family(head), *(name for name in own if head_of(name) == head)) for head in HEADS}
