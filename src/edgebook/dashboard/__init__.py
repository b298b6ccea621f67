"""The page of a week and the page over all weeks."""
