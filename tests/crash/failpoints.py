# SPDX-License-Identifier: Apache-2.0
"""The named places of the server at which it can be made to end at once (src/core/failpoint.h), and their counts."""

import os
import struct

LINE = struct.Struct("<40sQQ8x")


class Failpoints:
    """The file that a server which knows failpoints keeps over its ends; one that knows none makes no such file."""

    def __init__(self, path):
        self.path = path

    def environment(self):
        return {"AIOS_FAILPOINT_COUNTS": self.path}

    def lines(self):
        """-> {name: (times passed, processes ended there)}, in the server's order"""
        if not os.path.exists(self.path):
            return {}
        with open(self.path, "rb") as file:
            raw = file.read()
        return {name.rstrip(b"\0").decode(): (passed, ended)
                for name, passed, ended in LINE.iter_unpack(raw[:len(raw) // LINE.size * LINE.size])}

    def table(self):
        return [f"{name:<26}{passed:>8} times passed, ended there {ended}"
                for name, (passed, ended) in self.lines().items()]

    def never_hit(self):
        return [name for name, (_, ended) in self.lines().items() if ended == 0]
