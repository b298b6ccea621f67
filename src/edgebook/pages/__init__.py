"""What a report page is made of: its frame, tables, callouts, numbers in words, colours."""
