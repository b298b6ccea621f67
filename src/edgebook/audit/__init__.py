"""Look-ahead, searched for in every layer by cutting off the future."""
