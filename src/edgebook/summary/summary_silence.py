"""Why a week had no signal: what its candidates fell short of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from edgebook.seals.week import Week


def silence(week: Week) -> list[str]:
    """Sentence on a week in which the account entered nothing; none where it did, and at genesis.

    Parameters
    ----------
    week : Week
        Sealed.
    """
    from edgebook.policy.market import milliseconds
    from edgebook.policy.record import AWAKE
    from edgebook.policy.signals import entering_rows, find_signals

    if len(week.seals) < 2:
        return []
    before, seal = week.seals[-2:]
    if (seal.ledger["open_date"] >= pd.Timestamp(before.as_of, tz="UTC")).any():
        return []
    policy = before.arms[before.champion].policy
    market = week.arrays.labelled(policy.regimes).knowing(before.arms[before.champion].record.names)
    since, until = milliseconds(before.as_of), milliseconds(seal.as_of)
    rows = entering_rows(market, market.plans[policy.exit_plan], since=since, until=until)
    if not len(rows):
        return []
    signals = find_signals(policy, market, rows=rows, until=until)
    if len(signals.row):
        return [
            f"Nothing was entered: {len(signals.row):,} signals, for none of which the account had room; the section "
            "sizing of params.yaml has its limits."
        ]
    scores = signals.scores
    above = (scores.confidence >= scores.threshold[:, None]) & (scores.consensus > 0)
    if not above.any():
        return [f"No signal: none of {above.size:,} candidates stood at its threshold with evidence in favour."]
    most = int(scores.agree[above].max())
    return [
        f"No signal: {int(above.sum()):,} of {above.size:,} candidates stood at their threshold, but at most {most} "
        f"head{'' if most == 1 else 's'} agreed on one, and {policy.min_heads_agree} are asked for. A head agrees from "
        f"{AWAKE:g} log-odds on, which one that knows little does not say."
    ]
