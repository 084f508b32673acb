"""Why a mutant survives. A survivor without a reason here is a test that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.mutation.score import Mutant

UNEXPLAINED = "No reason is known: a test is missing"


@dataclass(frozen=True)
class Reason:
    """A reason, and the mutants that have it: patterns of the model and of the mutant's words; the first match counts."""

    text: str
    model: str
    words: str

    def fits(self, mutant: Mutant) -> bool:
        return bool(re.fullmatch(self.model, mutant.model) and re.search(self.words, f"{mutant.place}: {mutant.text}"))


@dataclass(frozen=True)
class Reasons:
    """In the order in which they are tried."""

    known: tuple[Reason, ...]

    def of(self, mutant: Mutant) -> str:
        return next((reason.text for reason in self.known if reason.fits(mutant)), UNEXPLAINED)

    def grouped(self, survivors: Iterable[Mutant]) -> dict[str, list[Mutant]]:
        """Reason → its mutants; what has none comes last."""
        found: dict[str, list[Mutant]] = {}
        for mutant in survivors:
            found.setdefault(self.of(mutant), []).append(mutant)
        return dict(sorted(found.items(), key=lambda item: (item[0] == UNEXPLAINED, item[0])))


REASONS = Reasons(())
