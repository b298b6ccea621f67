"""The search for better settings: proposals, corrected for how often was tried."""
