"""Which payments fail, and which come back?"""
