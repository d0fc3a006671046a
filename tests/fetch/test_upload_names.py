"""Names of downloaded files: whatever a respondent chose, on every system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alchemer_nb.fetch.upload_names import Upload, name_files

HEX = "0123456789abcdef" * 2


def named(stored: str, question: str = "photo", response: int = 12) -> str:
    (name,) = name_files([Upload(response, question, stored)]).values()
    return name


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (f"9-{HEX}_cat.png", "12_photo_cat.png"),
        ("800bd34f0a5900_cat.png", "12_photo_800bd34f0a5900_cat.png"),
        (f"9-{HEX}_Meine Katze (1).JPG", "12_photo_Meine Katze (1).JPG"),
        (f"9-{HEX}_été.tar.gz", "12_photo_été.tar.gz"),
        (f"9-{HEX}_", f"12_photo_9-{HEX}_"),
        (f"9-{HEX}_README", "12_photo_README"),
    ],
)
def test_the_name_of_the_respondents_file_stays(stored: str, name: str) -> None:
    assert named(stored) == name


@pytest.mark.parametrize(
    ("stored", "begins", "ends"),
    [
        ("../../etc/passwd", "12_photo__.._etc_passwd-", ""),
        ("..\\..\\evil.exe", "12_photo__.._evil-", ".exe"),
        ("C:evil.png", "12_photo_C_evil-", ".png"),
        ("a\0b\nc.png", "12_photo_a_b_c-", ".png"),
        ("gnp.\u202eexe.png", "12_photo_gnp._exe-", ".png"),
        ("cat.png. . ", "12_photo_cat-", ".png"),
        ("...", "12_photo_file-", ""),
        ("half\ud800.png", "12_photo_half\ufffd-", ".png"),
        ("x" * 400 + ".png", "12_photo_xxxx", ".png"),
        ("日" * 100 + ".png", "12_photo_日日", ".png"),
    ],
)
def test_what_some_system_refuses_is_replaced_and_a_hash_follows(
    stored: str, begins: str, ends: str
) -> None:
    name = named(stored)
    assert name.startswith(begins)
    assert name.endswith(ends)
    assert name != named(stored + "2")


def test_names_that_some_system_takes_for_one_are_told_apart() -> None:
    uploads = [Upload(1, "a", name) for name in ("Cat.png", "cat.PNG", "dog.png")]
    names = list(name_files(uploads).values())
    assert names[2] == "1_a_dog.png"
    assert names[0] != "1_a_Cat.png"
    assert names[0].casefold() != names[1].casefold()
    # Question "a" with the file "b_c", and question "a_b" with the file "c".
    two = name_files([Upload(1, "a", "b_c.png"), Upload(1, "a_b", "c.png")])
    assert len({*two.values()}) == 2


@given(
    st.lists(
        st.builds(Upload, st.integers(1, 3), st.sampled_from(["a", "A", "a_b"]), st.text()),
        unique=True,
    )
)
@example([Upload(1, "a", "CON"), Upload(1, "a", "con.png"), Upload(1, "a", "\u212a.png")])
@example([Upload(1, "a", "k.png"), Upload(1, "a", "\u212a.png"), Upload(1, "a", "K.png")])
def test_any_name_is_a_plain_file_in_the_folder_on_every_system(uploads: list[Upload]) -> None:
    names = list(name_files(uploads).values())
    assert len({unicodedata.normalize("NFD", name).casefold() for name in names}) == len(uploads)
    for name in names:
        assert not set(name) & set('<>:"/\\|?*')
        assert not any(unicodedata.category(letter)[0] == "C" for letter in name)
        assert name == name.rstrip(". ")
        assert name[0].isdigit()  # so neither hidden nor a name that Windows reserves
        assert len(name.encode()) <= 143
