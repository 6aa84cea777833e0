"""Builds the image of `deploy/Dockerfile` where no Docker runs: `python -m tests.image.build`.

buildah does it, without a daemon, on a base that debootstrap makes of Debian's packages: a stand-in
for `python:3.11-slim-bookworm`, which has to be fetched from a registry of images. What is missing
on the machine is installed. Prints sizes and times.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

__all__ = [
    "BUILDAH",
    "CONTEXT_SECRET",
    "FOLDER",
    "IMAGE",
    "ROOT",
    "TEMPLATES",
    "build",
    "output_of",
]

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATES: Final = ROOT / "pipelines" / "project" / "templates"

#: The base, buildah's store, and copies of images: gigabytes, kept from one run to the next.
FOLDER: Final = Path(os.environ.get("IMAGE_FOLDER", "/var/tmp/fbinsights-image"))  # noqa: S108  # root's

BASE: Final = "localhost/fbinsights-base"
IMAGE: Final = "localhost/fbinsights"
BUILDAH: Final = [
    *("buildah", "--root", str(FOLDER / "storage"), "--runroot", str(FOLDER / "run")),
    # overlay is three times as fast, where the kernel and the disk allow it.
    *("--storage-driver", os.environ.get("IMAGE_STORAGE", "vfs")),
]

#: program → Debian's package that has it.
PACKAGES: Final = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "initdb": "postgresql",
    "ip": "iproute2",
    "runc": "runc",
}
MIRROR: Final = "http://deb.debian.org/debian"
SUITE: Final = "bookworm"  # has Python 3.11

#: What this machine's network needs: a base for a company's network has its like.
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")

#: Lies in the folder that the image is built from, and must not get into it.
CONTEXT_SECRET: Final = "EAA-lies-next-to-the-Dockerfile"  # noqa: S105  # opens nothing


def output_of(*command: str, cwd: Path | None = None) -> str:
    """What a command prints. A command that fails ends everything, with what it said."""
    done = subprocess.run(  # noqa: S603  # our own commands
        command, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install() -> None:
    """Install what is missing. Exits with what to do where that needs somebody else."""
    here = os.pathsep.join(
        [os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    )
    missing = sorted(p for name, p in PACKAGES.items() if shutil.which(name, path=here) is None)
    if os.geteuid() != 0:
        sys.exit("`make test-image` needs root: it mounts, and changes users.")
    if missing and shutil.which("apt-get") is None:
        sys.exit(f"Missing: {', '.join(missing)}. Install it, then run this again.")
    if missing:
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        get = ("apt-get", "--quiet", "--quiet", "--option", "Acquire::Retries=3")
        output_of(*get, "update")
        output_of(*get, "install", "--yes", "--no-install-recommends", *missing)


def make_base() -> None:
    """Debian with Python, as an image. Made once; remove FOLDER to make it again."""
    tar = FOLDER / "base.tar"
    if not tar.exists():
        tree = FOLDER / "base"
        shutil.rmtree(tree, ignore_errors=True)
        wanted = "--include=python3,python3-venv,ca-certificates"
        output_of("debootstrap", "--variant=minbase", wanted, SUITE, str(tree), MIRROR)
        for unneeded in ("var/cache/apt/archives", "usr/share/doc", "usr/share/man"):
            shutil.rmtree(tree / unneeded, ignore_errors=True)
        (tree / "var/cache/apt/archives/partial").mkdir(parents=True)
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, tree / CERTIFICATES.relative_to("/"))
            (tree / "etc/pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")
        output_of("tar", "--directory", str(tree), "--create", "--file", str(tar), ".")
        shutil.rmtree(tree)
    file = FOLDER / "Base.Dockerfile"
    file.write_text("FROM scratch\nADD base.tar /\n")
    output_of(*BUILDAH, "bud", "--quiet", "--tag", BASE, "--file", str(file), str(FOLDER))


def make_sdist(folder: Path) -> str:
    """The source distribution of the checkout's files that git knows, in a folder; its name."""
    source = FOLDER / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    files = output_of("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    known = [name for name in files.splitlines() if (ROOT / name).is_file()]
    for name in known:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    made = FOLDER / "built"
    shutil.rmtree(made, ignore_errors=True)
    output_of(*pip, "install", "--target", str(FOLDER / "tools"), "--upgrade", "build")
    environ = f"PYTHONPATH={FOLDER / 'tools'}"
    output_of(
        "env", environ, sys.executable, *"-m build --sdist --outdir".split(), str(made), str(source)
    )
    [sdist] = made.glob("*.tar.gz")
    shutil.copy(sdist, folder)
    return sdist.name


def build() -> None:
    """Build the image as `docker compose build` does in a project folder with an sdist in it."""
    project = FOLDER / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(TEMPLATES, project)
    (project / ".env").write_text(f"FB_ACCESS_TOKEN={CONTEXT_SECRET}\n")
    shutil.copy(ROOT / "requirements.lock", project)
    sdist = make_sdist(project)
    dockerfile = project / "deploy" / "Dockerfile"
    # Compose takes the ignore file next to the Dockerfile by itself, buildah by its name.
    files = ["--file", str(dockerfile), "--ignorefile", f"{dockerfile}.dockerignore"]
    arguments = ["--build-arg", f"BASE={BASE}"]
    arguments += ["--build-arg", f"FBINSIGHTS_PACKAGE=/context/{sdist}[scale,s3]"]
    # As Docker's own format: that of OCI knows no HEALTHCHECK.
    how = ["--isolation", "chroot", "--format", "docker", "--tag", IMAGE]
    output_of(*BUILDAH, "bud", *how, *arguments, *files, str(project))


def main() -> None:
    """Do it all, and print what it took."""
    install()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for what, does, image in (("base", make_base, BASE), ("image", build, IMAGE)):
        began = time.monotonic()
        does()
        seconds = time.monotonic() - began
        size = output_of(*BUILDAH, "images", "--format", "{{.Size}}", image).strip()
        print(f"{what}: {size}, {seconds:.0f} s", file=sys.stderr)  # noqa: T201  # the figures


if __name__ == "__main__":
    main()
