"""Kills and hostile files as a section of the evidence: what was tried, and what did not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Found = Mapping[str, Any] | None


def safety_section(kills: Found, fuzz: Found) -> str:
    """The section, without its heading; empty where nothing was measured.

    Parameters
    ----------
    kills, fuzz : mapping or None
        From `safety_kills.measure` and `fuzz.measure`, or read from their JSON.
    """
    return "\n\n".join(part for part in (_kills(kills), _fuzz(fuzz)) if part)


def safety_faults(kills: Found, fuzz: Found) -> list[str]:
    """What did not hold, one line each."""
    wrong = []
    for row in kills["rows"] if kills else []:
        wrong += [f"kills: {row['command']}: {name} was torn" for name in row["torn"]]
        wrong += [f"kills: {row['command']}: {name} is not that of an undisturbed run" for name in row["differing"]]
    for row in fuzz["rows"] if fuzz else []:
        wrong += [f"fuzz: {row['reader']}: {crash}" for crash in row["crashes"]]
    return wrong


def _kills(found: Found) -> str:
    """Commands that were killed."""
    if not found:
        return ""
    rows = found["rows"]
    total, torn = sum(row["kills"] for row in rows), sum(len(row["torn"]) for row in rows)
    differing = sum(len(row["differing"]) for row in rows)
    lines = [
        f"| `{'' if row['command'].startswith('dvc') else 'edgebook '}{row['command']}` | {row['kills']} | "
        f"{row['ends']} | {row['files']} | {len(row['torn'])} | {len(row['differing'])} |"
        for row in rows
    ]
    return "\n".join(
        [
            f"Commands were killed {total} times with all their processes (`kill -9`) at random moments, and started "
            f"again. After each kill every file was compared with what it was before and what it is in the end: {torn} "
            f"were neither. When a command had come to its end, every file was compared with that of an undisturbed "
            f"run: {differing} differ. `python -m edgebook.evidence kills` does it again.",
            "",
            "| Command | Kills | Ends compared | Files | Torn | Lost or other bytes |",
            "|---|---|---|---|---|---|",
            *lines,
            "",
            "The tests kill the writer of a seal, a folder of tables and a file before every single change to the file "
            "system too (`tests/test_whole_files.py`, `tests/test_seals.py`).",
        ]
    )


def _fuzz(found: Found) -> str:
    """Hostile files."""
    if not found:
        return ""
    rows = found["rows"]
    total, crashes = sum(row["cases"] for row in rows), sum(len(row["crashes"]) for row in rows)
    lines = [
        f"| {row['reader']} | {row['cases']:,} | {row['refused']:,} | {row['accepted']:,} | {len(row['crashes'])} | "
        f"{row['slowest']:.2f} s |"
        for row in rows
    ]
    return "\n".join(
        [
            f"{total:,} files were made hostile (bits, cuts, encodings, deep nesting, bad values and names, alias "
            f"bombs) and read. A reader may read a file or refuse it in one line; {crashes} times came anything "
            "else: a trace, a hang, a file outside the repository. `python -m edgebook.evidence fuzz` does it again.",
            "",
            "| Reader | Files | Refused | Read | Anything else | Slowest |",
            "|---|---|---|---|---|---|",
            *lines,
        ]
    )
