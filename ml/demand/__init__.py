"""Demand: how much of each group of products will be bought in each of the next weeks.

Weeks of demand in, forecasts with intervals, their grades and what to order out.
A group is a category or whatever the caller says.
"""
