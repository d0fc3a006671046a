"""What people type, in their own languages and with what real text has in it.

HTML entities, line breaks, accents, emoji, quotes, and a leading equals sign all occur.
"""

from __future__ import annotations

GOOD = {
    "English": (
        "Great service, thank you!",
        "Staff at the shop knew the trails better than I do 👍",
        "Quick delivery &amp; well packed.",
        'My daughter says the boots are "the best ever".',
        "Always helpful,\nalways friendly.",
    ),
    "French": (
        "Très bon accueil, merci beaucoup !",
        "Livraison rapide et soignée. Bravo à l’équipe.",
        "Des conseils précieux pour notre séjour à la montagne.",
    ),
    "German": (
        "Sehr freundliche Beratung, gerne wieder!",
        "Schnelle Lieferung, große Auswahl.",
        "Die Schuhe passen perfekt. Schöne Grüße aus Köln!",
    ),
}

MIXED = {
    "English": (
        "Fine overall; prices went up a bit.",
        "ok",
        "Website is good, but search for size &lt; 38 finds nothing.",
        "No complaints.",
        "=) nothing to add",
    ),
    "French": (
        "Correct, mais les prix augmentent.",
        "Rien à signaler.",
        "Le site est un peu lent&nbsp;le soir.",
    ),
    "German": (
        "Im Großen und Ganzen in Ordnung.",
        "Preise etwas höher als früher.",
        "Nichts hinzuzufügen.",
    ),
}

BAD = {
    "English": (
        "Parcel arrived late and the box was damaged.",
        "Waited 40 minutes on the phone. Not again!",
        "The tent leaked on the first night & nobody answered my e-mail.",
        "Refund still missing after 3 weeks 😡",
    ),
    "French": (
        "Colis arrivé en retard et abîmé.",
        "Impossible de joindre le service après-vente.",
        "Déçu de la qualité : la fermeture a cassé dès le premier jour.",
    ),
    "German": (
        "Lieferung kam zwei Wochen zu spät.",
        "Am Telefon niemand erreichbar. Ärgerlich!",
        "Der Reißverschluss war nach einem Tag kaputt.",
    ),
}

#: One sentence of the long essays; they repeat the day with a new number.
STORY = (
    "Day {day}: we set out early, the jacket held the rain off until noon, and by the evening "
    "we knew that the stove was the better buy; “worth every penny”, as my brother-in-law said. "
)

OTHER_CHANNELS = ("Flea market", "Marché de Noël", "Flohmarkt", "Second-hand via a friend", "eBay")
OTHER_WAYS = ("Climbing club", "Magazine «Sentiers»", "Bergführer", "Radio", "Trade fair")

NOISE = ("asdf", "test", "xxxx", "qwertz uiop", "test test 123")

#: Ages and dates that are no numbers and no dates.
ODD_AGES = ("forty-two", "34 years", "50+", "n/a")
ODD_DATES = ("last week", "spring 2025", "?")

GIVEN_NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Elif", "Fiona", "Goran", "Hélène", "Ines", "Jürgen",
    "Katja", "Liam", "Mei", "Noor", "Olu", "Pia", "Quentin", "Rosa", "Siân", "Tomás",
)  # fmt: skip
FAMILY_NAMES = (
    "Abbott", "Brandt", "Côté", "Dubois", "Eriksen", "Fischer", "Großmann", "Horák", "Ibarra",
    "Jansen", "Keller", "Lefèvre", "Müller", "Ní Bhriain", "O’Brien", "Petit", "Rossi", "Šimek",
)  # fmt: skip

NEEDS = (
    "Vegetarian, no nuts please.",
    "Wheelchair access &amp; a place near the door.",
    "Ich bringe meinen Hund mit 🐕",
    "Arriving late on the first day.",
    "None",
)

FILES = ("tent.png", "Unser Zelt.png", "van (1).PNG", "tente d'été.png", "list.txt")

CHANGES = (
    "Fewer meetings.",
    "More say in the rota.",
    "Better coffee ☕",
    "A quiet room for phone calls.",
    "Clearer goals &amp; fewer last-minute changes.",
    "Plus de formation.",
    "Mehr Tage im Homeoffice.",
)

IDEAS = (
    "Repair café", "Bike to work", "Mentoring", "Shared lunch", "Four-day week trial",
    "Swap shifts by app", "Language classes", "Plants 🌿",
)  # fmt: skip
