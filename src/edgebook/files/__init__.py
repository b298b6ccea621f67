"""How anything is written and read: tables, whole files or none, locks, credentials, databases."""
