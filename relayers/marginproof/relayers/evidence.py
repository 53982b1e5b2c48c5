"""Files that keep who said what when answers contradict one another: hashes and places in lists, no addresses."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from marginproof.chains.evm.client import Evidence
from marginproof.model.certificates import Certificate, Reference

_MAX_FILES: Final = 1000


class EvidenceFolder:
    """A folder with one JSON file per contradiction; the same contradiction is written once.

    Args:
        folder: Made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep_answers(self, evidence: Evidence) -> None:
        """Keeps the answers of one chain's endpoints."""
        answers = [
            {"endpoint": a.endpoint, "outcome": str(a.outcome), "value": a.value[:256]} for a in evidence.answers
        ]
        self._write("endpoints", {"chain": evidence.chain, "subject": evidence.subject, "answers": answers})

    def keep_conflict(self, certificate: Certificate, own: Reference) -> None:
        """Keeps a certificate that names another reference block than this node's own for its chain and epoch."""
        document = {
            "chain": certificate.body.chain,
            "epoch": certificate.body.epoch,
            "own_reference": {**dataclasses.asdict(own), "hash": own.hash.hex()},
            "certificate_ssz": certificate.encode().hex(),
        }
        self._write("certificate", document)

    def _write(self, kind: str, document: dict[str, Any]) -> None:
        text = json.dumps(document, indent=2, sort_keys=True)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        if path.exists() or sum(1 for _ in self._folder.iterdir()) >= _MAX_FILES:
            return
        part = path.with_suffix(".part")
        part.write_text(text)
        part.replace(path)
