"""What `make bench` runs: the cost of our stages beside a bare script for the same work, as ratios within one run."""
