"""Trading signals that learn from their own outcomes, and can prove it."""
