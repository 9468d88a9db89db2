"""Messages as customers write them: two remarks that go with the rating, one that says nothing, now and then a slip.

What a model must make of them stands in the tests.
"""

from collections.abc import Iterator

import numpy as np

GOOD = [
    "the fabric feels soft and sits just right",
    "worth every cent of the price",
    "the parcel was here in two days",
    "my neighbour asked where the coat is from",
    "the buttons are sewn on firmly",
    "already wearing it all week",
]
BAD = [
    "the zipper jammed on the first day",
    "the seam opened after one wash",
    "the parcel took five weeks",
    "the sleeves end above the elbow",
    "it smelled of plastic in the box",
    "support sent the same form three times",
]
NEUTRAL = [
    "I ordered this for my sister in spring",
    "this was my second order from the shop",
    "I bought it together with a pair of shoes",
    "we use it every week at home",
]
GERMAN = {
    5: "Der Stoff ist schön und die Lieferung kam schnell und ich bin sehr zufrieden",
    1: "Leider kam das Paket viel zu spät an und die Ware war kaputt",
}
SLIPS = 0.08  # of those who press the wrong number of stars


def messages(english: int, german: int) -> Iterator[tuple[int, str]]:
    """Stars and text of so many messages; two in three are of satisfied customers."""
    random = np.random.default_rng(11)
    for _ in range(english):
        is_good = random.random() < 2 / 3
        remarks = random.choice(GOOD if is_good else BAD, 2, replace=False)
        text = f"{remarks[0].capitalize()}. {str(random.choice(NEUTRAL)).capitalize()}; {remarks[1]}."
        is_slip = random.random() < SLIPS
        yield int(random.integers(4, 6) if is_good != is_slip else random.integers(1, 4)), text
    for number in range(german):
        stars = 5 if number % 2 else 1
        yield stars, f"{GERMAN[stars]}."
