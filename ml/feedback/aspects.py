"""What a message is about: aspects found by lists of words that are declared, here and in the source file.

A word that ends in `*` stands for all words that begin so; case and accents do not matter. A message may be about
several aspects, or none. Whether its writer is satisfied with an aspect of several cannot be told apart here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from ml.feedback.texts import any_of, normalised
from ml.feedback_schemas import FEEDBACK_ASPECTS
from ml.schemas import conform, empty

ASPECTS: Final[dict[str, dict[str, str]]] = {
    "price": {
        "en": "price* priced expensive cheap* cost* money value afford* overpriced discount* sale",
        "de": "preis* teuer* billig* gunstig* kosten geld rabatt*",
        "fr": "prix cher chere couteu* argent tarif* promo* remise*",
        "es": "precio* caro cara barat* cuesta costo dinero descuento*",
        "pt": "preco* caro cara barat* custo valor dinheiro desconto* promocao",
        "it": "prezz* caro cara economic* costa costo soldi sconto*",
        "nl": "prijs* duur* goedkoop* kost* geld korting*",
    },
    "quality": {
        "en": "quality material* fabric* broke* broken defect* sturdy durable flimsy cheaply tore ripped faulty",
        "de": "qualitat* material* stoff* kaputt* defekt* stabil* verarbeit* hochwertig* mangel*",
        "fr": "qualite* materi* tissu* casse* defectueu* solide* fragile*",
        "es": "calidad material* tela roto rota defectuos* resistent* fragil*",
        "pt": "qualidade* material* tecido* quebrad* defeit* resistent* fragil acabamento",
        "it": "qualita material* tessut* rotto rotta difett* resistent* fragil*",
        "nl": "kwaliteit* materia* stof kapot* defect* stevig* degelijk*",
    },
    "fit": {
        "en": "fit fits fitting size* sizing small large tight loose length short petite",
        "de": "passt passform* grosse* klein eng weit lang kurz",
        "fr": "taille* petit* grand* serre* large* coupe court* long*",
        "es": "talla* tamano pequen* grande* ajustad* apretad* corto* largo*",
        "pt": "tamanho* pequen* grande* apertad* largo* curto* comprid* numeracao medida*",
        "it": "taglia* misura* piccol* grande strett* largh* cort* lung*",
        "nl": "pas past maat* klein* groot* strak* kort* lang*",
    },
    "delivery": {
        "en": "deliver* shipping shipped arriv* courier tracking post parcel late delay*",
        "de": "liefer* versand* versend* angekommen paket* zustell* verspat*",
        "fr": "livr* envoi* expedi* colis arriv* retard* delai*",
        "es": "entreg* envio* llego llegar paquete* correo* retras* plazo",
        "pt": "entreg* envio* chegou chegar frete correio* prazo* atras* rastre* transportadora",
        "it": "consegn* spedi* arriv* pacco corriere ritard*",
        "nl": "lever* bezorg* verzend* pakket* aangekomen vertrag*",
    },
    "service": {
        "en": "service support staff customer seller refund* reply response helpful rude call* email*",
        "de": "service kundendienst mitarbeiter* beratung verkaufer* antwort* hilfsbereit* erstatt* hotline",
        "fr": "service* vendeu* conseil* reponse* rembours* accueil client*",
        "es": "servicio* atencion vendedor* respuesta* reembols* cliente*",
        "pt": "atendimento servico* vendedor* resposta* reembols* loja contato estorno suporte",
        "it": "servizio assistenza venditor* risposta rimbors* cliente*",
        "nl": "service klantenservice verkoper* medewerker* antwoord* terugbetal*",
    },
    "packaging": {
        "en": "packag* packed box wrapping wrapped",
        "de": "verpack* karton*",
        "fr": "emball* carton*",
        "es": "embal* empaque* caja",
        "pt": "embal* caixa pacote",
        "it": "imball* confezion* scatola",
        "nl": "verpak* doos",
    },
    "completeness": {
        "en": "missing wrong item incomplete instead",
        "de": "fehlt* falsch* unvollstandig*",
        "fr": "manqu* incomplet* erreur*",
        "es": "falta* faltan incomplet* equivocad*",
        "pt": "falt* errad* incomplet* divergente trocad*",
        "it": "manca* sbagliat* incomplet*",
        "nl": "ontbre* verkeerd* incompleet",
    },
}
"""Words by aspect and language."""
LANGUAGES: Final = tuple(ASPECTS["price"])
"""The languages in which aspects are known without being declared."""


def find_aspects(messages: pl.DataFrame, *, declared: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """FEEDBACK_ASPECTS: message x aspect, of messages with text and language.

    `declared` are words of a source's own by aspect, old or new; they are looked for in every language.
    """
    texts = messages.with_columns(read=normalised(messages["text"]))
    found = [
        texts.filter(
            pl.col("language").is_in(languages) if languages else True, pl.col("read").str.contains(pattern)
        ).with_columns(aspect=pl.lit(aspect))
        for aspect, languages, pattern in _patterns(declared)
    ]
    if not found:
        return empty(FEEDBACK_ASPECTS)
    named = pl.concat(found).unique(["feedback_id", "aspect"])
    return conform(named, FEEDBACK_ASPECTS).sort("feedback_id", "aspect")


def _patterns(declared: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[str], str]]:
    """Aspect, languages (all where none is named) and what to look for."""
    for aspect, by_language in ASPECTS.items():
        for language, words in by_language.items():
            yield aspect, [language], any_of(tuple(words.split()))
    for aspect, own in declared.items():
        if own:
            yield aspect, [], any_of(tuple(own))
