"""Publications: built aside, verified, swapped, kept for a while and rolled back to."""
