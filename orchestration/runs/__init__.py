"""One run: its day and its lock, what is looked at before it begins, how it goes on, and how it ended."""
