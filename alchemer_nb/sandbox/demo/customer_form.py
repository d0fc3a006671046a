"""The questions of the customer survey, in English, French and German."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo.survey_writer import Choice, SurveyWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGUAGES = ("English", "French", "German")

#: The organisation whose survey it is.
SHOP = "Larkmoor Outdoor"

_SCALE = (
    (("Very satisfied", "Très satisfait(e)", "Sehr zufrieden"), "5"),
    (("Satisfied", "Satisfait(e)", "Zufrieden"), "4"),
    (("Neither satisfied nor dissatisfied", "Ni l’un ni l’autre", "Teils, teils"), "3"),
    (("Dissatisfied", "Insatisfait(e)", "Unzufrieden"), "2"),
    (("Very dissatisfied", "Très insatisfait(e)", "Sehr unzufrieden"), "1"),
)
_GRADES = (
    (("Poor", "Mauvais", "Schlecht"), "1"),
    (("Fair", "Passable", "Mäßig"), "2"),
    (("Good", "Bon", "Gut"), "3"),
    (("Very good", "Très bon", "Sehr gut"), "4"),
    (("Excellent", "Excellent", "Ausgezeichnet"), "5"),
)
_NOT_APPLICABLE = ("Not applicable", "Sans objet", "Trifft nicht zu")
_OTHER = ("Other (please specify)", "Autre (précisez)", "Sonstiges (bitte angeben)")
_YES_NO = ((("Yes", "Oui", "Ja"), "1"), (("No", "Non", "Nein"), "0"))


def customer_form() -> SurveyWriter:
    """Write the survey in its three languages."""
    form = SurveyWriter(LANGUAGES)
    _about_you(form)
    _experience(form)
    _closer_look(form)
    return form


def _choices(pairs: Sequence[tuple[tuple[str, ...], str]]) -> list[Choice]:
    return [Choice(text, value) for text, value in pairs]


def _about_you(form: SurveyWriter) -> None:
    form.page(("About you", "À propos de vous", "Über Sie"))
    form.ask(
        "welcome",
        "instructions",
        (
            f"<p>Thank you for helping <strong>{SHOP}</strong>.</p>",
            f"<p>Merci d’aider <strong>{SHOP}</strong>.</p>",
            f"<p>Danke, dass Sie <strong>{SHOP}</strong> helfen.</p>",
        ),
        alias="",
    )
    form.ask(
        "recent_customer",
        "radio",
        (
            f"Have you bought anything from {SHOP} in the last 12 months?",
            f"Avez-vous acheté chez {SHOP} au cours des 12 derniers mois ?",
            f"Haben Sie in den letzten 12 Monaten bei {SHOP} eingekauft?",
        ),
        _choices(_YES_NO),
        required=True,
    )
    form.ask(
        "region",
        "menu",
        (
            "In which part of the country do you live?",
            "Dans quelle partie du pays habitez-vous ?",
            "In welchem Teil des Landes wohnen Sie?",
        ),
        _choices(
            [
                (("North", "Nord", "Norden"), "1"),
                (("South", "Sud", "Süden"), "2"),
                (("East", "Est", "Osten"), "3"),
                (("West", "Ouest", "Westen"), "4"),
            ]
        ),
        required=True,
    )
    form.ask("age", "number", ("How old are you?", "Quel âge avez-vous ?", "Wie alt sind Sie?"))
    form.ask("email", "email", ("Your e-mail address", "Votre adresse e-mail", "Ihre E-Mail"))
    form.ask(
        "last_visit",
        "date",
        (
            "When did you last shop with us? (MM/DD/YYYY)",
            "Quand avez-vous acheté pour la dernière fois ? (MM/JJ/AAAA)",
            "Wann haben Sie zuletzt bei uns eingekauft? (MM/TT/JJJJ)",
        ),
    )


def _experience(form: SurveyWriter) -> None:
    form.page(("Your experience", "Votre expérience", "Ihre Erfahrung"))
    form.ask(
        "satisfaction",
        "radio",
        (
            f"Overall, how satisfied are you with <strong>{SHOP}</strong>?",
            f"Globalement, êtes-vous satisfait(e) de <strong>{SHOP}</strong> ?",
            f"Wie zufrieden sind Sie insgesamt mit <strong>{SHOP}</strong>?",
        ),
        [*_choices(_SCALE), Choice(_NOT_APPLICABLE, "99", {"na": True})],
        comment=True,
    )
    form.ask(
        "nps",
        "nps",
        (
            "How likely are you to recommend us to a friend or colleague?",
            "Nous recommanderiez-vous à un ami ou à un collègue ?",
            "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
        ),
        [Choice(str(score), str(score)) for score in range(11)],
        orientation="HORZ",
    )
    form.ask(
        "service",
        "radio-grid",
        ("How would you rate our …?", "Comment jugez-vous … ?", "Wie bewerten Sie …?"),
        _choices(_GRADES),
        rows=[
            ("staff", ("Staff", "Le personnel", "Das Personal")),
            ("delivery", ("Delivery", "La livraison", "Die Lieferung")),
            ("prices", ("Prices", "Les prix", "Die Preise")),
            ("website", ("Website &amp; app", "Le site et l’appli", "Website und App")),
        ],
    )
    form.ask(
        "channels",
        "checkbox",
        (
            "Where have you bought from us? Select all that apply.",
            "Où avez-vous acheté nos produits ? Plusieurs réponses possibles.",
            "Wo haben Sie bei uns eingekauft? Mehrfachauswahl möglich.",
        ),
        [
            Choice(("Website", "Site web", "Website"), "web"),
            Choice(("Shop", "Magasin", "Laden"), "shop"),
            Choice(("Mobile app", "Appli mobile", "App"), "app"),
            Choice(("Telephone", "Téléphone", "Telefon"), "phone"),
            Choice(_OTHER, "other", {"other": True, "otherrequired": False}),
        ],
    )
    form.ask(
        "tasks",
        "checkbox-grid",
        ("What do you do where?", "Que faites-vous et où ?", "Was tun Sie wo?"),
        [
            Choice(("Online", "En ligne", "Online"), "online"),
            Choice(("In a shop", "En magasin", "Im Laden"), "shop"),
            Choice(("By phone", "Par téléphone", "Per Telefon"), "phone"),
        ],
        rows=[
            ("task_browse", ("Look around", "Regarder", "Umsehen")),
            ("task_buy", ("Buy", "Acheter", "Kaufen")),
            ("task_help", ("Get help", "Demander de l’aide", "Hilfe holen")),
        ],
    )


def _closer_look(form: SurveyWriter) -> None:
    form.page(("A closer look", "Pour aller plus loin", "Genauer betrachtet"))
    form.ask(
        "heard_from",
        "radio",
        (
            "How did you first hear about us?",
            "Comment nous avez-vous connus ?",
            "Wie haben Sie zuerst von uns gehört?",
        ),
        [
            Choice(("Friends or family", "Des proches", "Freunde oder Familie"), "friends"),
            Choice(("Search engine", "Moteur de recherche", "Suchmaschine"), "search"),
            Choice(("Advertising", "Publicité", "Werbung"), "advert"),
            Choice(_OTHER, "other", {"other": True, "otherrequired": True}),
        ],
    )
    _problem(form)
    form.ask(
        "comments",
        "essay",
        (
            "Is there anything else you would like to tell us?",
            "Souhaitez-vous ajouter quelque chose ?",
            "Möchten Sie uns noch etwas mitteilen?",
        ),
    )
    form.ask("source", "hidden", "utm_source")


def _problem(form: SurveyWriter) -> None:
    # An option that shows another question names it; here it is the one that follows.
    trigger: dict[str, Any] = {"show_rules": None, "show_rules_logic_map": ":a1b2c3,d4e5f6"}
    yes, no = _YES_NO
    problem = form.ask(
        "had_problem",
        "radio",
        (
            "Did you have any problem with your last order?",
            "Avez-vous eu un problème avec votre dernière commande ?",
            "Gab es bei Ihrer letzten Bestellung ein Problem?",
        ),
        [Choice(yes[0], yes[1], trigger), Choice(no[0], no[1])],
        has_showhide_deps=True,
    )
    solved = form.ask(
        "problem_solved",
        "radio",
        ("Was the problem solved?", "Le problème a-t-il été résolu ?", "Wurde das Problem gelöst?"),
        [
            Choice(("Yes, fully", "Oui, entièrement", "Ja, vollständig"), "2"),
            Choice(("In part", "En partie", "Teilweise"), "1"),
            Choice(("No", "Non", "Nein"), "0"),
        ],
    )
    problem.wire["options"][0]["properties"]["dependent"] = str(solved.id)
