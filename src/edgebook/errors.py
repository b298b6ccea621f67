"""Errors that a user can meet; each message is one line: where, what, the value, the rule, what to do.

- `EdgebookError`
    - `SettingsError`: params.yaml: an unknown key, a wrong type, an impossible value
    - `DataError`: bars, a table or a snapshot break their contract
    - `SealError`: a seal is missing, damaged, or would have to be rewritten
    - `NotebookError`: a notebook failed, or lacks a parameter that it is given
    - `WeekError`: the week asked for is not complete, or not in the data
    - `BusyError`: another run holds the lock
"""


class EdgebookError(Exception):
    """Base of every error that Edgebook raises on purpose."""


class SettingsError(EdgebookError):
    """A setting is unknown, has the wrong type, or cannot be."""


class DataError(EdgebookError):
    """Bars, a table or a snapshot break their contract."""


class SealError(EdgebookError):
    """A seal is missing, damaged, or would have to be rewritten."""


class NotebookError(EdgebookError):
    """A notebook failed, or lacks a parameter that it is given."""


class WeekError(EdgebookError):
    """The week asked for is not complete, or lies outside the data."""


class BusyError(EdgebookError):
    """Another run holds the lock."""
