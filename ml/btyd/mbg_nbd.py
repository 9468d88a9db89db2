"""MBG/NBD: BG/NBD whose customers may leave right after the first purchase too, after Batislam and others (2007).

Batislam, Denizel and Filiztekin, "Empirical validation and comparison of models for customer base analysis",
International Journal of Research in Marketing 24(3); Hoppe and Wagner, "Customer Base Analysis: The Case for a
Central Variant of the Betageometric/NBD Model", Marketing ZFP 29(3). Only that difference is here: formulas
shared with BG/NBD are in `ml.btyd.bg_nbd`.
"""

from typing import ClassVar

from ml.btyd.bg_nbd import BgNbd


class MbgNbd(BgNbd):
    """BG/NBD with one more chance to drop out, at the first purchase: P(alive) is below 1 after a single one.

    All zeros in X are a customer who has just bought for the first time and may be gone already.
    """

    _name: ClassVar[str] = "MBG/NBD"
    _first_chances: ClassVar[int] = 1
