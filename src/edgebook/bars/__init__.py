"""The canonical bars, when a market trades, who is a member of it, and markets that are drawn with a known truth."""
