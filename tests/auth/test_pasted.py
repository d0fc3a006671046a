"""What a person pastes after the log-in page, however it was copied."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.auth.pasted import find_verifier
from alchemer_nb.errors import ConsentDenied, InvalidArgument, SignInExpired, WrongAttempt
from alchemer_nb.http.secrets import Secret

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def landed(verifier, token=TOKEN):
    query = urlencode({"oauth_token": token, "oauth_verifier": verifier})
    return f"https://alchemer-nb.invalid/signed-in?{query}"


def all_quoted(text):
    return quote(text, safe="")


def proofpoint_2(text):
    inner = quote(text, safe="").replace("-", "%2D").replace("_", "%5F").replace("%2F", "_")
    return (
        f"https://urldefense.proofpoint.com/v2/url?u={inner.replace('%', '-')}&d=DwMFAg&c=x-1_y&e="
    )


def base64_of(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# What carries a whole address, by where it comes from.
WRAPPED = {
    "as it is": str,
    "encoded": all_quoted,
    "encoded twice": lambda a: all_quoted(all_quoted(a)),
    "Safe Links": lambda a: (
        f"https://nam02.safelinks.protection.outlook.com/?url={all_quoted(a)}&data=05%7C02%7Cben"
        "%40example.com%7C0%7Cunknown%7CTWFpbGZsb3d8%3D%3D&sdata=nK8%2Bq%3D&reserved=0"
    ),
    "Safe Links, small letters": lambda a: (
        "https://eur01.safelinks.protection.outlook.com/ap/t-59584e83/?url="
        f"{all_quoted(a).replace('%3A', '%3a').replace('%2F', '%2f')}&data=05|02|x&reserved=0"
    ),
    "Safe Links of Teams": lambda a: (
        "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html"
        f"?url={all_quoted(a)}&locale=en-gb&dest=https%3A%2F%2Fteams.example.com%2Fapi"
    ),
    "Proofpoint 2": proofpoint_2,
    "Proofpoint 3": lambda a: f"https://urldefense.com/v3/__{a}__;!!Kw-612!Ue6tQudNKaShHg9$",
    "Proofpoint in Safe Links": lambda a: (
        f"https://nam02.safelinks.protection.outlook.com/?url={all_quoted(proofpoint_2(a))}&data=1"
    ),
    "Google": lambda a: f"https://www.google.com/url?q={all_quoted(a)}&sa=D&source=editors",
    "Google, not encoded": lambda a: f"https://www.google.com/url?q={a}&sa=D&source=editors",
    "Barracuda": lambda a: f"https://linkprotect.cudasvc.com/url?a={all_quoted(a)}&c=E,1,x&typo=1",
    "Cisco": lambda a: f"https://secure-web.cisco.com/1Ab-c/{all_quoted(a)}",
    "Sophos": lambda a: f"https://eu.protection.sophos.com/?d=x&u={base64_of(a)}&i=NWYx&t=abc",
    "Markdown": lambda a: f"[the page]({a})",
    "mail": lambda a: f"<{a}>",
    "HTML": lambda a: f'<a href="{a.replace("&", "&amp;")}">',
    "twice": lambda a: a + a,
    "after an older one": lambda a: f"{landed('old1', 'f' * 41)}\n{a}",
}
# What is around it.
AROUND = {
    "nothing": "{}",
    "a full stop": "{}.",
    "quotes": "“{}”,",
    "words": "I landed on {} and the page does not load. What now?",
    "lines": "Hello Ada,\n\n{}\n\nBest wishes,\nBen",
    "blanks": "  \t{}\r\n ",
}
# What carries the code alone.
LABELLED = (
    "{}",
    "{}.",
    "Your verifier: {}",
    "Your verifier:\n{}",
    "Your verification code is {}.",
    "Verifier {}",
    "Code: {}. Paste it into your program.",
    "oauth_verifier: {}",
    "oauth_verifier={}",
    "oauth_verifier\n{}",
    '{{"oauth_verifier": "{}"}}',
    "{{'oauth_verifier': '{}', 'oauth_callback_confirmed': True}}",
    f'{{{{"oauth_token": "{TOKEN}", "oauth_verifier": "{{}}"}}}}',
    f"oauth_token={TOKEN}\noauth_verifier={{}}",
    f"oauth_token: {TOKEN}\r\noauth_verifier: {{}}",
    f"?oauth_token={TOKEN}&oauth_verifier={{}}",
)


def found(text, token=TOKEN):
    outcome = find_verifier(Secret(text), Secret(token))
    assert isinstance(outcome, tuple), str(outcome)
    return outcome[0].reveal()


verifiers = st.text(LETTERS, min_size=6, max_size=44).filter(
    lambda text: any(map(str.isdigit, text))
)


@given(
    verifier=st.text(LETTERS + "-_~+/", min_size=2, max_size=44).map(lambda text: f"{text}x"),
    way=st.sampled_from(sorted(WRAPPED)),
    around=st.sampled_from(sorted(AROUND)),
)
def test_an_address_is_read_however_it_was_copied(verifier, way, around):
    assert found(AROUND[around].format(WRAPPED[way](landed(verifier)))) == verifier


@given(verifier=verifiers, form=st.sampled_from(LABELLED))
def test_a_code_is_read_whatever_stands_before_it(verifier, form):
    assert found(form.format(verifier)) == verifier


@given(
    verifier=verifiers,
    breaks=st.lists(st.integers(9, 90), max_size=3, unique=True).map(sorted),
    way=st.sampled_from(["as it is", "encoded", "Safe Links"]),
    line_break=st.sampled_from(["\n", "\r\n", "  \n  "]),
)
def test_an_address_may_be_broken_into_lines_anywhere(verifier, breaks, way, line_break):
    address = WRAPPED[way](landed(verifier))
    pieces = [address[i:j] for i, j in zip([0, *breaks], [*breaks, None], strict=True)]
    assert found(line_break.join(filter(None, pieces))) == verifier


def test_a_code_in_groups_is_one_code():
    assert found("ab12 cd34 ef56") == "ab12cd34ef56"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", InvalidArgument),
        (" “.” ", InvalidArgument),
        ("https://protect.example.com/s/Ab1?domain=alchemer-nb.invalid", InvalidArgument),
        ("the page does not load and I see no address at all", InvalidArgument),
        (f"https://api.alchemer.com/head/oauth/authenticate?oauth_token={TOKEN}", InvalidArgument),
        (landed("v1", "f" * 41), WrongAttempt),
        (all_quoted(landed("v1", "f" * 41)), WrongAttempt),
        (
            f"https://alchemer-nb.invalid/signed-in?oauth_token={TOKEN}&denied={TOKEN}",
            ConsentDenied,
        ),
        (all_quoted(f"https://x.invalid/?oauth_token={TOKEN}&denied={TOKEN}"), ConsentDenied),
        (f"https://x.invalid/?oauth_token={TOKEN}&oauth_problem=token_expired", SignInExpired),
    ],
)
def test_what_has_no_code_of_this_attempt_says_why(text, kind):
    outcome = find_verifier(Secret(text), Secret(TOKEN))
    assert type(outcome) is kind
    assert outcome.hint or "copy the address" in outcome.sentence
    assert TOKEN not in str(outcome)


def test_the_attempt_is_named_where_the_text_names_it():
    assert find_verifier(Secret(landed("v1")), Secret(TOKEN)) == (Secret("v1"), True)
    assert find_verifier(Secret("v1"), Secret(TOKEN)) == (Secret("v1"), False)
