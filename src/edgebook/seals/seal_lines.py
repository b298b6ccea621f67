"""What a seal says in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgebook.seals.seals import Seal


def book_share(seal: Seal) -> float:
    """Share of the gate's wealth that was bet on the books in that week."""
    return float(seal.head["settings"]["gate"]["book_share"])


def decision_line(seal: Seal) -> str:
    """The gate's decision as a sentence."""
    decision, head = seal.head["decision"], seal.head
    champion = head["champion_version"]
    if decision["action"] == "begin":
        return f"the history begins with {champion}"
    if decision["action"] == "no challenger":
        return f"{champion} stays; no challenger is on trial"
    if decision["action"] == "pin":
        return f"{champion} by hand: {decision['reason']}"
    wealth = f"wealth {decision['wealth']:.2f}, the bar is {decision['bar']:g}"
    words = {
        "keep": f"{champion} stays; {decision['recipe']} has not shown enough yet ({wealth})",
        "promote": f"{decision['recipe']} is promoted ({wealth})",
        "recommend": f"{champion} stays until `edgebook approve`; the gate recommends {decision['recipe']} ({wealth})",
        "retire": f"{champion} stays; {decision['recipe']} is retired ({wealth})",
        "roll back": f"rolled back to {decision['recipe']} ({wealth})",
    }
    return words[decision["action"]]
