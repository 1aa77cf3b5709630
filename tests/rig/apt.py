# SPDX-License-Identifier: GPL-2.0
"""Debian packages, without touching the host's own package sources.

The rig has an apt of its own: lists and sources live in the cache, the
mirrors are those of the host's Debian entries, and backports is added from
the same mirror. Packages are either unpacked into the cache (kernels and
Xen must not be installed: their hooks would change how the host boots) or,
for the tools that run on the host, installed.
"""

import hashlib
import os
import shutil
import subprocess
import time

from . import paths

SUITE = "bookworm"
BACKPORTS = SUITE + "-backports"
NEXT = "trixie"
NEXT_BACKPORTS = NEXT + "-backports"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTS_AGE = 7 * 24 * 3600

# What the host itself needs; the second list comes from backports.
HOST_TOOLS = ["python3", "python3-pytest", "make", "gcc", "libc6-dev", "kmod",
              "clang", "libclang-rt-dev", "cpio", "e2fsprogs", "zstd",
              "binutils", "sparse", "git", "perl", "mmdebstrap"]
HOST_TOOLS_BACKPORTS = ["qemu-system-x86"]


def run(args, **kwargs):
    """Run a program; on failure say what it printed."""
    done = subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, **kwargs)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, args))}: exit status "
                           f"{done.returncode}\n{done.stdout}")
    return done.stdout


def _host_entries():
    """The host's Debian sources: (URI, suite, component)."""
    out = run(["apt-get", "indextargets", "--format",
               "$(REPO_URI) $(RELEASE) $(COMPONENT)",
               "Identifier: Packages"])
    entries = [tuple(line.split()) for line in out.splitlines()]
    return [e for e in entries if e[1].startswith(SUITE)]


def _sources(release):
    """Text of a sources.list: the host's Debian entries and backports.

    For another release than the host's: the same entries of that one.
    """
    lines = set()
    for uri, suite, component in _host_entries():
        suites = [suite.replace(SUITE, release)]
        if suite == SUITE and component == "main":
            suites.append(f"{release}-backports")
        lines |= {f"deb [signed-by={KEYRING}] {uri} {name} {component}\n"
                  for name in suites}
    if not any(f"{release}-backports" in line for line in lines):
        raise RuntimeError(f"the host has no package source for {SUITE} main")
    return "".join(sorted(lines))


def _target(suite):
    """Options that prefer a suite; without one, apt takes the newest."""
    return ["-t", suite] if suite else []


class Apt:
    """apt-get for one release of Debian, sources and lists in the cache."""

    def __init__(self, release=SUITE):
        self.release = release
        self.dir = paths.CACHE / ("apt" if release == SUITE
                                  else f"apt-{release}")
        (self.dir / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.dir / "none" / "partial").mkdir(parents=True, exist_ok=True)
        (self.dir / "debs" / "partial").mkdir(parents=True, exist_ok=True)
        self.sources = self.dir / "sources.list"
        text = _sources(release)
        if not self.sources.exists() or self.sources.read_text() != text:
            self.sources.write_text(text)
            self._stamp().unlink(missing_ok=True)
        self.options = ["-o", f"Dir::Etc::sourcelist={self.sources}",
                        "-o", "Dir::Etc::sourceparts=/dev/null",
                        "-o", f"Dir::State::lists={self.dir}/lists",
                        "-o", f"Dir::Cache::archives={self.dir}/debs",
                        "-o", f"Dir::Cache::pkgcache={self.dir}/pkgcache.bin",
                        "-o", f"Dir::Cache::srcpkgcache={self.dir}/src.bin",
                        "-o", "APT::Sandbox::User=root",
                        "-o", "DPkg::Lock::Timeout=300"]

    def _stamp(self):
        return self.dir / "updated"

    def _get(self, *args, cwd=None):
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        return run(["apt-get", *self.options, "-qq", *args], cwd=cwd, env=env)

    def refresh(self, force=False):
        """Read the package lists, unless they were read a short time ago."""
        stamp = self._stamp()
        known = stamp.exists()
        if known and not force \
                and time.time() - stamp.stat().st_mtime < LISTS_AGE:
            return
        try:
            self._get("update")
        except RuntimeError:
            if not known or force:
                raise
        stamp.touch()

    def show(self, package, field, suite=None):
        """One field of the version of a package that would be taken."""
        self.refresh()
        out = run(["apt-cache", *self.options, *_target(suite), "show",
                   "--no-all-versions", package])
        for line in out.splitlines():
            if line.startswith(field + ": "):
                return line.split(": ", 1)[1]
        raise RuntimeError(f"package {package} has no field {field}")

    def current(self, kind, suite=None):
        """The package that a kernel's meta package, kind-amd64, names."""
        depends = self.show(f"{kind}-amd64", "Depends", suite)
        return next(name for name in depends.split()
                    if name.startswith(kind) and name[len(kind) + 1].isdigit())

    @staticmethod
    def _installed(package):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}",
                               package], capture_output=True, text=True)
        return done.stdout.startswith("installed")

    def install(self, packages, suite=None):
        """Install those packages on the host that are not there yet."""
        missing = [p for p in packages if not self._installed(p)]
        if not missing:
            return
        self.refresh()
        args = [*_target(suite), "install", "-y", "--no-install-recommends",
                *missing]
        try:
            self._get(*args)
        except RuntimeError:
            # The lists may be older than the mirror's pool.
            self.refresh(force=True)
            self._get(*args)

    def closure(self, packages, suite):
        """File names of the packages and all they depend on, from nothing.

        An empty archive: apt leaves out the files that it has already.
        """
        self.refresh()
        out = self._get(*_target(suite), "-o", "Dir::State::status=/dev/null",
                        "-o", f"Dir::Cache::archives={self.dir}/none",
                        "install", "--print-uris", "--no-install-recommends",
                        *packages)
        return sorted(line.split()[1] for line in out.splitlines())

    def unpack(self, packages, suite=None, alone=False):
        """Unpack packages with their dependencies; returns the directory.

        With alone=True the dependencies are left out.
        """
        debs = self.closure(packages, suite)
        if alone:
            debs = [d for d in debs if d.split("_")[0] in packages]
        key = hashlib.sha256("".join(debs).encode()).hexdigest()[:16]
        target = paths.CACHE / "unpacked" / f"{packages[0]}-{key}"
        if target.exists():
            return target
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for deb in self._download(packages, suite, debs, alone):
            run(["dpkg", "-x", deb, partial])
        partial.rename(target)
        return target

    def _download(self, packages, suite, debs, alone):
        """Have the files of a closure in our archive; returns their paths."""
        if alone:
            parts = [deb.split("_") for deb in debs]
            self._get("download", *[f"{name}={version.replace('%3a', ':')}"
                                    for name, version, _ in parts],
                      cwd=self.dir / "debs")
        else:
            self._get(*_target(suite), "-o", "Dir::State::status=/dev/null",
                      "install", "-y", "--download-only",
                      "--no-install-recommends", *packages)
        return [self.dir / "debs" / deb for deb in debs]


def apts():
    """Release -> its packages."""
    return {name: Apt(name) for name in (SUITE, NEXT)}


def prepare_host(apt=None):
    """Install the tools that the rig runs on the host."""
    apt = apt or Apt()
    apt.install(HOST_TOOLS)
    apt.install(HOST_TOOLS_BACKPORTS, BACKPORTS)
    return apt


if __name__ == "__main__":
    prepare_host()
