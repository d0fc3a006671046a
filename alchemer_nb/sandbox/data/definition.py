"""One survey in the sandbox: its record, and ways to find a question in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Definition:
    """A survey record with its questions indexed by id and alias.

    Args:
        record: The neutral survey: ``id, title, internal_title, type, status, team, languages,
            title_ml, created, modified`` (seconds) and ``pages``, whose ``questions`` are question
            objects as the API sends them. It may have ``quotas`` (with ``name, limit,
            question, value``), and ``email_campaign``: the id of one that invited all contacts.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.id = int(record["id"])
        self.pages: list[dict[str, Any]] = record.get("pages") or []
        self._questions: dict[int, dict[str, Any]] = {}
        self._page_of: dict[int, int] = {}
        self._parents: dict[int, int] = {}
        for page in self.pages:
            for question, parent in _walk(page.get("questions") or [], None):
                number = int(question["id"])
                self._questions[number] = question
                self._page_of[number] = int(page["id"])
                if parent is not None:
                    self._parents[number] = parent

    def link(self, domain: str) -> str:
        """Return the address of its default link, without the scheme."""
        slug = "-".join(part for part in self.record["title"].split() if part.isalnum())
        return f"survey.{domain}/s3/{self.id}/{slug}"

    def questions(self) -> Iterator[dict[str, Any]]:
        """Return every question in survey order, sub-questions right after their parent."""
        yield from self._questions.values()

    def question(self, number: int) -> dict[str, Any] | None:
        """Return a question by id."""
        return self._questions.get(number)

    def named(self, name: str) -> dict[str, Any] | None:
        """Return a question by id or alias, as ``data[…]`` takes it."""
        if name.isascii() and name.isdigit():
            return self._questions.get(int(name))
        return next((q for q in self._questions.values() if q.get("shortname") == name), None)

    def page_of(self, number: int) -> int:
        """Return the id of the page of a question."""
        return self._page_of[number]

    def parent_of(self, number: int) -> dict[str, Any] | None:
        """Return the grid or group that a question belongs to."""
        parent = self._parents.get(number)
        return None if parent is None else self._questions[parent]

    def page(self, number: int) -> dict[str, Any] | None:
        """Return a page by id."""
        return next((page for page in self.pages if int(page["id"]) == number), None)


def _walk(
    questions: list[dict[str, Any]], parent: int | None
) -> Iterator[tuple[dict[str, Any], int | None]]:
    for question in questions:
        yield question, parent
        inner = question.get("sub_questions") or []
        rows = list(inner.values()) if isinstance(inner, dict) else inner
        yield from _walk(rows, int(question["id"]))
