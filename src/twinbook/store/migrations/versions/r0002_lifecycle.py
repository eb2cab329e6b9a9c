"""Safety stops, what vanished lately, and what people decided.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("flow", sa.Column("stopped_at", sa.Float(), nullable=True))
    op.add_column("flow", sa.Column("stopped_why", sa.Text(), nullable=True))
    op.create_index("outcome_account", "outcome", ["scope", "account_id"], unique=False)
    op.create_table(
        "vanished",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("salesforce_id", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "entity", "salesforce_id"),
    )
    op.create_table(
        "decision",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "entity", "side", "record_id"),
    )
