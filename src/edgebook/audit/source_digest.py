"""What code a result came from: a digest of a module and of everything of the package that it imports."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


@cache
def source_digest(*modules: str) -> str:
    """Digest of the source of some modules and of the modules that they import, directly or not.

    Parameters
    ----------
    *modules : str
        Names inside the package, such as ``arms.arms``.

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Raises
    ------
    ModuleNotFoundError
        One of the names is no module.

    Examples
    --------
    >>> source_digest("settings.exit_plans") == source_digest("settings.exit_plans") != source_digest("arms.arms")
    True
    """
    found: dict[Path, str] = {}
    waiting = [_file(name) for name in modules]
    if None in waiting:
        raise ModuleNotFoundError(f"edgebook has no module {modules[waiting.index(None)]}")
    while waiting:
        place = waiting.pop()
        if place is None or place in found:
            continue
        found[place] = place.read_text(encoding="utf-8")
        waiting.extend(_file(name) for name in _imports(found[place]))
    digest = hashlib.sha256()
    for place in sorted(found):
        digest.update(f"{place.relative_to(SOURCE).as_posix()}\n{found[place]}\n".encode())
    return digest.hexdigest()[:16]


def _imports(text: str) -> set[str]:
    """Names inside the package that a source imports, for types alone or not."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.split(".")[0] == "edgebook":
            part = node.module.removeprefix("edgebook").removeprefix(".")
            names |= {part, *(f"{part}.{alias.name}".removeprefix(".") for alias in node.names)}
    return names - {""}


def _file(name: str) -> Path | None:
    """File of a module or of a package; None for a name that is neither."""
    place = SOURCE.joinpath(*name.split("."))
    if place.is_dir():
        return place / "__init__.py"
    place = place.with_suffix(".py")
    return place if place.exists() else None
