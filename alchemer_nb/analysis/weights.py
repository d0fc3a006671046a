"""Weights: raking to known shares, and what they cost."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from alchemer_nb.analysis.question import as_choices, as_label, read_question
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.files import import_optional
from alchemer_nb.frame.description import ATTRS, Description, describe_wide
from alchemer_nb.wire.text import counted, did_you_mean

ABOUT = "weight"  # in what the description says about a frame
_NEAR = 0.0005  # of a share: a target that is met


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights that a table uses.

    Attributes:
        name: Name of their column; ``""`` for none.
        values: Weight of each row, NaN for rows to leave out (float64); None for none.
        notes: What a reader must know, one sentence each.
    """

    name: str = ""
    values: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def read_weights(frame: pd.DataFrame, name: str) -> Weights:
    """Return the weights of a column, checked.

    Raises:
        InvalidArgument: There is no such column, or it holds something else than weights.
    """
    description = describe_wide(frame)
    if not name:
        gone = {str(made.get("name")) for made in _made(description)}.difference(frame.columns)
        unused = [
            f"The weights of the frame are not used: it has no column {each!r} any more."
            for each in sorted(gone)
        ]
        if not gone and any(_of_waves(description)) and not own_weight(frame, description):
            unused.append(
                "The weights of the waves are not used: not all waves have them under one name."
            )
        return Weights(notes=tuple(unused))
    values = _checked(frame, name)
    notes = []
    if missing := int(np.isnan(values).sum()):
        notes.append(f"Left out: {counted(missing, 'response')} without a weight.")
    if zeros := int((values == 0).sum()):
        notes.append(f"In counts and bases alone: {counted(zeros, 'response')} with the weight 0.")
    missed = sum(made["missed"] for made in _made(description))
    if missed and name == own_weight(frame, description):
        notes.append(f"Targets of the weights that were not met: {missed:,}.")
    return Weights(name, values, tuple(notes))


