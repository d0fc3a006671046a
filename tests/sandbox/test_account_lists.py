"""Lists of the demo account: contacts, campaigns, quotas, reports, domains, sign-on, and files."""

from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from alchemer_nb.sandbox.demo import crm_rows
from tests.boxes import copied_box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alchemer_nb.sandbox import Sandbox

EMAIL = "survey/9000001/surveycampaign/300011"
PITCH = "16"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with copied_box(responses=60) as started:
        yield started


@pytest.fixture
def get(box: Sandbox) -> Callable[..., Any]:
    def get(path: str, **params: Any) -> Any:
        pair = {"api_token": box.api_token, "api_token_secret": box.api_token_secret}
        return requests.get(f"{box.url}/v5/{path}", {**pair, **params}, timeout=10).json()

    return get


def test_contacts_are_the_people_of_the_customer_list(get: Callable[..., Any]) -> None:
    body = get("contactlist/31/contactlistcontact", resultsperpage=500)
    assert set(body) == {"result_ok", "page", "results_per_page", "data"}
    customers = crm_rows(60)
    assert [str(one["id"]) for one in body["data"]] == [row["contact_id"] for row in customers]
    assert body["data"][0]["group"] == customers[0]["segment"]
    addresses = [one["email_address"] for one in body["data"]]
    assert len({*addresses}) == len(addresses)
    assert all(address.endswith("@example.org") for address in addresses)
    club = get("contactlist/32/contactlistcontact")["data"]
    assert {one["group"] for one in club} == {"Club"}
    one = get(f"contactlist/32/contactlistcontact/{club[0]['id']}")["data"]
    assert one == club[0]
    assert get("contactlist/32")["data"]["list_name"] == "Club members"


def test_pages_of_contacts_do_not_overlap(get: Callable[..., Any]) -> None:
    pages = [
        get("contactlist/31/contactlistcontact", resultsperpage=20, page=page)["data"]
        for page in (1, 2, 3)
    ]
    assert [len(page) for page in pages] == [20, len(crm_rows(60)) - 20, 0]
    assert len({one["id"] for page in pages for one in page}) == len(crm_rows(60))


@pytest.mark.parametrize("path", ["domain", "sso", "surveytheme", "contactcustomfield"])
def test_lists_that_are_objects_keyed_by_id(get: Callable[..., Any], path: str) -> None:
    data = get(path)["data"]
    assert data
    assert all(str(row["id"]) == key for key, row in data.items())


def test_the_theme_of_surveys_and_the_single_sign_on_have_calls_of_their_own(
    get: Callable[..., Any],
) -> None:
    theme = get("survey/9000001", metaonly="true")["data"]["theme"]
    assert str(get(f"surveytheme/{theme}")["data"]["id"]) == theme
    assert get("sso/1")["data"]["usersolo"] == "true"  # a text, as the reference shows it


def test_an_email_campaign_has_messages_and_the_contacts_that_it_invited(
    get: Callable[..., Any],
) -> None:
    kinds = {c["id"]: c["link_type"] for c in get("survey/9000001/surveycampaign")["data"]}
    assert kinds == {"300001": "link", "300011": "email"}
    body = get(f"{EMAIL}/emailmessage")
    assert [one["subtype"] for one in body["data"]] == ["message", "reminder"]
    assert body["results_per_page"] == body["total_count"] == 2
    assert get(f"{EMAIL}/emailmessage/2")["data"]["subtype"] == "reminder"
    invited = get(f"{EMAIL}/surveycontact", resultsperpage=500)["data"]
    assert {one["subscriber_status"] for one in invited} == {"Complete", "Partial", "Sent"}
    answered = {
        row["contact_id"]
        for row in get("survey/9000001/surveyresponse", resultsperpage=500)["data"]
        if row["contact_id"]
    }
    assert answered == {str(one["id"]) for one in invited if one["subscriber_status"] != "Sent"}
    assert "invitelink" in get(f"{EMAIL}/surveycontact/{invited[0]['id']}")["data"]


def test_a_link_has_neither_messages_nor_contacts(get: Callable[..., Any]) -> None:
    link = "survey/9000001/surveycampaign/300001"
    assert get(f"{link}/emailmessage")["data"] == []
    assert get(f"{link}/surveycontact")["data"] == []


