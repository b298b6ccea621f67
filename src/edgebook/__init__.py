"""Trading signals that learn from their own outcomes, and can prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgebook.running.champion import Champion, load_champion
    from edgebook.seals.week import open_week

__all__ = ["Champion", "load_champion", "open_week"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and with it pandas, only then: `edgebook --help` need not wait for it."""
    if name in ("Champion", "load_champion"):
        from edgebook.running import champion

        return getattr(champion, name)
    if name == "open_week":
        from edgebook.seals.week import open_week

        return open_week
    raise AttributeError(f"module 'edgebook' has no attribute {name!r}; it has {', '.join(__all__)}")
