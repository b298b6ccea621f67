"""The command line, group by group."""
