"""What is counted of customers, how, and when? Facts about each, and cells that sum them up."""
