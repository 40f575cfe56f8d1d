"""Display: progress bars of the partitions that run, and what sensors say."""

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from finance_assets.cli.events import Began, Ended, Event, SensorSpoke, StepBegan, StepEnded
from finance_assets.errors import FinanceAssetsError


class Display:
    """Shows what is told of use cases, until its block ends.

    With `several` use cases at a time every line names its own, and a bar that will not move any
    more is printed once, above those that do: they would not all fit on a screen, and a log has
    them in the order of time.
    """

    def __init__(self, console: Console, *, several: bool) -> None:
        """Show nothing yet."""
        columns = (
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[now]}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, refresh_per_second=5)
        self._several = several
        self._running: dict[str, TaskID] = {}

    def __enter__(self) -> "Display":
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw the bars for the last time."""
        self._bars.stop()

    def show(self, use_case: str, event: Event) -> None:
        """Show what a use case tells."""
        match event:
            case Began():
                title = f"{use_case} {event.title}"
                task = self._bars.add_task(title, total=event.steps, now="starting")
                self._running[use_case] = task
            case StepBegan():
                self._bars.update(self._running[use_case], now=event.key)
            case StepEnded():
                self._bars.advance(self._running[use_case])
            case SensorSpoke():
                who = f"{use_case}, " if self._several else ""
                said = f"  {who}sensor after {event.partition}: {event.text}"
                self._bars.console.print(said, highlight=False)
            case Ended():
                self._end(use_case, "done")

    def fail(self, use_case: str, error: FinanceAssetsError) -> None:
        """Show that the use case failed, with the first line of why: it tells nothing more."""
        if self._several and use_case in self._running:
            self._end(use_case, "failed", is_whole=False)
        first_line = escape(error.what.partition("\n")[0])
        self._bars.console.print(f"[red]{use_case} failed[/]: {first_line}", highlight=False)

    def _end(self, use_case: str, now: str, *, is_whole: bool = True) -> None:
        task_id = self._running.pop(use_case)
        [task] = [task for task in self._bars.tasks if task.id == task_id]
        self._bars.update(task_id, now=now, completed=task.total if is_whole else None)
        if self._several:
            self._bars.stop_task(task_id)
            drawn = self._bars.make_tasks_table([task])
            self._bars.remove_task(task_id)
            self._bars.console.print(drawn)
