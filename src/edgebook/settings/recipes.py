"""Recipes: what a policy is made by. Immutable and readable; named r1, r2 and so on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

HEAD_LETTERS = "ABCDEFGHI"
Strategy = Literal["equal", "steps", "log_odds_slow", "log_odds_fast", "momentum", "by_regime", "stacked", "meta"]
"""How weights are learned: from hits and misses (`edgebook.policy.vote_strategies`), by a fading regression
(`edgebook.policy.stacking`), or "meta": as the strategy that leads does (`edgebook.policy.experts`)."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A configuration from which policies are learned.

    Parameters
    ----------
    role : {"champion", "challenger", "baseline", "proposal"}
        What it is at genesis. The champion is in force, a challenger is on trial, a baseline runs in a shadow book
        and is never promoted. Recipes that come later are proposals and wait for the challenger's slot.
    proposed : str or None
        For a proposal: the Monday from which on it may be admitted. Dated, so that a history that is derived again
        admits it when it did the first time.
    title : str
        What it is, in a few words, for the reports.
    exit_plan : str
        Name of an exit plan of the grid, e.g. ``tp2.0_sl1.5_t24``.
    train_weeks : int
        Weeks of closed outcomes that a fit sees.
    refit_weeks : int
        Weeks between fits; 0 means that the first fit stays and nothing is learned after it.
    shrinkage : float
        Ridge penalty of every head, in effective (non-overlapping) outcomes: at `shrinkage` of them the data and
        the prior weigh the same.
    head_shrinkage : mapping of str to float
        The same for single heads, by letter, where a recipe differs in one.
    indicators : tuple of str or None
        Indicators that the heads may use; None for all 69.
    features : {"all", "selected"}
        Whether a fit uses all of `indicators`, or those of them that the last importance run kept.
    regimes : {"rule", "hmm", "desk"}
        Which labels of a bar the arm goes by; "desk" needs the column that `desk.regimes` names.
    indicator_weights, head_weights : Strategy
        How the weights of indicators within their head, and of heads in the consensus, are learned from outcomes;
        "equal": not at all.
    patterns : {"off", "effectiveness"}
        Whether the effectiveness of a candidate's pattern in its regime moves the consensus.
    thresholds : {"certified", "bandit", "rule"}
        Who sets the thresholds: certificates with a fixed quantile where there is none, Thompson sampling over the
        quantiles, or the plain rule (too many signals: up; many wins: down).
    half_life_weeks : float
        After so many weeks a vote or a score counts half, in head weights and calibration.
    signal_quantile : float
        Where no threshold is certified, a signal is among the top ``1 - signal_quantile`` of its regime's candidates.
    min_heads_agree : int
        Heads that must favour the side.
    """

    role: Literal["champion", "challenger", "baseline", "proposal"] = "proposal"
    proposed: str | None = None
    title: str = ""
    exit_plan: str
    train_weeks: int = 52
    refit_weeks: int = 1
    shrinkage: float = 100.0
    head_shrinkage: dict[str, float] = field(default_factory=dict)
    indicators: tuple[str, ...] | None = None
    features: Literal["all", "selected"] = "all"
    regimes: Literal["rule", "hmm", "desk"] = "rule"
    indicator_weights: Strategy = "equal"
    head_weights: Strategy = "by_regime"
    patterns: Literal["off", "effectiveness"] = "off"
    thresholds: Literal["certified", "bandit", "rule"] = "certified"
    half_life_weeks: float = 13.0
    signal_quantile: float = 0.95
    min_heads_agree: int = 3

    def settings(self) -> dict[str, Any]:
        """Return every setting that changes what is learned: all but role, title and date."""
        whole = asdict(self)
        del whole["role"], whole["title"], whole["proposed"]
        return whole
