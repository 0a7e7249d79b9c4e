"""what cannot be valued"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    unvalued = sa.text('unvalued_items > 0')
    op.create_index(
        'ix_subscriptions_unvalued', 'subscriptions', ['currency'],
        sqlite_where=unvalued, postgresql_where=unvalued,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index('ix_subscriptions_unvalued', 'subscriptions')
