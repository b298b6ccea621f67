"""The ledger in an SQL database, with migrations; two may write at once."""
