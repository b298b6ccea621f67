"""The filtered hidden Markov model: against sums over all paths, against smoothing, and as labels of a market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgebook.errors import DataError
from small_market import coin_market

# --- labels of a market


def test_a_market_shows_itself_under_either_label_without_copying() -> None:
    market = coin_market(1, bars=40)
    other = ((market.regime + 1) % 4).astype(np.int8)
    both = replace(market, regimes={"rule": market.regime, "hmm": other})
    assert both.labelled("rule") is both
    hmm = both.labelled("hmm")
    assert hmm.regime is other
    assert hmm.values is market.values
    assert both.labelled("hmm") is hmm
    assert hmm.labelled("hmm") is hmm
    np.testing.assert_array_equal(hmm.labelled("rule").regime, market.regime)


def test_a_market_without_a_table_of_regimes_has_those_of_the_rule_alone() -> None:
    market = coin_market(1, bars=40)
    assert market.labelled("rule") is market
    with pytest.raises(DataError, match=r"asks for the regimes of 'hmm', the table has those of rule; run `edgebook"):
        market.labelled("hmm")
    with pytest.raises(DataError, match=r"'clusters', the table has those of rule, hmm"):
        replace(market, regimes={"rule": market.regime, "hmm": market.regime}).labelled("clusters")
