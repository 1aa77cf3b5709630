# SPDX-License-Identifier: GPL-2.0
"""The driver's files, laid into folders to build in."""

import shutil

from . import paths


def driver_files():
    """The sources, which a kernel tree takes as they are."""
    return sorted(f for f in paths.TREE.iterdir()
                  if f.suffix in (".c", ".h")
                  and not f.name.endswith(".mod.c"))


def module_files():
    """The files that make the module by itself."""
    return driver_files() + [paths.TREE / "Makefile", paths.TREE / "Kconfig"]


def put(data, path):
    """Write a file if it is to change: what make has built of it stays valid."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sync(source, target):
    """Copy a file if it differs."""
    put(source.read_bytes(), target)
    shutil.copymode(source, target)


def mirror(files, folder):
    """Make a folder hold these files, and no other source."""
    names = {f.name for f in files}
    for path in folder.glob("*.[ch]"):
        if path.name not in names and not path.name.endswith(".mod.c"):
            path.unlink()
    for path in files:
        sync(path, folder / path.name)
