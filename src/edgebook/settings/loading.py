"""params.yaml, or one of its sections, read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from edgebook.settings.params import Params
from edgebook.settings.sections import build
from edgebook.settings.settings_rules import RULES
from edgebook.settings.settings_yaml import read_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Section = TypeVar("Section")


def load_params(path: Path) -> Params:
    """Read and check the settings.

    Parameters
    ----------
    path : Path
        A YAML 1.2 file (so that ``1e-3`` is a number, as it is to DVC).

    Raises
    ------
    SettingsError
        One line that names the setting, what is wrong, and what to do.
    """
    return section(Params, read_mapping(path), where=path.name)


def section(kind: type[Section], mapping: Mapping[str, Any], *, where: str) -> Section:
    """Build one section and check it.

    Parameters
    ----------
    kind : type
        The section's dataclass.
    mapping : mapping
        Names and plain values, as YAML or a notebook's parameter cell gives them.
    where : str
        How errors name it, e.g. ``params.yaml: tuning``.

    Raises
    ------
    SettingsError
        Unknown or missing setting, wrong type, impossible value.
    """
    built: Section = build(kind, mapping, where=where, rules=RULES)
    return built
