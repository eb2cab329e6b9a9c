"""Sweeps, the drift they find, and the versions that each look saw.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("version", "counterpart_version"):
        op.add_column("outcome", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.create_table(
        "sweep",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("thorough", sa.Boolean(), nullable=False),
        sa.Column("repairs", sa.Boolean(), nullable=False),
        sa.Column("met_in_salesforce", sa.LargeBinary(), nullable=False),
        sa.Column("met_in_netsuite", sa.LargeBinary(), nullable=False),
        sa.Column("salesforce_listed", sa.Integer(), nullable=False),
        sa.Column("netsuite_listed", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("stopped_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "drift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("salesforce_id", sa.Text(), nullable=True),
        sa.Column("netsuite_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.Float(), nullable=False),
        sa.Column("queued_at", sa.Float(), nullable=True),
        sa.Column("queued_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("drift_record", "drift", ["run_id", "side", "record_id", "kind"], unique=True)
    op.create_index("drift_scope", "drift", ["scope", "run_id"], unique=False)