def test_a_quota_counts_the_completes_with_its_option(get: Callable[..., Any]) -> None:
    quotas = get("survey/9000001/quotas")["quotas"]
    rule = quotas[0]["groups"][0]["rules"][0]
    question, value = rule["input_value"], rule["answers_values"]
    counted = [
        row
        for row in get("survey/9000001/surveyresponse", resultsperpage=500)["data"]
        if row["status"] == "Complete"
        and row["is_test_data"] == "0"
        and row["survey_data"]
        and row["survey_data"][question].get("answer") == value
    ]
    assert int(quotas[0]["responses"]) == len(counted) > 0
    assert get("survey/9000001/quotas/2") == {"result_ok": True, **quotas[1]}
    assert get("survey/9000004/quotas") == {"result_ok": True, "quotas": []}


def test_reports_name_no_pages_and_can_be_chosen_by_type(get: Callable[..., Any]) -> None:
    body = get("survey/9000001/surveyreport")
    assert set(body) == {"result_ok", "total_count", "data"}
    assert [one["type"] for one in body["data"]] == ["summary", "profile"]
    chosen = get("survey/9000001/surveyreport", types="profile,turf")["data"]
    assert [one["id"] for one in chosen] == ["st_9000001"]
    assert get("survey/9000001/surveyreport/st_9000001")["data"] == chosen[0]
    assert get("survey/9000004/surveyreport")["data"] == []


@pytest.mark.parametrize(
    "path",
    [
        "contactlist/99", "contactlist/99/contactlistcontact", "sso/9", "surveytheme/1",
        "survey/9000001/quotas/9", "survey/9000001/surveyreport/9",
        "survey/9000001/surveycampaign/9/emailmessage", f"{EMAIL}/surveycontact/9",
        f"{EMAIL}/emailmessage/9",
    ],
)  # fmt: skip
def test_an_id_that_nothing_has(get: Callable[..., Any], path: str) -> None:
    assert get(path)["code"] == 404


class TestFiles:
    @pytest.fixture
    def names(self, get: Callable[..., Any]) -> dict[str, str]:
        """The files of the event form, by response."""
        rows = get("survey/9000002/surveyresponse", resultsperpage=500)["data"]
        answers = {row["id"]: row["survey_data"] or {} for row in rows}
        return {
            own: data[PITCH]["answer"]
            for own, data in answers.items()
            if "answer" in data.get(PITCH, {})
        }

    def test_an_address_is_signed_for_five_minutes(
        self, get: Callable[..., Any], names: dict[str, str]
    ) -> None:
        assert len(names) > 5
        for own, name in names.items():
            data = get(f"survey/9000002/surveyresponse/{own}/file", filename=name)["data"]
            assert (data["survey_id"], data["response_id"], data["filename"]) == (
                "9000002", own, name,
            )  # fmt: skip
            query = dict(parse_qsl(urlsplit(data["download_url"]).query))
            assert query["X-Amz-Expires"] == "300"
            reply = requests.get(data["download_url"], timeout=10)
            assert reply.status_code == 200
            if name.lower().endswith(".png"):
                assert reply.headers["Content-Type"] == "image/png"
                check_picture(reply.content)

    def test_an_address_that_has_expired_or_was_changed_is_refused(
        self, get: Callable[..., Any], names: dict[str, str]
    ) -> None:
        own, name = next(iter(names.items()))
        path = f"survey/9000002/surveyresponse/{own}/file"
        address = get(path, filename=name, expires=1)["data"]["download_url"]
        for changed in (address + "0", address.replace("=1&", "=100&"), address.split("?")[0]):
            assert requests.get(changed, timeout=10).status_code == 403
        end = time.monotonic() + 10
        while requests.get(address, timeout=10).status_code == 200:
            assert time.monotonic() < end
        assert "Request has expired" in requests.get(address, timeout=10).text

    def test_credentials_at_a_signed_address_are_refused(
        self, get: Callable[..., Any], names: dict[str, str]
    ) -> None:
        own, name = next(iter(names.items()))
        path = f"survey/9000002/surveyresponse/{own}/file"
        address = get(path, filename=name)["data"]["download_url"]
        for extra in ({"params": {"api_token": "x"}}, {"headers": {"Authorization": "OAuth x"}}):
            assert requests.get(address, **extra, timeout=10).status_code == 400

    def test_what_is_no_file_of_the_response(
        self, get: Callable[..., Any], names: dict[str, str]
    ) -> None:
        (one, name), (other, _) = list(names.items())[:2]
        path = "survey/9000002/surveyresponse/{}/file"
        assert get(path.format(other), filename=name)["code"] == 404
        assert get(path.format(one), filename="../../etc/passwd")["code"] == 404
        assert get(path.format(one))["code"] == 400
        assert get(path.format(99999), filename=name)["code"] == 404


def check_picture(content: bytes) -> None:
    """Checks the checksum of each part of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, kinds = 8, []
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        part = content[at + 4 : at + 8 + length]
        kinds.append(part[:4])
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            part
        )
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
