"""Files of a seal as they are read: each held to its digest and its shape, and named where it is not what was sealed.

seal.json has the digest of every other file. Its own is in no file: what it says is held to its shape, to its folder
and to the files that every seal has, and git and `edgebook rederive` say whether it is the one that was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.errors import SealError
from edgebook.policy.policy import Policy
from edgebook.seals.seal_shapes import POLICY, SEAL, sealed_json
from edgebook.seals.seal_text import digest, read_csv
from edgebook.settings.json_shapes import Fields, Number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from edgebook.paths import Paths
    from edgebook.settings.json_shapes import Shape

FORMAT = 2
FORMATTED = Fields({"format": Number(whole=True)}, more=True)
LARGEST_BYTES = 256_000_000
ARM_FILES = (("policies", "json"), ("state", "json"), ("pending", "csv"))
WHOLE_FILES = {"recipes.json", "account.json", "shadow.csv", "days.csv", "gate.csv", "learners.csv", "ledger"}


def read_seal_json(place: Path, paths: Paths) -> dict[str, Any]:
    """Read seal.json of a seal's folder, held to its shape; its files are those of its arms and of every seal.

    Raises
    ------
    SealError
        There is none, it is damaged, or it is of another version or week.
    """
    file = place / "seal.json"
    if not file.exists():
        raise SealError(
            f"{shown_name(place, paths)}: there is no seal of that week; `edgebook backfill` writes a history"
        )
    text, shown = _text(file, paths=paths), shown_name(file, paths)
    head: dict[str, Any] = sealed_json(text, FORMATTED, where=shown)
    if head["format"] != FORMAT:
        raise SealError(f"{shown}: format {head['format']}, this version reads {FORMAT}; update edgebook")
    sealed_json(text, SEAL, where=shown)
    needed = {f"{kind}/{arm}.{end}" for arm in head["arms"] for kind, end in ARM_FILES} | WHOLE_FILES
    lacking = sorted(needed - head["files"].keys())
    if lacking or head["as_of"] != place.name:
        what = f"names no file {lacking[0]}" if lacking else f"is of {head['as_of']}, in the folder of {place.name}"
        raise SealError(f"{shown}: {what}; restore it with `git checkout -- {shown}`")
    return head


def _text(file: Path, *, paths: Paths) -> str:
    """Text of a file of a seal; one that nobody could have sealed is not read."""
    shown = shown_name(file, paths)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise SealError(
                f"{shown}: {file.stat().st_size:,} bytes; no file of a seal has more than {LARGEST_BYTES:,}"
            )
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SealError(f"{shown}: cannot be read; restore it with `git checkout -- {shown}`") from error


def sealed_text(file: Path, sealed: str, *, paths: Paths) -> str:
    """Text of a file, held to its digest."""
    text, shown = _text(file, paths=paths), shown_name(file, paths)
    if digest(text) != sealed:
        raise SealError(f"{shown}: is not what was sealed; restore it with `git checkout -- {shown}`")
    return text


def sealed_mapping(file: Path, shape: Shape, *, texts: Mapping[str, str], paths: Paths) -> Any:
    """A file of a seal as JSON, held to its shape."""
    name = file.name if file.name in texts else f"{file.parent.name}/{file.name}"
    return sealed_json(texts[name], shape, where=shown_name(file, paths))


def sealed_policy(place: Path, name: str, *, texts: Mapping[str, str], paths: Paths) -> Policy:
    """A policy, which must be that of its file's name."""
    file = place / f"policies/{name}.json"
    policy = Policy.from_json(sealed_mapping(file, POLICY, texts=texts, paths=paths))
    if policy.recipe != name:
        shown = shown_name(file, paths)
        raise SealError(f"{shown}: recipe: is {policy.recipe!r}, the file is that of {name}; restore it from git")
    return policy


def sealed_rows(file: Path, columns: list[str], *, texts: Mapping[str, str], paths: Paths) -> pd.DataFrame:
    """Rows of a CSV file of a seal, which must have its columns."""
    name = file.name if file.name in texts else f"{file.parent.name}/{file.name}"
    try:
        frame = read_csv(texts[name])
    except ValueError as error:  # pandas raises many, all of them this
        reason = (str(error).splitlines() or [""])[0]
        raise SealError(f"{shown_name(file, paths)}: is no table ({reason}); restore it from git") from error
    if list(frame.columns) != columns:
        raise SealError(f"{shown_name(file, paths)}: its columns are not {', '.join(columns)}; restore it from git")
    return frame


def shown_name(place: Path, paths: Paths) -> str:
    """How errors name a file: by its path in the repository."""
    return place.relative_to(paths.root).as_posix() if place.is_relative_to(paths.root) else str(place)
