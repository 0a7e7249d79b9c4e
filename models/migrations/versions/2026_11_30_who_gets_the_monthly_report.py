"""who gets the monthly report"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')


def upgrade() -> None:
    op.create_table(
        'report_mailing',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('recipients', _JSON, nullable=False),
        sa.Column('at', sa.String(), nullable=False),
        sa.Column('since', sa.BigInteger(), nullable=False),
        sa.Column('sent_for', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.add_column('messages', sa.Column('report', sa.String(), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('messages', 'report')
    op.drop_table('report_mailing')
