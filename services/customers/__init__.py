"""How do staff find a customer, what do they see of it, and what do they write down about it?"""
