# SPDX-License-Identifier: Apache-2.0
"""What the demo shows while it works: a live table on a terminal, plain lines elsewhere."""

import re
import shutil
import sys
import textwrap
import time

PLAIN_SECONDS = 5.0
COLUMNS_MIN = 50  # below, a row of the live table says nothing any more

_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def folded(text, columns, first, rest):
    """A text in lines of at most so many columns, broken between words only."""
    return textwrap.fill(text, columns, initial_indent=first, subsequent_indent=rest,
                         break_long_words=False, break_on_hyphens=False)


def folded_command(command, columns, first, rest):
    """The same for the shell: a line that goes on ends with a backslash, quotes stay whole."""
    lines, line = [], first
    for word in _WORD.findall(command):
        blank = "" if line in (first, rest) else " "
        if blank and len(line) + 1 + len(word) + 2 > columns:
            lines.append(line + " \\")
            line, blank = rest, ""
        line += blank + word
    return "\n".join([*lines, line])


class Screen:
    def __init__(self, stages, color):
        self._terminal = sys.stdout.isatty()
        self._color = color and sys.stdout.isatty()
        self._stages = stages  # [(name, seconds it should take)]
        self._index, self._since, self._start = -1, 0.0, time.monotonic()
        self._drawn, self._last_plain = 0, 0.0

    def paint(self, text, code):
        return f"\033[{code}m{text}\033[0m" if self._color else text

    def seconds(self):
        return time.monotonic() - self._start

    def left(self):
        spent = time.monotonic() - self._since
        later = sum(seconds for _, seconds in self._stages[self._index + 1:])
        return max(0.0, self._stages[self._index][1] - spent) + later

    def stage(self):
        self.clear()
        self._index, self._since, self._last_plain = self._index + 1, time.monotonic(), 0.0
        self.line(self._headline())

    def _columns(self):
        """Of the terminal as it is now; elsewhere nothing is folded."""
        return shutil.get_terminal_size().columns if self._terminal else 100_000

    def _headline(self, indent=""):
        """One line: what goes up over it later must be able to count it. The name gives way."""
        place = f"[{self._index + 1}/{len(self._stages)}]"
        times = f"{self.seconds():.0f} s, about {self.left():.0f} s left"
        name = self._stages[self._index][0]
        room = self._columns() - len(indent) - len(place) - len(times) - 4
        if len(name) > room:
            name = name[:max(0, room - 3)].rstrip() + "..."
        return f"{indent}{self.paint(place, 1)} {name}  {times}"

    def line(self, text=""):
        """A text that may be longer than the terminal is wide; its indent is kept."""
        self.clear()
        for part in text.split("\n"):
            indent = " " * (len(part) - len(part.lstrip()))
            fits = len(part) <= self._columns() or "\033" in part
            print(part if fits else folded(part.strip(), self._columns(), indent, indent + "  "))
        sys.stdout.flush()

    def claim(self, holds, text, command):
        self.clear()
        word, color = ("holds", 32) if holds else ("BROKEN", 31)
        columns, indent = self._columns(), " " * 9
        said = folded(text, columns, indent, indent)
        print(f"  {self.paint(word, color)}{' ' * (7 - len(word))}{said[len(indent):]}")
        self.command(command, indent + "$ ")

    def command(self, command, first):
        """To be copied: first stands before it."""
        rest = " " * (len(first) + 2)
        print(folded_command(command, self._columns(), first, rest), flush=True)

    def clear(self):
        if self._drawn:
            sys.stdout.write(f"\033[{self._drawn}A\033[J")
            self._drawn = 0

    def table(self, rows):
        """rows: [(label, value)]. Redrawn in place; without a terminal one line now and then."""
        columns = self._columns()
        if not self._terminal or columns < COLUMNS_MIN:
            if time.monotonic() - self._last_plain >= PLAIN_SECONDS:
                self._last_plain = time.monotonic()
                print(f"  {self.seconds():4.0f} s  " +
                      ", ".join(f"{label} {value}" for label, value in rows if value), flush=True)
            return
        self.clear()
        lines = [f"  {label:<34}{value:>8}"[:columns - 1] for label, value in rows]
        lines.append(self._headline("  "))
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        self._drawn = len(lines)
