"""How the tables of the exported store came to be what they are: one Alembic revision a module.

Each has `revision`, `down_revision` and `upgrade()`. A store is brought from the revision that it has to the newest one
when it is exported to (`edgebook.store.store_migrations`); revisions are only ever added. A revision writes out the
tables as they were then, and so imports none of today's.
"""
