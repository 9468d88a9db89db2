"""Campaigns: who responds once contacted, who is like a segment, whom a contact changes, and whom to make an offer.

Pure functions and estimators over contacts and what was known of customers before them. Which contacts were made at
random is never guessed from the data: the caller says so.
"""
