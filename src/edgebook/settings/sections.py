"""Turn plain mappings into frozen dataclasses, checked: each mistake is one line that names the setting."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from edgebook.errors import SettingsError

LONGEST = 120
"""Characters of a value or a name that an error repeats."""
Rules = Mapping[Any, Callable[[Any, str], None]]


def build(kind: Any, value: Any, *, where: str, rules: Rules) -> Any:
    """Build a dataclass from a mapping, field by field.

    Parameters
    ----------
    kind : type
        A frozen dataclass; its field types are the check.
    value : object
        What YAML, JSON or a notebook's parameter cell gave.
    where : str
        How errors name it.
    rules : mapping of type to function
        What types cannot say: called with the built section and its name.

    Raises
    ------
    SettingsError
        Unknown or missing setting, wrong type, or a rule is broken.
    """
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: must be a mapping of settings, is {_shown(value)}")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
            raise SettingsError(f"{join(where, key)}: no such setting; {hint}")
    given = {}
    for name, f in fields.items():
        if name in value:
            given[name] = _convert(hints[name], value[name], where=join(where, name), rules=rules)
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise SettingsError(f"{join(where, name)}: missing; add it")
    built = kind(**given)
    if kind in rules:
        rules[kind](built, where)
    return built


def join(where: str, name: object) -> str:
    """How errors name a setting of a section."""
    return f"{where}{'.' if ':' in where else ': '}{str(name)[:LONGEST]}"


def _convert(hint: Any, value: Any, *, where: str, rules: Rules) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return build(hint, value, where=where, rules=rules)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, where=where, rules=rules)
    if origin is Literal:
        if value not in arguments:
            near = difflib.get_close_matches(str(value), [str(a) for a in arguments], n=1)
            hint_text = f"did you mean {near[0]}?" if near else ""
            raise SettingsError(
                f"{where}: {_shown(value)} is not one of {', '.join(map(str, arguments))}; {hint_text}".strip("; ")
            )
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise SettingsError(f"{where}: must be a list, is {_shown(value)}")
        return tuple(_convert(arguments[0], item, where=f"{where}[{i}]", rules=rules) for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{where}: must be a mapping, is {_shown(value)}")
        kind = arguments[1]
        return {str(key): _convert(kind, item, where=join(where, key), rules=rules) for key, item in value.items()}
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise SettingsError(f"{where}: must be a finite number, is {_shown(value)}")
        return float(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is str and isinstance(value, (datetime.date, datetime.datetime)):
        raise SettingsError(f'{where}: put the date in quotes: "{value}"')
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    raise SettingsError(f"{where}: must be {names.get(hint, hint)}, is {_shown(value)}")


def _shown(value: Any) -> str:
    """A value as an error shows it: whole where it is short, its beginning where it is not."""
    try:
        text = repr(value)
    except ValueError:  # Python does not write out a number of thousands of digits
        return "a number of too many digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
