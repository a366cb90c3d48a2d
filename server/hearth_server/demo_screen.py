"""The demo's picture in the terminal: what was heard, what it meant, what changed, and how long each stage took."""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .demo_script import Scene, Verdict, changes
from .pipeline import Answer

# What the speaker waits for: the silence that ends the utterance, and the computing after it up to the action.
_TO_ACTION = ("silence", "recognise", "understand", "plan", "act")


def to_action_ms(answer: Answer) -> float:
    """Return the milliseconds from the end of speech until the action is confirmed."""
    return sum(answer.milliseconds.get(stage, 0.0) for stage in _TO_ACTION)


class Screen:
    """A table that grows by a row with each command; on a terminal it is live, elsewhere one line a command."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._now = Text()
        self._table = Table(expand=True, show_edge=False, pad_edge=False, header_style="bold")
        for title, options in (
            ("", {"width": 1}),
            ("said", {"ratio": 3}),
            ("heard", {"ratio": 3}),
            ("intent", {"ratio": 2, "style": "cyan"}),
            ("what changed, or the answer", {"ratio": 4}),
            ("silence", {"justify": "right"}),
            ("recognise", {"justify": "right"}),
            ("match", {"justify": "right"}),
            ("act", {"justify": "right"}),
            ("total ms", {"justify": "right", "style": "bold"}),
        ):
            self._table.add_column(title, **options)
        self._live = Live(console=console, refresh_per_second=12, transient=False) if console.is_terminal else None
        self._totals: list[float] = []
        self._outcome = (0, 0)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
            self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._now = Text()
            self._draw()
            self._live.stop()

    def begin(self, scene: Scene) -> None:
        """A recording begins to play."""
        self._now = Text.assemble(("> ", "bold green"), (scene.says, "italic"))
        self._draw()

    def partial(self, text: str) -> None:
        """Something is heard already."""
        self._now = Text.assemble(("> ", "bold green"), (text, "dim"), "…")
        self._draw()

    def end(self, scene: Scene, answer: Answer, verdict: Verdict) -> None:
        """A recording is answered."""
        self._row(Text("✓", "green") if verdict.right else Text("✗", "bold red"), scene.says, answer, verdict.change)

    def said(self, answer: Answer) -> None:
        """A command from the microphone is answered."""
        changed = "; ".join(changes(answer.before, answer.after).values())
        self._row(Text("·"), "", answer, changed or answer.response.text)

    def silent(self, scene: Scene) -> None:
        """A recording got no answer at all."""
        mark = Text("✓", "green") if scene.nothing and scene.answer is None else Text("✗", "bold red")
        self._add([mark, scene.says, "", "", "(no answer)", "", "", "", "", ""])

    def summary(self, right: int, played: int) -> None:
        """Say how it went."""
        self._outcome = (right, played)
        self._say(self._console, right, played)

    def _say(self, console: Console, right: int, played: int) -> None:
        colour = "green" if right == played else "bold red"
        console.print(f"[{colour}]{right} of {played} recordings did what they say[/]", highlight=False)
        if self._totals:
            middle = sorted(self._totals)[len(self._totals) // 2]
            console.print(f"end of speech to confirmed action: median {middle:.0f} ms", highlight=False)

    def save(self, file: Path) -> None:
        """Write what was shown as a picture (SVG)."""
        picture = Console(record=True, width=180, file=io.StringIO())
        picture.print(self._table)
        self._say(picture, *self._outcome)
        picture.save_svg(str(file), title="hearth demo")

    def _row(self, mark: Text, said: str, answer: Answer, change: str) -> None:
        spent = answer.milliseconds
        if answer.outcomes:
            self._totals.append(to_action_ms(answer))
        self._add(
            [
                mark,
                said,
                answer.transcription.text or Text("(nothing)", "dim"),
                " + ".join(plan.match.intent for plan in answer.plans)
                or (answer.matches[0].intent if answer.matches else "-"),
                change,
                *(f"{spent.get(stage, 0):.0f}" for stage in ("silence", "recognise", "understand", "act")),
                f"{to_action_ms(answer):.0f}",
            ]
        )

    def _add(self, cells: list[str | Text]) -> None:
        self._now = Text()
        self._table.add_row(*cells)
        if self._live is None:
            words = [cell.plain if isinstance(cell, Text) else cell for cell in cells]
            self._console.print(" | ".join(words), highlight=False, markup=False, soft_wrap=True)
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(Group(self._table, self._now))


def open_screen() -> Screen:
    """Return a screen on standard output."""
    console = Console()
    if not console.is_terminal:
        console.print(
            "  | said | heard | intent | what changed, or the answer | ms: silence | recognise | match | act | total"
        )
    return Screen(console)
