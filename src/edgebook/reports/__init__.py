"""What each report shows: tables, pictures and readings in computed words."""
