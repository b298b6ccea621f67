"""A YAML file of settings, read as plain mappings, lists, numbers and text: no tag makes an object of it."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from edgebook.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_CHARACTERS = 2_000_000
"""Of params.yaml and dvc.lock: a desk of 500 symbols needs a hundredth of it."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping."""
    from ruamel.yaml.error import YAMLError

    if not path.exists():
        raise SettingsError(f"{path}: no such file; run from a checkout of the repository")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if len(text) > LARGEST_CHARACTERS:
            raise SettingsError(f"{path.name}: {len(text):,} characters; at most {LARGEST_CHARACTERS:,} are read")
        mapping = copy.deepcopy(_parsed(text))
    except (OSError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise SettingsError(f"{path.name}: cannot be read as UTF-8 text ({detail}); save it as UTF-8") from error
    except RecursionError as error:
        raise SettingsError(f"{path.name}: is nested too deeply, or names itself; write it out") from error
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        # Beside its own errors the reader lets those of Python through: an impossible date, an unhashable key.
        detail = " ".join(str(error).split())[:400]
        raise SettingsError(f"{path.name}: not valid YAML: {detail}") from error
    if not isinstance(mapping, dict):
        raise SettingsError(f"{path.name}: must be a mapping of sections, is {type(mapping).__name__}")
    return mapping


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """What a text says; a command asks for params.yaml several times, and the reader takes 20 ms for it."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)
