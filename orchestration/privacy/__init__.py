"""What is held about people: the registry of where, whose consent it needs, and what is done with it."""
