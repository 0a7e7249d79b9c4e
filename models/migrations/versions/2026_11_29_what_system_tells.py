"""what the page System tells: when what lies aside was last tried, what was applied of late, reads of Stripe,
comparisons with the account"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('inbox', sa.Column('tried_at', sa.BigInteger(), nullable=True))
    op.create_index('ix_inbox_applied_at', 'inbox', ['applied_at'])
    op.create_table(
        'stripe_reads',
        sa.Column('day', sa.BigInteger(), nullable=False),
        sa.Column('purpose', sa.String(), nullable=False),
        sa.Column('reads', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('day', 'purpose'),
    )
    op.create_table(
        'reconciliations',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('started_at', sa.BigInteger(), nullable=False),
        sa.Column('finished_at', sa.BigInteger(), nullable=True),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('objects', sa.BigInteger(), nullable=False),
        sa.Column('requests', sa.BigInteger(), nullable=False),
        sa.Column('drifts', sa.BigInteger(), nullable=False),
        sa.Column('aside', sa.BigInteger(), nullable=False),
        sa.Column('skipped', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
        sa.Column('error', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_reconciliations_started_at', 'reconciliations', ['started_at'])


def downgrade() -> None:
    op.drop_table('reconciliations')
    op.drop_table('stripe_reads')
    op.drop_index('ix_inbox_applied_at', 'inbox')
    op.drop_column('inbox', 'tried_at')
