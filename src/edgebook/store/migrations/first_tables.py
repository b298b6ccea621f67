"""The store as it was before it had revisions: one history a file, one row a signal_id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TABLES = {
    "signal_outcomes": "signal_id pair timeframe is_short date open_date close_date open_rate close_rate fee_open "
    "fee_close take_profit_abs stop_loss_abs stake profit_ratio r_multiple exit_reason bars_held mae mfe enter_tag "
    "regime confidence threshold certified heads_agreed head_scores exit_plan model_version ab_test_version status",
    "tp_sl_hits": "signal_id pair timeframe is_short hit hit_date barrier_abs hit_rate bars_held profit_ratio "
    "r_multiple",
}
"""Columns by which a store without a revision is known for one of ours."""


def upgrade() -> None:
    """Make the tables; the next revision replaces them, so that their types do not matter."""
    for table, columns in TABLES.items():
        op.create_table(
            table, *(sa.Column(name, sa.String, primary_key=name == "signal_id") for name in columns.split())
        )
