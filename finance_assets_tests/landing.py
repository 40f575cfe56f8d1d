"""Landing without Dagster: what the landing sensor would ask for is run, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from finance_assets.automation.landing import Files, Landing
from finance_assets.automation.work import LastRun, Pending, Work, next_work
from finance_assets.compute.runner import open_lakehouse, run_step
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.settings import Settings
from finance_assets.step.use_case import UseCase


@dataclass
class Daemon:
    """Runs what the landing sensor would ask for."""

    use_case: UseCase
    settings: Settings
    spark: object
    files: Files = field(default_factory=Files)
    ran: dict[str, LastRun] = field(default_factory=dict)

    def play(self) -> list[str]:
        """Look until nothing is left to do; the partitions that ran, in order."""
        order: list[str] = []
        idle = 0
        # A file counts once two looks found it alike.
        while idle < 2:
            work = next_work(self._pending(), self.ran.get)
            if not isinstance(work, Work):
                idle += 1
                continue
            idle = 0
            self._run(work)
            order.append(work.partition)
            assert len(order) < 30, f"it never ends: {order[-6:]} {work.reason}"
        return order

    def _pending(self) -> list[Pending]:
        lakehouse = open_lakehouse(self.settings, lambda: self.spark)
        return Landing(self.use_case, lakehouse, self.settings, self.files).pending()

    def _run(self, work: Work) -> None:
        for step in self.use_case.pipeline_steps:
            result = run_step(
                step,
                self.use_case.calendar.window(work.partition),
                settings=self.settings,
                session=lambda: self.spark,
                run_id=f"run-{len(self.ran)}",
                report=lambda message: None,
            )
            assert result.publication is not None, (step.key, work.reason)
        self.ran[work.partition] = LastRun("run", work.cause, is_success=True, is_stored=True)


def check_redelivery(
    daemon: Daemon, deliver: Callable[[Path, str], None], correct: Callable[[Path, str], None]
) -> None:
    """Everything once and in order; then a correction, with what follows; then nothing more."""
    use_case, settings = daemon.use_case, daemon.settings
    partitions = use_case.calendar.partitions()[:4]
    folder = settings.landing / use_case.name
    for partition in partitions:
        deliver(folder, partition)
    assert daemon.play() == partitions
    correct(folder, partitions[0])
    again = daemon.play()
    assert again[0] == partitions[0], "the corrected one first"
    assert len(again) == len(set(again)) >= 2, "and what rests on it, once"
    assert again == sorted(again)
    assert set(stored_triage(open_lakehouse(settings), use_case.model)) == set(partitions)
    # The same bytes once more are no news.
    correct(folder, partitions[0])
    assert daemon.play() == []
