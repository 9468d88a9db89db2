"""Experiments on customers: who is in which arm, and what the arms changed.

Pure functions over draws and sums; keys, kept assignments and where outcomes lie belong to the caller.
"""
