"""Markdown that says what it is given and nothing else: words, names and tables for the text of a pull request.

GitHub and GitLab take Markdown with tables and task lists. Words may not become markup, links, mentions or formulas;
names from the data stand as code, where nothing but a backtick means anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMAND = re.compile(r"`[a-z][a-z0-9_. -]*`")
_MARKUP = re.compile(r"[\\`*{}\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_JOINER = "\u2060"  # of no width: keeps a mention, a reference or an address from being one
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def escaped(text: str) -> str:
    r"""Words as words, on one line: markup is escaped, but a command in backticks stays code.

    Examples
    --------
    >>> escaped("a|b <i> *x*"), escaped("go back with `edgebook rollback`")
    ('a\\|b \\<i\\> \\*x\\*', 'go back with `edgebook rollback`')
    """
    line = " ".join(_CONTROL.sub(" ", text).split())
    parts, at = [], 0
    for found in _COMMAND.finditer(line):
        parts += [_words(line[at : found.start()]), found.group()]
        at = found.end()
    return "".join([*parts, _words(line[at:])])


def _words(text: str) -> str:
    """Escape markup, and break what a host would turn into a link by itself."""
    text = _MARKUP.sub(r"\\\g<0>", text)
    text = re.sub(r"^([-+=#:]|\d+[.)])", rf"{_JOINER}\1", text)
    # A mention or a reference stands alone, a mail address has a dot after its @; a version, r1@2019-07-01, is neither.
    text = re.sub(r"(?<!\w)[@#](?=\w)|(?<=\w)@(?=[\w-]*\.\w)|:(?=//)|\bwww(?=\.)", rf"\g<0>{_JOINER}", text)
    return text


def code(name: str) -> str:
    """Set a name from the data as code, whatever it is made of.

    Examples
    --------
    >>> code("BTC/USD"), code("a`b"), code("=cmd()")
    ('`BTC/USD`', '``a`b``', '`=cmd()`')
    """
    line = " ".join(_CONTROL.sub(" ", name).split()) or "?"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    room = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{room}{line}{room}{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    r"""Lines of a table; a pipe inside a cell is escaped, in code too.

    Parameters
    ----------
    head : sequence of str
        Headings, Markdown.
    rows : sequence of sequence of str
        Cells, Markdown.
    right : sequence of int
        Columns of numbers.

    Examples
    --------
    >>> print("\n".join(table(["what", "n"], [["`a|b`", "3"]], right=[1])))
    | what | n |
    | --- | ---: |
    | `a\|b` | 3 |
    """
    rule = ["---:" if place in right else "---" for place in range(len(head))]
    lines = [list(head), rule, *(list(row) for row in rows)]
    return ["| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |" for line in lines]
