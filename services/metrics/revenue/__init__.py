"""What comes in each month, what moves it, who stays, and why does Stripe say otherwise?"""
