"""Whether the loop fools itself: markets without an edge and with one, rules beside the gate, planted leaks."""
