"""The named rule that needs no ratings: more praise than blame, by short lists of words that we wrote ourselves.

They are for a rule to beat, not for a dictionary; words of one shop's trade do not belong here.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.feedback.texts import any_of, normalised

Array = npt.NDArray[np.float64]

PRAISE: Final = {
    "en": "good great excellent love* perfect* amazing nice happy best beautiful comfortable recommend* thank* fast "
    "quick* satisfied wonderful fantastic pleased",
    "de": "gut* super toll* perfekt* schon* zufrieden* empfehl* danke schnell* beste* begeister* wunderbar* angenehm* "
    "einwandfrei* prima klasse",
    "fr": "bon bonne bien super parfait* excellent* recommand* merci rapide* content* satisfait* magnifique* beau "
    "belle adore* agreable*",
    "es": "bueno buena bien excelente* perfecto* recomiend* gracias rapido* contento* satisfech* encant* mejor "
    "maravillos* genial hermos* feliz",
    "pt": "bom boa otimo* excelente* perfeit* recomend* obrigad* rapid* satisfeit* ador* maravilh* lind* gostei amei "
    "melhor parabens feliz",
    "it": "buono buona bene ottimo* eccellente* perfett* consiglio consigliat* grazie veloc* soddisfatt* bello bella "
    "fantastic* meraviglios* felice contento",
    "nl": "goed* super perfect* mooi* tevreden aanrader bedankt snel* blij beste geweldig* fijn* prima uitstekend* "
    "heerlijk* prachtig*",
}
BLAME: Final = {
    "en": "bad poor* terrible awful horrible worst disappoint* broken broke return* refund cheap never slow late wrong "
    "waste unfortunately complain* missing defect*",
    "de": "schlecht* enttausch* kaputt* leider nie mangelhaft* langsam* falsch* defekt* reklam* zuruck* billig* "
    "unzufrieden* verspat* argerlich* schrecklich* fehlt*",
    "fr": "mauvais* decu* nul nulle casse* jamais lent* retard* faux probleme* defectueu* rembours* horrible* pire "
    "malheureusement manqu* reclam*",
    "es": "malo mala mal pesim* decepcion* roto rota nunca lento* tarde equivocad* defectuos* devol* reembols* "
    "horrible* peor reclam* falta*",
    "pt": "ruim pessim* decepcion* quebrad* nunca demor* atras* errad* defeit* devol* reembols* horrivel pior nao "
    "reclam* falt* problema* insatisfeit*",
    "it": "cattivo pessim* delus* rotto rotta mai lent* ritard* sbagliat* difettos* rimbors* orribil* peggio purtroppo "
    "reclam* manca* problema",
    "nl": "slecht* teleurgesteld* teleurstell* kapot* nooit traag verkeerd* defect* terug* helaas klacht* te laat "
    "waardeloos vreselijk* ontbreek* ontevreden",
}
DENIAL: Final = {
    "en": "not no never n't",
    "de": "nicht kein keine",
    "fr": "pas ne jamais",
    "es": "no nunca",
    "pt": "nao nunca nem",
    "it": "non mai",
    "nl": "niet geen nooit",
}


class LexiconRule(BaseEstimator):
    """Words of praise less words of blame, as a share of both; praise that is denied is blame.

    In a language without lists every message scores alike.
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def fit_held_out(self, messages: pl.DataFrame, satisfied: Array) -> Array:  # noqa: ARG002 - nothing is learned
        """The scores: what learns nothing has seen nothing."""
        self.is_fitted_ = True
        return self.score(messages)

    def score(self, messages: pl.DataFrame) -> Array:
        """From -1 to 1, one a message."""
        if self.language not in PRAISE:
            return np.zeros(messages.height)
        texts = normalised(messages["text"])
        praise, blame, denial = (any_of(tuple(words[self.language].split())) for words in (PRAISE, BLAME, DENIAL))
        denied = _count(texts, rf"{denial}\s+(?:\w+\s+)?{praise}")
        good, bad = _count(texts, praise) - denied, _count(texts, blame) + denied
        return np.asarray((good - bad) / (good + bad + 1.0), dtype=np.float64)


class BaseRateRule(BaseEstimator):
    """Everybody is as satisfied as the average."""

    def fit_held_out(self, messages: pl.DataFrame, satisfied: Array) -> Array:  # noqa: ARG002 - calibration knows it
        """The scores: none."""
        self.is_fitted_ = True
        return np.zeros(messages.height)

    def score(self, messages: pl.DataFrame) -> Array:
        """0 for every message; the rate is the calibration's."""
        return np.zeros(messages.height)


def _count(texts: pl.Series, pattern: str) -> Array:
    return texts.str.count_matches(pattern).to_numpy().astype(np.float64)
