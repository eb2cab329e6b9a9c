"""Our own styles and scripts, read once: the style sheets joined into one, all of it under an address that changes with
the contents, so that browsers keep it for good."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
STYLES = "app.css"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes


class StaticFiles:
    """All files by name. `version` stands in their addresses."""

    def __init__(self, folder: Path = FOLDER) -> None:
        contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}
        contents[STYLES] = b"\n".join(path.read_bytes() for path in sorted((folder / "css").glob("*.css")))
        self._files = {
            name: _File(_KINDS[Path(name).suffix], plain, gzip.compress(plain, mtime=0))
            for name, plain in contents.items()
        }
        digest = hashlib.sha256()
        for name in sorted(contents):
            digest.update(name.encode() + b"\0" + contents[name])
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Raises `KeyError` for a file that is not there: a page that names it would be broken."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def answer(self, name: str, accepted: str) -> Response | None:
        """The file, packed where the browser takes that; None if there is none."""
        found = self._files.get(name)
        if found is None:
            return None
        headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
        if "gzip" not in accepted:
            return Response(found.plain, media_type=found.kind, headers=headers)
        return Response(found.packed, media_type=found.kind, headers=headers | {"Content-Encoding": "gzip"})
