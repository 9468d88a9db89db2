"""Every benchmark at a size that ends within minutes; each module takes a larger one."""

from benchmarks import contest, features, purchases, segments

features.main()
purchases.main()
contest.main()
segments.main()
