"""Valid files made hostile: bytes flipped, cut, doubled and re-encoded; values, keys and names replaced by bad ones.

Every mutation is drawn by a seeded generator, so that a case is its number and nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

WORDS = (
    "", " ", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "../../etc/passwd", "..", "/etc/passwd", "a/b", "a\\b", "A.B",
    "<script>alert(1)</script>", "\"'`", "%s%n", "\x00", "\ufeff", "nan", "inf", "-inf", "NaN", "Infinity", "1e300",
    "1e999", "-0.0", "9" * 40, "9" * 5000, "true", "null", "None", "2018-02-30", "2018-04-02T25:00:00",
    "0001-01-01", "9999-12-31", "292278994-08-17", "é" * 300, "x" * 100_000, "__import__('os').system('x')",
    "!!python/object/apply:os.system", "{{7*7}}", "\u202e", "\ud7ff", "\r\n", ";", ",", "\t",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**400, -(10**20), 1e300, -1e300, 5e-324, float("nan"), float("inf"), [], {}, [[]],
    {"a": {}}, [None], "text", 2**63, 2**64 + 1, 0.1,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "utf-7", "cp1252", "utf-8-sig", "shift_jis")


def mutated(content: bytes, *, kind: str, rng: random.Random) -> bytes:
    """One hostile file made of a valid one.

    Parameters
    ----------
    content : bytes
    kind : {"json", "yaml", "csv", "binary"}
    rng : Random

    Returns
    -------
    bytes
        At most a few megabytes.
    """
    made = content
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        structured = STRUCTURED.get(kind)
        made = structured(made, rng) if structured is not None and rng.random() < 0.6 else rng.choice(BYTES)(made, rng)
    return made[:8_000_000]


def _flip(content: bytes, rng: random.Random) -> bytes:
    if not content:
        return b"\x00"
    made = bytearray(content)
    for _ in range(rng.choice((1, 3, 30))):
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _hole(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start + rng.randrange(1, 200) :]


def _double(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start : start + rng.randrange(1, 2000)] * rng.choice((2, 3, 50)) + content[start:]


def _insert(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) + 1)
    word = rng.choice((b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1a", b"\r", b"\n\n\n", b"\x80\x81", b'"', b"'", b"{"))
    return content[:start] + word * rng.choice((1, 1, 40)) + content[start:]


def _encode(content: bytes, rng: random.Random) -> bytes:
    return content.decode("utf-8", errors="replace").encode(rng.choice(ENCODINGS), errors="replace")


def _nothing(content: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"\n", b"\x00" * 1000, b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08\x00", content[::-1]))


def _of_json(content: bytes, rng: random.Random) -> bytes:
    """Replace, drop, add or rename one place of a tree, or nest it beyond reason."""
    if rng.random() < 0.08:
        deep = rng.choice((200, 5000, 200_000))
        return rng.choice((b"[" * deep, b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep))
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return _flip(content, rng)
    place = _some_place(tree, rng)
    if place is None:
        return json.dumps(rng.choice((*VALUES[:9], *WORDS[:20]))).encode("utf-8", errors="replace")
    parent, key = place
    turn = rng.random()
    if turn < 0.55:
        parent[key] = rng.choice((*VALUES, *WORDS))
    elif turn < 0.7:
        del parent[key]
    elif turn < 0.85 and isinstance(parent, dict):
        parent[rng.choice(WORDS)] = parent.pop(key)
    elif isinstance(parent, dict):
        text = json.dumps(tree, default=str)
        name = json.dumps(key)
        return text.replace(name, f"{name}: 1, {name}", 1).encode("utf-8", errors="replace")
    else:
        parent *= rng.choice((2, 100))
    return json.dumps(tree, default=str).encode("utf-8", errors="replace")


def _some_place(tree: Any, rng: random.Random) -> tuple[Any, Any] | None:
    """A container of the tree and a key in it."""
    found = None
    while isinstance(tree, (dict, list)) and tree:
        key = rng.choice(list(tree)) if isinstance(tree, dict) else rng.randrange(len(tree))
        found = (tree, key)
        if rng.random() < 0.25:
            break
        tree = tree[key]
    return found


def _of_csv(content: bytes, rng: random.Random) -> bytes:
    """Replace a cell, a name of a column, or add, drop, double and swap columns and rows."""
    lines = content.decode("utf-8", errors="replace").split("\n")
    at = rng.choice((0, rng.randrange(len(lines)), rng.randrange(len(lines))))
    cells = lines[at].split(",")
    turn = rng.random()
    if turn < 0.6:
        cells[rng.randrange(len(cells))] = rng.choice(WORDS)
    elif turn < 0.7:
        cells = cells * rng.choice((2, 10_000 // max(1, len(cells)) + 1))
    elif turn < 0.8:
        del cells[rng.randrange(len(cells))]
    elif turn < 0.9:
        rng.shuffle(lines)
        return "\n".join(lines).encode("utf-8", errors="replace")
    else:
        lines.insert(at, lines[at])
    lines[at] = ",".join(cells)
    return "\n".join(lines).encode("utf-8", errors="replace")


def _of_yaml(content: bytes, rng: random.Random) -> bytes:
    """Replace a value, add a line, an alias bomb, a tag, a key that is there twice."""
    lines = content.decode("utf-8", errors="replace").split("\n")
    at = rng.randrange(len(lines))
    turn = rng.random()
    if turn < 0.5 and ":" in lines[at]:
        lines[at] = f"{lines[at].split(':')[0]}: {rng.choice((*WORDS, *map(str, VALUES)))}"
    elif turn < 0.6:
        bomb = [f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9) if i else 'x'}]" for i in range(rng.choice((3, 8, 30)))]
        lines = bomb + lines if rng.random() < 0.5 else lines + bomb
    elif turn < 0.7:
        lines.insert(
            at, rng.choice(("<<: *no", "? [a]", "%YAML 9.9", "---", "...", "\t", "- a", "a: &a [*a]", "!!x y"))
        )
    elif turn < 0.8:
        lines.insert(at, lines[at])
    elif turn < 0.9:
        deep = rng.choice((50, 400))
        lines[at] = f"{lines[at].split(':')[0]}: {'[' * deep}{']' * deep}"
    else:
        lines[at] = f"{lines[at].split(':')[0]}: !!python/object/apply:os.system ['touch hacked']"
    return "\n".join(lines).encode("utf-8", errors="replace")


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _flip, _cut, _hole, _double, _insert, _encode, _nothing,
)  # fmt: skip
STRUCTURED: dict[str, Callable[[bytes, random.Random], bytes]] = {"json": _of_json, "csv": _of_csv, "yaml": _of_yaml}
