# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after the power went: a folder rebuilt from the trace of tests/faults.

A Disk starts from a folder that is durable as it is. replay() reads the trace of one life of a
process; cut() then brings the folder to a state that a disk could be in: all that was fsynced, and
of the rest nothing, everything, or any part, sector by sector (512 bytes), name by name, by a seed.
That state is durable and the next life starts from it.

The rules are those of the standard, not those of one file system: a name is durable once its folder
was fsynced, whatever was done to the file; data and size once the file was. A write that began
before an fsync is durable when that fsync returned. Of shared memory (-shm) nothing is kept.
"""

import atexit
import os
import random
import shutil
import stat
import struct
import tempfile

SECTOR = 512
HEAD = struct.Struct("<IIQQIIQ")
(OPEN, WRITE, TRUNCATE, ALLOCATE, SYNC_BEGIN, SYNC_END, RENAME, LINK, UNLINK, MKDIR, RMDIR,
 CALL) = range(1, 13)
NEW, EMPTY = 1, 2
MODES = ("forgotten", "kept", "torn")


class Node:
    """A file or a folder; folders have entries, files have bytes and what is not yet durable."""

    def __init__(self, folder, mode):
        self.folder, self.mode = folder, mode
        self.durable = {} if folder else bytearray()
        self.current = {}     # of a folder
        self.pending = []     # of a file: (number, offset or None, bytes, size or None)


class Unseen(Exception):
    """The trace speaks of something it never told: a call that the library does not stand in front of."""


def preloaded(library):
    """The value for LD_PRELOAD, which is a list parted by blanks and colons: a path that holds one gets another name."""
    library = os.path.abspath(library)
    if " " not in library and ":" not in library:
        return library
    folder = tempfile.mkdtemp(prefix="aios-faults-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = os.path.join(folder, os.path.basename(library))
    os.symlink(library, link)
    return link


def records(path):
    """(kind, handle, a, b, path, other, data); a last one that is not whole never happened."""
    with open(path, "rb") as file:
        raw = file.read()
    at = 0
    while at + HEAD.size <= len(raw):
        kind, handle, a, b, path_size, other_size, data_size = HEAD.unpack_from(raw, at)
        at += HEAD.size
        if at + path_size + other_size + data_size > len(raw):
            return
        name = raw[at:at + path_size].decode()
        at += path_size
        other = raw[at:at + other_size].decode()
        at += other_size
        yield kind, handle, a, b, name, other, raw[at:at + data_size]
        at += data_size


def apply(content, offset, data, size):
    if offset is not None:
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        content[offset:offset + len(data)] = data
    elif len(content) > size:
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class Disk:
    def __init__(self, folder, lying=False):
        self.folder, self.lying = folder, lying
        self.root = self.loaded(folder)
        self.names = []       # not yet durable: (number, [(folder node, name, node or None)])
        self.number = 0       # of the changes so far
        self.handles = {}
        self.syncs = {}
        self.met = 0          # calls that a rule let fail

    def loaded(self, path):
        node = Node(os.path.isdir(path), stat.S_IMODE(os.stat(path).st_mode))
        if node.folder:
            node.durable = {name: self.loaded(os.path.join(path, name))
                            for name in os.listdir(path)}
            node.current = dict(node.durable)
        else:
            with open(path, "rb") as file:
                node.durable = bytearray(file.read())
        return node

    # --- a life

    def replay(self, trace):
        self.handles, self.syncs = {}, {}
        for record in records(trace):
            self.number += 1
            self.take(*record)

    def take(self, kind, handle, a, b, path, other, data):
        if kind == OPEN:
            node = self.found(path)
            if node is None:
                node = Node(False, b)
                self.rename_to(path, node)
            elif a & EMPTY and not a & NEW:
                node.pending.append((self.number, None, b"", 0))
            self.handles[handle] = node
        elif kind == WRITE:
            self.handles[handle].pending.append((self.number, a, data, None))
        elif kind in (TRUNCATE, ALLOCATE):
            node = self.handles[handle]
            size = a if kind == TRUNCATE else max(a + b, self.size_of(node))
            node.pending.append((self.number, None, b"", size))
        elif kind == SYNC_BEGIN:
            self.syncs[a] = self.number
        elif kind == SYNC_END:
            if not self.lying:
                self.synced(self.handles[handle], self.syncs.pop(a))
        elif kind == CALL:
            self.met += other.startswith("!")
        else:
            self.named(kind, b, path, other)

    def named(self, kind, mode, path, other):
        if kind == MKDIR:
            if path != ".":
                self.rename_to(path, Node(True, mode))
        elif kind in (UNLINK, RMDIR):
            self.rename_to(path, None)
        else:
            node = self.found(path) if path else None
            if node is None or not other:
                raise Unseen(f"'{path}' and '{other}' have one name that is not in the folder")
            parent, name = self.parent(path)
            gone = [(parent, name, None)] if kind == RENAME else []
            self.change([*gone, (*self.parent(other), node)])

    def parent(self, path):
        where, _, name = path.rpartition("/")
        node = self.found(where or ".")
        if node is None:
            raise Unseen(f"the folder of '{path}' was never made")
        return node, name

    def found(self, path):
        node = self.root
        for name in [] if path == "." else path.split("/"):
            node = node.current.get(name) if node is not None and node.folder else None
        return node

    def rename_to(self, path, node):
        self.change([(*self.parent(path), node)])

    def change(self, entries):
        self.names.append((self.number, entries))
        for folder, name, node in entries:
            put(folder.current, name, node)

    @staticmethod
    def size_of(node):
        size = len(node.durable)
        for _, offset, data, new in node.pending:
            size = max(size, offset + len(data)) if new is None else new
        return size

    def synced(self, node, begun):
        if node.folder:
            self.names_synced(node, begun)
            return
        left = []
        for change in node.pending:
            if change[0] <= begun:
                apply(node.durable, *change[1:])
            else:
                left.append(change)
        node.pending = left

    def names_synced(self, folder, begun):
        """Changes of this folder, and earlier ones of the names that these touch."""
        keys, durable = set(), []
        for change in reversed(self.names):
            touched = {(id(at), name) for at, name, _ in change[1]}
            here = change[0] <= begun and any(at is folder for at, _, _ in change[1])
            if here or touched & keys:
                keys |= touched
                durable.append(change)
        for change in reversed(durable):
            for at, name, node in change[1]:
                put(at.durable, name, node)
        kept = {id(change) for change in durable}
        self.names = [change for change in self.names if id(change) not in kept]

    # --- the cut

    def cut(self, mode, seed):
        """-> (changes not durable, of them lost at least in part)"""
        rng = random.Random(seed)
        total = lost = 0
        chosen = chosen_names(self.names, mode, rng)
        total, lost = len(self.names), len(self.names) - len(chosen)
        for _, entries in chosen:
            for at, name, node in entries:
                put(at.durable, name, node)
        self.names = []
        ahead, seen = [self.root], set()
        while ahead:
            node = ahead.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.folder:
                node.current = dict(node.durable)
                ahead += [node.durable[name] for name in sorted(node.durable)]
            else:
                total += len(node.pending)
                lost += settle(node, rng.choice(MODES) if mode == "mixed" else mode, rng)
        self.write()
        return total, lost

    def write(self):
        """Brings the real folder to the durable state."""
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
        written = {}
        for path, node in walk(self.root):
            real = os.path.join(self.folder, path)
            if node.folder:
                os.makedirs(real, exist_ok=True)
            elif path.endswith("-shm"):
                continue
            elif id(node) in written:
                os.link(written[id(node)], real)
            else:
                with open(real, "wb") as file:
                    file.write(node.durable)
                written[id(node)] = real
            os.chmod(real, node.mode)

    # --- after an orderly end

    def differences(self):
        """Paths whose real content is not what the trace says: calls that nobody saw."""
        real = {}
        for where, folders, names in os.walk(self.folder):
            for name in folders + names:
                path = os.path.join(where, name)
                real[os.path.relpath(path, self.folder)] = path
        told = {path: node for path, node in walk(self.root, "current") if path != "."}
        wrong = [path for path in set(real) ^ set(told) if not path.endswith("-shm")]
        for path in set(real) & set(told):
            node = told[path]
            if node.folder or path.endswith("-shm"):
                continue
            content = bytearray(node.durable)
            for change in node.pending:
                apply(content, *change[1:])
            with open(real[path], "rb") as file:
                if file.read() != content:
                    wrong.append(path)
        return sorted(wrong)


def put(entries, name, node):
    if node is None:
        entries.pop(name, None)
    else:
        entries[name] = node


def walk(root, entries="durable"):
    ahead = [(".", root)]
    while ahead:
        path, node = ahead.pop()
        yield path, node
        if node.folder:
            ahead += [(name if path == "." else f"{path}/{name}", child)
                     for name, child in getattr(node, entries).items()]


def chosen_names(names, mode, rng):
    """A journal keeps a beginning; a disk without one keeps any."""
    if mode == "mixed":
        mode = rng.choice(MODES)
    if mode != "torn":
        return names if mode == "kept" else []
    if rng.random() < 0.5:
        return names[:rng.randint(0, len(names))]
    return [change for change in names if rng.random() < 0.5]


def settle(node, mode, rng):
    """Makes one of the possible contents of a file its durable one. -> changes lost in part"""
    pending, node.pending = node.pending, []
    if mode == "forgotten" or not pending:
        return len(pending)
    if mode == "kept":
        for change in pending:
            apply(node.durable, *change[1:])
        return 0
    # Each sector, and the size, is as old as it happens to be; but what a file that shrank had
    # behind its end is never seen again.
    size_at = rng.randint(0, len(pending))
    size = len(node.durable)
    shrunk = []
    for index, (_, offset, data, new) in enumerate(pending[:size_at]):
        if new is not None and new < size:
            shrunk.append((index + 1, new))
        size = max(size, offset + len(data)) if new is None else new
    reached = {}
    whole = [0] * len(pending)

    def until(sector):
        if sector not in reached:
            low = max((at for at, end in shrunk if (sector + 1) * SECTOR > end), default=0)
            reached[sector] = rng.randint(low, len(pending))
        return reached[sector]

    content = node.durable
    for index, (_, offset, data, new) in enumerate(pending):
        if new is not None:
            # the part behind the new end is zero for the sectors that saw it
            for sector in range(new // SECTOR, -(-len(content) // SECTOR)):
                if until(sector) > index:
                    begin = max(new, sector * SECTOR)
                    end = min(len(content), (sector + 1) * SECTOR)
                    content[begin:end] = bytes(max(0, end - begin))
            continue
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        at = offset
        while at < offset + len(data):
            sector = at // SECTOR
            end = min((sector + 1) * SECTOR, offset + len(data))
            if until(sector) > index:
                content[at:end] = data[at - offset:end - offset]
            else:
                whole[index] = 1
            at = end
    apply(content, None, b"", size)
    return sum(whole)
