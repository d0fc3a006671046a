"""Which option an answer stands for: by its id, else its reporting value, else its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.once import once
from alchemer_nb.wire.scalars import id_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alchemer_nb.decode.leaves import Atom
    from alchemer_nb.survey.definition import Option

OTHER = "-other"


class Lookup:
    """The options of one question, found without going through all of them for each answer.

    Args:
        options: In the order of the definition.
        languages: Whose labels count first.
    """

    def __init__(self, options: Sequence[Option], languages: Sequence[str | None]) -> None:
        self._options = options
        self._languages = languages
        self._by_id = {option.id: option for option in options}

    def has(self, own: str) -> bool:
        """Whether an id is that of an option, or of what was written in at one."""
        return own.removesuffix(OTHER) in self._by_id

    def find(self, atom: Atom) -> tuple[Option | None, str | None]:
        """Finds the option of an answer.

        Returns:
            The option, or None; and a note where it was not found by id, or where the text
            received differs from the option's reporting value.
        """
        if not self._options:
            return None, None
        text = atom.text
        strange = None
        if atom.answer_id not in (None, "", 0, "0"):
            own = id_text(atom.answer_id).removesuffix(OTHER)
            option = self._by_id.get(own)
            if option is not None:
                typed = atom.is_write_in or option.is_other  # it stands in a column of its own
                differs = not typed and text is not None and text != option.value
                return option, f"{text!r} was received for {option.value!r}" if differs else None
            if atom.is_write_in:
                others = [option for option in self._options if option.is_other]
                return (others[0] if len(others) == 1 else None), None
            strange = f"{text!r} came with option id {own}, which is not in the definition"
        if text is None:
            return None, None
        option = self._by_value.get(text)
        if option is not None:
            return option, strange
        option = self._by_label.get(text)
        if option is not None:
            return option, strange or f"{text!r} was found by its label"
        return None, None

    @once
    def _by_value(self) -> dict[str, Option]:
        return _unique((option.value, option) for option in self._options)

    @once
    def _by_label(self) -> dict[str, Option]:
        return _unique(
            (label, option)
            for option in self._options
            for label in {option.label(*self._languages), *map(option.label, option.titles)}
        )


def _unique(pairs: Iterable[tuple[str, Option]]) -> dict[str, Option]:
    """The pairs whose text stands for one option alone."""
    found: dict[str, Option] = {}
    twice: set[str] = set()
    for text, option in pairs:
        if text in found:
            twice.add(text)
        found[text] = option
    return {text: option for text, option in found.items() if text not in twice}
