"""Feedback: the language of a message, what it is about, and whether its writer is satisfied.

Texts come in and go nowhere: what leaves this package are scores, names of aspects, and words that many people use.
"""
