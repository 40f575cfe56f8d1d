"""A planted fault: what to change in which file, and which tests have to notice."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """One fault: `before` becomes `after` in a file of the package; `tests` notice it."""

    file: str
    before: str
    after: str
    tests: str

    def planted(self, project: Path = ROOT) -> str:
        """The text of its file, in a copy of the project, with the fault in it.

        Raises:
            ValueError: the text to change is not there exactly once, so that it is not sure
                what would be tested.
        """
        sound = (project / "finance_assets" / self.file).read_text()
        if sound.count(self.before) != 1:
            raise ValueError(f"{self.file} has {sound.count(self.before)} times {self.before!r}")
        return sound.replace(self.before, self.after)


def of(file: str, tests: str, *changes: tuple[str, str]) -> tuple[Mutant, ...]:
    """The faults of one file, which the same tests have to notice."""
    return tuple(Mutant(file, before, after, tests) for before, after in changes)
