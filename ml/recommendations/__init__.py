"""Next product: which products, or categories, each customer is likely to buy next, and why.

Days of purchase in, ranked items with a score and a reason out. An item is a product or a category, as the caller says.
"""
