"""Words by which `clientele init` knows columns and files. What is made of them belongs in `drafting`."""

from typing import Final

SYNONYMS: Final = {
    "transaction_id": "transaction invoice invoiceno order orderid basket receipt bill ticket sale bestellung bestell "
    "auftrag auftrags beleg rechnung rechnungs bon commande facture pedido factura",
    "customer_id": "customer client household user member buyer account shopper kunde kunden cliente",
    "occurred_at": "occurred transactiondate transactiontimestamp invoicedate orderdate purchasedate ordered purchased "
    "sold placed booked orderpurchasetimestamp date timestamp datetime day datum bestelldatum rechnungsdatum "
    "kaufdatum belegdatum fecha",
    "product_id": "product stockcode sku item article upc ean artikel produkt produit producto articulo",
    "quantity": "qty units pieces count menge anzahl stueck stuck quantite cantidad",
    "amount": "amount netamount salesvalue sales total totalprice linetotal revenue value paid payment spend "
    "betrag umsatz summe gesamt gesamtpreis montant importe",
    "discount_amount": "discount retaildisc rebate rabatt remise descuento",
    "cost_amount": "cost cogs",
    "store_id": "store shop branch location outlet filiale markt magasin tienda",
    "name": "title description productname",
    "category": "productcategory productcategoryname group kategorie warengruppe categorie categoria",
    "created_at": "created signup registered joined since registrationdate kundeseit angelegt",
    "birth_date": "birthdate birthday dob dateofbirth geburtsdatum geburtstag datenaissance fechanacimiento",
    "age_band": "age agegroup",
    "income_band": "income",
    "gender": "sex",
    "email": "mail emailaddress emailadresse courriel correo",
    "phone": "telephone mobile phonenumber telefon telefono",
    "full_name": "name fullname customername kundenname nomclient nombrecliente",
    "postal_code": "zip zipcode postcode zipcodeprefix plz codepostal codigopostal",
    "city": "town ort stadt ville ciudad",
    "country": "land pays pais",
    "region": "state province bundesland",
    "started_at": "start startdate from",
    "ended_at": "end enddate until",
    "kind": "type campaigntype",
    "responded_at": "responded redemptiondate responsedate",
    "contacted_at": "contacted sent sentat",
    "feedback_id": "feedback review reviewid ticket message",
    "text": "comment review message body reviewtext",
    "rating": "score stars reviewscore",
    "plan": "contract tariff",
    "monthly_amount": "monthlycharges monthlyprice fee",
}
"""Words that mean a contract column, beside its own name: English, then German, French and Spanish, without accents."""

ENTITY_WORDS: Final = {
    "transactions": "transaction sale order invoice retail basket purchase bestellung umsatz commande pedido venta",
    "customers": "customer demographic client member household kunde",
    "products": "product item article catalogue catalog sku artikel produkt produit",
    "campaigns": "campaign promotion description",
    "campaign_contacts": "contact redemption response campaigns",
}
UNIT_PRICE: Final = (
    "unitprice",
    "price",
    "itemprice",
    "unitamount",
    "preis",
    "einzelpreis",
    "prix",
    "prixunitaire",
    "precio",
)
