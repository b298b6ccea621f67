"""What JSON may be: everything within bounds is read, and what is not is named by its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebook.errors import DataError
from edgebook.settings.json_shapes import DEEPEST, LARGEST, Fields, Named, Number, Plain, Rows, Word, parsed

number = st.integers(-(10**15), 10**15) | st.floats(-LARGEST, LARGEST)
anything = st.recursive(
    st.none() | st.booleans() | number | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


@given(anything)
def test_plain_json_is_read_as_it_stands(value):
    assert parsed(json.dumps(value), Plain(), where="x.json") == value


@given(anything, st.sampled_from(["1e999", "-1e300", "1" + "0" * 400, "NaN", "-Infinity"]), st.randoms())
def test_one_number_beyond_all_bounds_is_found_wherever_it_stands(value, wrong, rng):
    whole: list[object] = [value]
    inner: object = whole
    while isinstance(inner, (list, dict)) and inner:
        into, place = inner, rng.choice(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
        inner = inner[place]
    into[place] = "the place"
    with pytest.raises(DataError, match=r"^x\.json: ") as refused:
        parsed(json.dumps(whole).replace('"the place"', wrong, 1), Plain(), where="x.json")
    assert "\n" not in str(refused.value)


def test_what_is_nested_too_deeply_is_refused():
    nested = "[" * DEEPEST + "]" * DEEPEST
    assert parsed(nested, Plain(), where="x.json") is not None
    for more in (2, 100_000):
        with pytest.raises(DataError, match="nested too deeply"):
            parsed("[" * more + nested + "]" * more, Plain(), where="x.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "key 'a' is there twice"),
        ('{"a": {"x": [1, true]}}', "a.x[1]: is True, must be a number from 0 to 9"),
        ('{"a": {"x": [1, 10]}}', "a.x[1]: is 10, must be a number from 0 to 9"),
        ('{"a": {"x/y": []}}', "a.a name: is 'x/y', must be text like"),
        ('{"a": {}, "b": 1}', "'b': no such key; known are a"),
        ("{}", "a: is missing"),
        ('{"a": {"x": [1', "not valid JSON"),
    ],
)
def test_what_breaks_a_shape_is_named_by_its_place(text, said):
    shape = Fields({"a": Named(Rows(Number(low=0, high=9)), names=Word(pattern=r"[^/]+"))})
    with pytest.raises(DataError) as refused:
        parsed(text, shape, where="x.json")
    assert str(refused.value).startswith("x.json: ") and said in str(refused.value)
