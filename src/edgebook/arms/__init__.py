"""What a recipe does in a week: its book, its day scores, the gate that decides on it, and the watch over drift."""
