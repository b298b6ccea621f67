"""JSON that comes from outside, held to a shape: types, sizes, finite numbers, known names; a mistake is one line.

A shape says what a value may be. Nothing that a file says is called, imported or looked up as code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from edgebook.errors import DataError

LARGEST = 1e15
"""Above it a number of ours is a mistake: prices, capital, counts and milliseconds all lie below."""
MOST_CHARACTERS = 64_000_000
DEEPEST = 40


@dataclass(frozen=True)
class Number:
    """A finite number between two others; `whole` for counts, `none` where it may be missing."""

    low: float = -LARGEST
    high: float = LARGEST
    whole: bool = False
    none: bool = False


@dataclass(frozen=True)
class Word:
    """Text: one of `of` (or of what `more` matches), and what `pattern` matches from end to end."""

    of: Collection[str] | None = None
    more: str | None = None
    pattern: str = r"[^\x00]*"
    longest: int = 400
    none: bool = False


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Rows:
    """A list, each of one shape; `length` where it is known, at most `most` otherwise."""

    of: Shape
    length: int | None = None
    most: int = 1_000_000


@dataclass(frozen=True)
class Named:
    """A mapping of names that `names` allows, each value of one shape."""

    of: Shape
    names: Word = Word(pattern=r"[^\x00/\\]+")
    most: int = 100_000


@dataclass(frozen=True)
class Fields:
    """A mapping with these keys in this order; others may follow only where `more` is set."""

    of: Mapping[str, Shape]
    more: bool = False


@dataclass(frozen=True)
class Plain:
    """Any JSON, of finite numbers and limited depth."""


Shape = Number | Word | Flag | Rows | Named | Fields | Plain | Callable[[Any, str], None]
"""What a value may be; a function is called with the value and its place, and raises DataError."""


def parsed(text: str, shape: Shape, *, where: str) -> Any:
    """Read JSON and hold it to a shape.

    Parameters
    ----------
    text : str
    shape : Shape
    where : str
        How errors name the file.

    Returns
    -------
    object
        As `json.loads` gives it.

    Raises
    ------
    DataError
        Not JSON, a key that is there twice, a number that is not finite, or something that breaks the shape: file,
        key, value and rule in one line.

    Examples
    --------
    >>> parsed('{"a": [1, 2]}', Fields({"a": Rows(Number(low=0))}), where="x.json")
    {'a': [1, 2]}
    >>> parsed('{"a": [1, -2]}', Fields({"a": Rows(Number(low=0))}), where="x.json")
    Traceback (most recent call last):
    edgebook.errors.DataError: x.json: a[1]: is -2, must be a number from 0 to 1e+15
    """
    if len(text) > MOST_CHARACTERS:
        raise DataError(f"{where}: {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise DataError(f"{where}: key {_shown(twice)} is there twice")
        return made

    def never(name: str) -> None:
        raise DataError(f"{where}: {name} is not a finite number")

    try:
        value = json.loads(text, object_pairs_hook=once, parse_constant=never)
    except RecursionError as error:
        raise DataError(f"{where}: is nested too deeply to be one of ours") from error
    except ValueError as error:
        raise DataError(f"{where}: not valid JSON ({' '.join(str(error).split())})") from error
    check(value, shape, where=where)
    return value


def check(value: Any, shape: Shape, *, where: str, key: str = "") -> None:
    """Hold a value to a shape; `where` names the file and `key` the place in it.

    Raises
    ------
    DataError
        The first place that breaks it.
    """
    match shape:
        case Number():
            if not _is_number(value, shape):
                kind = "a whole number" if shape.whole else "a number"
                _refuse(value, f"{kind} from {shape.low:g} to {shape.high:g}", where=where, key=key)
        case Word():
            _check_word(value, shape, where=where, key=key)
        case Flag():
            if not isinstance(value, bool):
                _refuse(value, "true or false", where=where, key=key)
        case Rows():
            _check_rows(value, shape, where=where, key=key)
        case Named():
            if not isinstance(value, dict) or len(value) > shape.most:
                _refuse(value, f"a mapping of at most {shape.most:,} names", where=where, key=key)
            for name, one in value.items():
                _check_word(name, shape.names, where=where, key=_join(key, "a name"))
                check(one, shape.of, where=where, key=_join(key, name))
        case Fields():
            _check_fields(value, shape, where=where, key=key)
        case Plain():
            if not _is_plain(value, depth=0):  # names of places are made for what is refused alone
                _check_plain(value, where=where, key=key, depth=0)
        case _:
            shape(value, f"{where}: {key}" if key else where)


def _check_word(value: Any, shape: Word, *, where: str, key: str) -> None:
    if value is None and shape.none:
        return
    if not isinstance(value, str) or len(value) > shape.longest:
        _refuse(value, f"text of at most {shape.longest} characters", where=where, key=key)
    beside = shape.more is not None and re.fullmatch(shape.more, value) is not None
    if shape.of is not None and value not in shape.of and not beside:
        named = ", ".join(sorted(shape.of)) if len(shape.of) < 12 else f"one of {len(shape.of)} known names"
        _refuse(value, named, where=where, key=key)
    if not re.fullmatch(shape.pattern, value, flags=re.DOTALL):
        _refuse(value, f"text like {shape.pattern}", where=where, key=key)


def _check_rows(value: Any, shape: Rows, *, where: str, key: str) -> None:
    if not isinstance(value, list) or len(value) > shape.most:
        _refuse(value, f"a list of at most {shape.most:,}", where=where, key=key)
    if shape.length is not None and len(value) != shape.length:
        _refuse(value, f"a list of {shape.length}, has {len(value)}", where=where, key=key)
    of = shape.of
    if isinstance(of, Number) and not of.none:  # most of a seal: one look at a list of plain numbers
        kinds = set(map(type, value))
        if kinds <= ({int} if of.whole else {int, float}) and (
            not value or (of.low <= min(value) and max(value) <= of.high)
        ):
            return
    for place, one in enumerate(value):
        check(one, of, where=where, key=f"{key}[{place}]")


def _check_fields(value: Any, shape: Fields, *, where: str, key: str) -> None:
    if not isinstance(value, dict):
        _refuse(value, f"a mapping of {', '.join(shape.of)}", where=where, key=key)
    for name in shape.of:
        if name not in value:
            raise DataError(f"{where}: {_join(key, name)}: is missing")
    if not shape.more:
        for name in value:
            if name not in shape.of:
                raise DataError(f"{where}: {_join(key, _shown(name))}: no such key; known are {_few(shape.of)}")
        # Rows of a matrix are read in the order in which they stand.
        if list(value) != list(shape.of):
            raise DataError(f"{where}: {key or 'the keys'}: stand in another order than {_few(shape.of)}")
    for name, one in value.items():
        check(one, shape.of.get(name, Plain()), where=where, key=_join(key, name))


def _is_plain(value: Any, *, depth: int) -> bool:
    """Whether `_check_plain` finds nothing, several times faster; values are as `json.loads` makes them."""
    kind = type(value)
    if kind is dict or kind is list:
        inner = value.values() if kind is dict else value
        kinds = set(map(type, inner))
        if kinds <= {int, float}:
            return depth < DEEPEST and (not value or (min(inner) >= -LARGEST and max(inner) <= LARGEST))
        return depth < DEEPEST and all(_is_plain(one, depth=depth + 1) for one in inner)
    if kind is int or kind is float:
        return bool(-LARGEST <= value <= LARGEST)
    return value is None or kind is bool or kind is str


def _check_plain(value: Any, *, where: str, key: str, depth: int) -> None:
    if depth > DEEPEST:
        raise DataError(f"{where}: {key[:80]}: is nested too deeply to be one of ours")
    if isinstance(value, dict):
        for name, one in value.items():
            _check_plain(one, where=where, key=_join(key, name), depth=depth + 1)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            _check_plain(one, where=where, key=f"{key}[{place}]", depth=depth + 1)
    elif not (value is None or isinstance(value, (bool, str)) or _is_number(value, Number())):
        _refuse(value, "a finite number", where=where, key=key)


def _is_number(value: Any, shape: Number) -> bool:
    if value is None:
        return shape.none
    kinds = (int,) if shape.whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and shape.low <= value <= shape.high


def _refuse(value: Any, rule: str, *, where: str, key: str) -> None:
    place = f"{where}: {key}: " if key else f"{where}: "
    raise DataError(f"{place}is {_shown(value)}, must be {rule}")


def _join(key: str, name: object) -> str:
    return f"{key}.{name}"[-120:] if key else str(name)[:120]


def _few(names: Collection[str]) -> str:
    return ", ".join(names) if len(names) <= 9 else f"{', '.join(list(names)[:6])} … ({len(names)})"


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**18 else "a number of many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
