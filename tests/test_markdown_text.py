"""Markdown of the pull request: whatever a name is made of, it stays words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from edgebook.pages.markdown_text import code, escaped, table

JOINER = "\u2060"
NASTY = [
    *("<", ">", "&", "&lt;", "`", "``", "|", "\\", "*", "_", "#", "-", "=", "+", "1. ", "[x](y)", "![", "~~", "$"),
    *("@me", "http://a.b", "www.a.b", "a", " ", "\n", "<script>alert(1)</script>", "=cmd()", "://"),
]
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=8).map("".join)


def tokens(markdown: str) -> list:
    """Every token, with raw HTML allowed: what would get through."""
    found = []
    for block in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown):
        found += [block, *(block.children or [])]
    return found


def words(markdown: str) -> str:
    return "".join(t.content for t in tokens(markdown) if t.type in ("text", "code_inline", "text_special"))


def plain(text: str) -> str:
    """Without what is of no width, and blanks as one."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", " ", text)
    return " ".join(text.replace(JOINER, "").split())


@given(TEXTS)
def test_escaped_words_are_one_paragraph_of_the_same_words(text: str) -> None:
    found = tokens(escaped(text))
    kinds = {token.type for token in found}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline"}
    shown = plain(words(escaped(text)))
    assert shown.replace("`", "") == plain(text).replace("`", "")


@given(TEXTS)
def test_a_name_as_code_is_that_name_and_no_markup(name: str) -> None:
    found = tokens(f"x {code(name)} y")
    inside = [token for token in found if token.type == "code_inline"]
    assert [plain(token.content) for token in inside] == [plain(name) or "?"]
    assert "html_inline" not in {token.type for token in found}


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_a_table_keeps_its_shape_whatever_its_cells_hold(rows: list) -> None:
    cells = [[code(name), escaped(text)] for name, text in rows]
    found = tokens("\n".join(table(["name", "words"], cells)))
    assert sum(token.type == "td_open" for token in found) == 2 * len(rows)
    assert not {"html_inline", "html_block", "link_open", "image"} & {token.type for token in found}


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "=cmd()", "a|b", "`", "a``b", "@everyone", "#1"])
def test_a_hostile_symbol_reads_as_it_is_called(name: str) -> None:
    row = tokens("\n".join(table(["symbol"], [[code(name)]])))
    assert [token.content for token in row if token.type == "code_inline"] == [name]


def test_hosts_make_no_link_mention_or_reference_of_words() -> None:
    said = escaped("ask @somebody about #12 at https://a.b or www.a.b, me@a.b; r1@2019-07-01 stays")
    for sight in ("@s", "#1", "://", "www.", "me@a"):
        assert sight not in said
    assert "r1@2019-07-01" in said


def test_a_command_stays_code_and_other_backticks_do_not() -> None:
    assert escaped("run `edgebook approve` now") == "run `edgebook approve` now"
    assert escaped("run `<b>` now") == "run \\`\\<b\\>\\` now"
