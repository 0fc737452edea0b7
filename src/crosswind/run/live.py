"""The live display of a run on a terminal."""

from __future__ import annotations

from collections import deque

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crosswind.run.progress import Tally, duration

FOUND = 4  # the last notes shown
RUNNING = 8  # the running steps shown


class Live(Tally):
    """What is running, what was found and the time left, redrawn on standard error until the block ends."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.console = console or Console(stderr=True)
        self._found: deque[tuple[str, str]] = deque(maxlen=FOUND)
        self._live = RichLive(get_renderable=self.render, console=self.console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def finished(self, key: str, note: str = "") -> None:
        super().finished(key, note)
        if note:
            self._found.append((self.label(key), note))

    def failed(self, key: str, message: str) -> None:
        super().failed(key, message)
        self.console.print(Text.assemble(("failed  ", "bold red"), self.label(key), ": ", message))

    def log(self, text: str) -> None:
        self.console.print(Text(text))

    def render(self) -> RenderableType:
        if not self.labels:
            return Text("")
        left = self.seconds_left()
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=1.0, completed=self.share(), width=40),
            f"{100 * self.share():.0f} %",
            f"{len(self.settled)} of {len(self.labels)} steps",
            f"{duration(left)} left" if left else "",
        )
        steps = Table.grid(padding=(0, 2))
        for label, note in [*self._found]:
            steps.add_row(Text("✓", style="green"), Text(label, style="dim"), "", Text(note))
        running = [*self.running.values()]
        for step in running[:RUNNING]:
            percent = f"{100 * step.share:.0f} %" if step.share else ""
            steps.add_row(Text("▸", style="cyan"), Text(step.label), percent, Text(step.note))
        if len(running) > RUNNING:
            steps.add_row("", Text(f"and {len(running) - RUNNING} more", style="dim"))
        return Group(steps, head)
