"""Peers as oracles: the cases, what other libraries answer to them, and the comparison with what Edgebook says."""