def _checked(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the weights of a column (float64, NaN for none), or raise ``InvalidArgument``."""
    if name not in frame.columns:
        near = did_you_mean(name, map(str, frame.select_dtypes("number").columns))
        raise InvalidArgument(
            f"weight: there is no column {name!r}{near}",
            hint="" if near else "df = df.alchemer.weight({…}) makes a column of weights",
        )
    cells = pd.to_numeric(frame[name], errors="coerce")
    is_time = getattr(frame[name].dtype, "kind", "") in "mM"  # which ``to_numeric`` counts
    if is_time or (cells.isna() & frame[name].notna()).any():
        raise InvalidArgument(f"weight: {name!r} holds something else than numbers")
    values = cells.to_numpy(np.float64, na_value=np.nan)
    if (values < 0).any() or np.isinf(values).any():
        wrong = int(((values < 0) | np.isinf(values)).sum())
        raise InvalidArgument(
            f"weight: {name!r} is below zero or infinite in {counted(wrong, 'row')}",
            hint="Weights are numbers from 0",
        )
    if len(values) and not np.nansum(values) > 0:
        raise InvalidArgument(f"weight: {name!r} is zero or missing in all rows")
    with np.errstate(over="ignore"):
        squares = float(np.nansum(values**2))
    if len(values) and not 0 < squares < np.inf:
        raise InvalidArgument(f"weight: the numbers of {name!r} are too large or too small to add")
    return values


def own_weight(frame: pd.DataFrame, description: Description) -> str:
    """Return the name of the weight that ``rake`` gave a frame or all its waves; ``""`` if none."""
    names = {made.get("name") for made in _made(description)}
    name = names.pop() if len(names) == 1 else None
    return name if isinstance(name, str) and name in frame.columns else ""


def _of_waves(description: Description) -> list[Any]:
    return [wave.get(ABOUT) for wave in description.about.get("waves", ())]


def _made(description: Description) -> list[dict[str, Any]]:
    """Return what ``rake`` made: of the whole frame, else of each wave, if it has weights."""
    for found in ([description.about.get(ABOUT)], _of_waves(description)):
        made = [each for each in found if isinstance(each, dict)]
        if made and len(made) == len(found):
            return made
    return []


@dataclass(frozen=True, eq=False)
class Weighting:
    """What weights do to a frame.

    Attributes:
        name: Name of their column.
        targets: One row for each target (frame): ``question``, ``option`` (text), ``target``,
            ``before`` and ``after`` in percent (float64), ``met`` (bool).
        responses: Number of responses with a weight above 0.
        left_out: Number of responses without one, or with the weight 0.
        effective: What they are worth after weighting.
        smallest: The smallest weight; the mean is 1.
        largest: The largest weight.
    """

    name: str
    targets: pd.DataFrame
    responses: int
    left_out: int
    effective: float
    smallest: float
    largest: float

    @property
    def efficiency(self) -> float:
        """The effective number in percent of the responses."""
        return 100 * self.effective / self.responses if self.responses else float("nan")

    @property
    def design_effect(self) -> float:
        """By what factor weighting raises the variance of a mean (Kish)."""
        return self.responses / self.effective if self.effective else float("nan")

    def __repr__(self) -> str:
        missed = self.targets[~self.targets["met"]]
        lines = [
            f"{self.name}: {counted(self.responses, 'response')}, worth {self.effective:,.0f} "
            f"(efficiency {self.efficiency:.0f} %, design effect {self.design_effect:.2f}), "
            f"weights {self.smallest:.2f} to {self.largest:.2f}",
        ]
        if self.left_out:
            lines.append(
                f"left out: {counted(self.left_out, 'response')} without an answer to each "
                "question of the targets, or with a share of 0"
            )
        lines += [
            f"not met: {row.question}, {row.option}: {row.after:.1f} % in place of {row.target:.1f}"
            for row in missed.itertuples()
        ]
        return "\n".join(lines)


def rake(
    frame: pd.DataFrame,
    targets: Mapping[str, Mapping[Any, float]],
    name: str,
    trim: float | tuple[float, float] | None,
) -> pd.DataFrame:
    """Return a frame with a column of weights; see ``AlchemerAccessor.weight``.

    Raises:
        InvalidArgument: A target is unknown or cannot be met.
        ConfigurationError: weightipy is not installed.
    """
    description = describe_wide(frame)
    _check(targets, name, trim)
    if name in frame.columns and name != own_weight(frame, description):
        raise InvalidArgument(
            f"the frame has a column {name!r}", hint="Give the weights another name: name='…'"
        )
    package = import_optional("weightipy", "analysis")
    rims = {
        question: _rim(frame, description, question, shares) for question, shares in targets.items()
    }
    codes = np.column_stack([rim.codes for rim in rims.values()])
    present = (codes >= 0).all(axis=1)
    if not present.any():
        raise InvalidArgument("no response has an answer to all questions of the targets")
    wanted, held = {}, present.copy()
    for place, rim in enumerate(rims.values()):
        held &= ~((codes[:, place] >= 0) & (rim.shares[np.maximum(codes[:, place], 0)] == 0))
    for place, (question, rim) in enumerate(rims.items()):
        there = np.bincount(codes[held, place], minlength=len(rim.shares))
        for label, share, how_many in zip(rim.labels, rim.shares, there, strict=True):
            if share and not how_many:
                raise InvalidArgument(
                    f"targets: of those who answered all questions, nobody answered {label!r} to "
                    f"{question!r}, so its share cannot be met",
                    hint="Leave it out, or put it together with another in a column of your own",
                )
        wanted[f"r{place}"] = {n: 100 * s for n, s in enumerate(rim.shares.tolist()) if s}
    data = pd.DataFrame({f"r{n}": codes[held, n] for n in range(len(rims))})
    values = np.full(len(frame), np.nan)
    values[present] = 0.0  # of options whose target is 0
    values[held] = _raked(package, data, wanted, trim)
    result = frame.copy(deep=False)
    result[name] = values
    shares = {
        question: dict(zip(rim.labels, rim.shares.tolist(), strict=True))
        for question, rim in rims.items()
    }
    made = {"name": name, "targets": shares, "missed": 0}
    for _ in range(2):  # the second time with what the first says
        about = {**description.about, ABOUT: made}
        result.attrs = {**frame.attrs, ATTRS: replace(description, about=about).to_json()}
        made = {**made, "missed": int((~read_weighting(result).targets["met"]).sum())}
    return result


@dataclass(frozen=True, eq=False)
class _Rim:
    """A question of the targets: its labels, their shares, the code of each row."""

    labels: list[str]
    shares: np.ndarray
    codes: np.ndarray


def _check(targets: Any, name: str, trim: Any) -> None:
    if not isinstance(targets, Mapping) or not targets:
        raise InvalidArgument(
            "targets are shares by question and option, such as "
            '{"region": {"North": 0.3, "South": 0.7}}'
        )
    if not isinstance(name, str) or not name:
        raise InvalidArgument("name is the name of the new column, such as 'weight'")
    limits = trim if isinstance(trim, tuple | list) else (0, trim)
    if trim is not None and not (
        len(limits) == 2
        and all(isinstance(each, int | float) for each in limits)
        and 0 <= limits[0] < 1 < limits[1]
    ):
        raise InvalidArgument(
            "trim is the largest weight, above 1, or (smallest, largest) around 1, such as (0.3, 3)"
        )


def _rim(
    frame: pd.DataFrame, description: Description, question: str, shares: Mapping[Any, float]
) -> _Rim:
    answers = read_question(frame, description, question)
    if len(answers.items) != 1 or answers.items[0].kind == "multi":
        raise InvalidArgument(
            f"targets: {question!r} has no single answer for each response, so it has no shares"
        )
    item = as_choices(answers.items[0])
    labels = [choice.label for choice in item.choices]
    if not isinstance(shares, Mapping | pd.Series) or not len(shares):
        raise InvalidArgument(f"targets: those of {question!r} are shares by option")
    if not labels:
        raise InvalidArgument(f"targets: nobody answered {question!r}")
    wanted = {as_label(label): share for label, share in shares.items()}
    for label, share in wanted.items():
        if label not in labels:
            hint = did_you_mean(label, labels, f"; its options are {', '.join(labels[:8])}")
            raise InvalidArgument(f"targets: {label!r} is no option of {question!r}{hint}")
        if not isinstance(share, int | float | np.number) or not 0 <= share < np.inf:
            raise InvalidArgument(
                f"targets: the share of {label!r} is {share!r}; shares are numbers, 0 or more"
            )
    total = sum(wanted.values())
    whole = next((w for w in (1, 100) if abs(total - w) <= 0.005 * w), None)
    if whole is None:
        raise InvalidArgument(
            f"targets: the shares of {question!r} add up to {total:g}, not to 1 or 100"
        )
    counts = np.bincount(item.codes[item.codes >= 0], minlength=len(labels))
    apart = [choice.not_applicable and choice.label not in wanted for choice in item.choices]
    missing = [
        label
        for label, how_many, is_apart in zip(labels, counts, apart, strict=True)
        if how_many and label not in wanted and not is_apart
    ]
    if missing:
        raise InvalidArgument(
            f"targets: {question!r} has answers without a share: {', '.join(missing[:5])}",
            hint="Give each option a share; 0 leaves those who chose it out",
        )
    order = [label for label in labels if label in wanted]
    codes = np.full(len(frame), -1, np.int64)
    for place, label in enumerate(order):
        codes[item.holders(labels.index(label))] = place
    return _Rim(order, np.array([wanted[label] / total for label in order]), codes)


class _Limits(list[float]):
    """The smallest and the largest weight, which weightipy compares with numbers as if one."""

    def __le__(self, other: Any) -> bool:
        return bool(self[1] <= other)

    def __lt__(self, other: Any) -> bool:
        return bool(self[1] < other)


def _raked(
    package: Any, data: pd.DataFrame, wanted: dict[str, dict[int, float]], trim: Any
) -> np.ndarray:
    """Return the weight of each row, with the mean 1."""
    limits = _Limits(trim) if isinstance(trim, tuple | list) else (trim or 0)
    # With limits, which targets may contradict, each iteration takes far longer and gains less.
    most, gain = (200, 1e-3) if trim else (1000, 1e-6)
    rim = {"max_iterations": most, "convcrit": gain, "cap": limits}
    scheme = package.scheme_from_dict(wanted, name="rake", rim_params=rim)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it prints is in ``Weighting``, in numbers
        weighted = package.weight_dataframe(data, scheme, weight_column="w")
    values: np.ndarray = weighted["w"].to_numpy(np.float64)
    scaled: np.ndarray = values / values.mean()
    return scaled


def read_weighting(frame: pd.DataFrame) -> Weighting:
    """Return what the weights of a frame do to it as it is now.

    Raises:
        InvalidArgument: The frame has no weights of ``rake``.
    """
    description = describe_wide(frame)
    name = own_weight(frame, description)
    if not name:
        raise InvalidArgument(
            "this frame has no weights", hint="df.alchemer.weight({…}) makes them"
        )
    if ABOUT not in description.about:
        raise InvalidArgument(
            "each wave has weights of its own", hint="See df.alchemer.weighting of each wave"
        )
    checked = _checked(frame, name)
    values, there = np.nan_to_num(checked), ~np.isnan(checked)
    rows = []
    for question, shares in description.about[ABOUT]["targets"].items():
        try:
            rim = _rim(frame, description, question, shares)
        except InvalidArgument as error:
            raise InvalidArgument(
                f"the frame no longer has the answers to {question!r} that its weights were made "
                f"for ({error.sentence})",
                hint="Make the weights again: df.alchemer.weight({…})",
            ) from None
        here = there & (rim.codes >= 0)
        for place, (label, share) in enumerate(zip(rim.labels, rim.shares, strict=True)):
            held = here & (rim.codes == place)
            after = values[held].sum() / (values[here].sum() or np.nan)
            before = held.sum() / (here.sum() or np.nan)
            rows.append({
                "question": question, "option": label, "target": 100 * share,
                "before": 100 * before, "after": 100 * after,
                "met": bool(abs(after - share) <= _NEAR),
            })  # fmt: skip
    used = values[values > 0]
    squares = float((used**2).sum())
    return Weighting(
        name=name,
        targets=pd.DataFrame(rows),
        responses=len(used),
        left_out=int((values == 0).sum()),
        effective=float(used.sum()) ** 2 / squares if squares else 0.0,
        smallest=float(used.min()) if len(used) else float("nan"),
        largest=float(used.max()) if len(used) else float("nan"),
    )
