"""A store holds many histories, which share signal ids; PostgreSQL keeps times as times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give both tables a history; rows of before belong to the history that is exported now."""
    connection = op.get_bind()
    time = sa.TIMESTAMP(timezone=True) if connection.dialect.name == "postgresql" else sa.String()
    history = str(connection.get_execution_options().get("history", "main"))
    op.rename_table("tp_sl_hits", "tp_sl_hits_0001")
    op.rename_table("signal_outcomes", "signal_outcomes_0001")
    op.create_table(
        "signal_outcomes",
        sa.Column("history", sa.String, nullable=False),
        sa.Column("signal_id", sa.String, nullable=False),
        sa.Column("pair", sa.String, nullable=False),
        sa.Column("timeframe", sa.String, nullable=False),
        sa.Column("is_short", sa.Boolean, nullable=False),
        sa.Column("date", time),
        sa.Column("open_date", time, nullable=False),
        sa.Column("close_date", time),
        sa.Column("open_rate", sa.Float, nullable=False),
        sa.Column("close_rate", sa.Float),
        sa.Column("fee_open", sa.Float),
        sa.Column("fee_close", sa.Float),
        sa.Column("take_profit_abs", sa.Float, nullable=False),
        sa.Column("stop_loss_abs", sa.Float, nullable=False),
        sa.Column("stake", sa.Float),
        sa.Column("profit_ratio", sa.Float),
        sa.Column("r_multiple", sa.Float),
        sa.Column("exit_reason", sa.String),
        sa.Column("bars_held", sa.Integer),
        sa.Column("mae", sa.Float),
        sa.Column("mfe", sa.Float),
        sa.Column("enter_tag", sa.String),
        sa.Column("regime", sa.String),
        sa.Column("confidence", sa.Float),
        sa.Column("threshold", sa.Float),
        sa.Column("certified", sa.Boolean),
        sa.Column("heads_agreed", sa.String),
        sa.Column("head_scores", sa.String),
        sa.Column("exit_plan", sa.String),
        sa.Column("model_version", sa.String),
        sa.Column("ab_test_version", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("history", "signal_id", name="signal_outcomes_key"),
    )
    op.create_table(
        "tp_sl_hits",
        sa.Column("history", sa.String, nullable=False),
        sa.Column("signal_id", sa.String, nullable=False),
        sa.Column("pair", sa.String, nullable=False),
        sa.Column("timeframe", sa.String, nullable=False),
        sa.Column("is_short", sa.Boolean, nullable=False),
        sa.Column("hit", sa.String, nullable=False),
        sa.Column("hit_date", time, nullable=False),
        sa.Column("barrier_abs", sa.Float, nullable=False),
        sa.Column("hit_rate", sa.Float, nullable=False),
        sa.Column("bars_held", sa.Integer),
        sa.Column("profit_ratio", sa.Float),
        sa.Column("r_multiple", sa.Float),
        sa.PrimaryKeyConstraint("history", "signal_id", name="tp_sl_hits_key"),
        sa.ForeignKeyConstraint(
            ["history", "signal_id"],
            ["signal_outcomes.history", "signal_outcomes.signal_id"],
            name="tp_sl_hits_outcome",
        ),
    )
    if connection.dialect.name == "sqlite":  # nothing else was ever exported to before
        for table in ("signal_outcomes", "tp_sl_hits"):
            columns = [column["name"] for column in sa.inspect(connection).get_columns(f"{table}_0001")]
            new, old = (
                sa.table(name, *(sa.column(column) for column in ["history", *columns]))
                for name in (table, f"{table}_0001")
            )
            chosen = sa.select(sa.literal(history), *(old.c[column] for column in columns))
            connection.execute(sa.insert(new).from_select(["history", *columns], chosen))
    op.drop_table("tp_sl_hits_0001")
    op.drop_table("signal_outcomes_0001")
