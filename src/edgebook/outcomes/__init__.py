"""What became of every candidate: labelled on the bars, and recorded by a desk where it took the trade."""
