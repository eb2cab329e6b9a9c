"""Search of contacts by the words of their names and emails.

Revision ID: 0011
"""

from alembic import op

from twinbook.store import words

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    words.make(op.get_bind())
