# SPDX-License-Identifier: Apache-2.0
"""What the demo shows while it works: a live table on a terminal, plain lines elsewhere."""

import shutil
import sys
import time

PLAIN_SECONDS = 5.0
COLUMNS_MIN = 50  # below, a row of the live table would wrap, and going up would count wrong


class Screen:
    def __init__(self, stages, color):
        self._live = (sys.stdout.isatty()
                      and shutil.get_terminal_size().columns >= COLUMNS_MIN)
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

    def _headline(self):
        name = self._stages[self._index][0]
        place = f"[{self._index + 1}/{len(self._stages)}]"
        return (f"{self.paint(place, 1)} {name}  {self.seconds():.0f} s, "
                f"about {self.left():.0f} s left")

    def line(self, text=""):
        self.clear()
        print(text, flush=True)

    def clear(self):
        if self._drawn:
            sys.stdout.write(f"\033[{self._drawn}A\033[J")
            self._drawn = 0

    def table(self, rows):
        """rows: [(label, value)]. Redrawn in place; without a terminal one line now and then."""
        if not self._live:
            if time.monotonic() - self._last_plain >= PLAIN_SECONDS:
                self._last_plain = time.monotonic()
                print(f"  {self.seconds():4.0f} s  " +
                      ", ".join(f"{label} {value}" for label, value in rows if value), flush=True)
            return
        self.clear()
        lines = [f"  {label:<34}{value:>8}" for label, value in rows]
        lines.append("  " + self._headline())
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        self._drawn = len(lines)
