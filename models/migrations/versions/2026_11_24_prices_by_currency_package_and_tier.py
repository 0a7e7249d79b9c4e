"""prices by currency, package and tier; numbers of Stripe's that nothing keeps small have 64 bits"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')
_WIDER = {
    'coupons': {'duration_in_months': True, 'max_redemptions': True, 'times_redeemed': False},
    'invoice_items': {'quantity': False},
    'invoice_lines': {'quantity': True},
    'promotion_codes': {'max_redemptions': True, 'times_redeemed': False},
    'subscription_items': {'quantity': False},
    'subscriptions': {'days_until_due': True},
}


def upgrade() -> None:
    with op.batch_alter_table('prices', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tiers', _JSON, nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('tiers_mode', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('transform_divide_by', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('transform_round', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('currency_options', _JSON, nullable=False, server_default='{}'))
    with op.batch_alter_table('subscriptions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unvalued_items', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source_metadata_key', sa.String(), nullable=False, server_default=''))
    _change_types(sa.Integer(), sa.BigInteger())
    # What the new columns hold was never asked for: prices are listed again, and rates derived from them.
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource IN ('prices', 'facts')"
    )


def downgrade() -> None:
    _change_types(sa.BigInteger(), sa.Integer())
    with op.batch_alter_table('workspace', schema=None) as batch_op:
        batch_op.drop_column('source_metadata_key')
    with op.batch_alter_table('subscriptions', schema=None) as batch_op:
        batch_op.drop_column('unvalued_items')
    with op.batch_alter_table('prices', schema=None) as batch_op:
        for name in ('currency_options', 'transform_round', 'transform_divide_by', 'tiers_mode', 'tiers'):
            batch_op.drop_column(name)


def _change_types(old: sa.types.TypeEngine, new: sa.types.TypeEngine) -> None:
    for table, columns in _WIDER.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, nullable in columns.items():
                batch_op.alter_column(name, existing_type=old, type_=new, existing_nullable=nullable)
